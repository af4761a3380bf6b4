/**
Waits for files to change. The kernel's notifications only wake it up; what has changed is decided by the contents.

A folder is watched instead of a file, because editors write a new file and rename it over the old one. Network file systems and shared folders of virtual machines notify nobody, so the files are looked at every second as well. `node:fs` does all of that in a few lines, so there is no package for it here: the names that those report are not used.
*/

import {createHash} from 'node:crypto';
import {
	readdirSync, readFileSync, realpathSync, statSync, watch, type FSWatcher,
} from 'node:fs';
import path from 'node:path';

/** How often files are looked at without a notification. */
const lookMs = 1000;

/** How long nothing may change before a change counts: an editor may still be writing. */
const quietMs = 100;

/** How long a file may be gone before that counts: some editors remove it first. */
const goneMs = 1000;

const gone = 'gone';

/** The times, for tests. */
export type WatchTimes = {readonly lookMs: number; readonly quietMs: number; readonly goneMs: number};

/** Watches the files and folders that `paths` names whenever it is asked. */
export class FileWatch implements Disposable {
	readonly #paths: () => readonly string[];
	readonly #times: WatchTimes;
	readonly #watchers = new Map<string, FSWatcher>();
	#known: ReadonlyMap<string, string> = new Map();
	#stats = '';
	#sleeper: {readonly wake: () => void} | undefined;

	constructor(paths: () => readonly string[], times: Partial<WatchTimes> = {}) {
		this.#paths = paths;
		this.#times = {
			lookMs, quietMs, goneMs, ...times,
		};
	}

	/** Notes the contents as they are now: what changes from here on is a change. To be called before the files are read. */
	mark(): void {
		this.#watchFolders();
		this.#known = this.#contents();
	}

	/**
	Waits until something differs from what {@link mark} noted and has settled, and returns the names.

	@throws The signal's reason.
	*/
	async changed(signal: AbortSignal): Promise<readonly string[]> {
		let isNotified = true; // It may have happened since.
		for (;;) {
			signal.throwIfAborted();
			this.#watchFolders();
			if (isNotified || this.#statsNow() !== this.#stats) {
				const names = this.#differing(await this.#steady(signal)); // eslint-disable-line no-await-in-loop -- One look after the other.
				if (names.length > 0) {
					return names;
				}
			}

			isNotified = await this.#sleep(this.#times.lookMs, signal); // eslint-disable-line no-await-in-loop -- That is the point.
		}
	}

	[Symbol.dispose](): void {
		for (const watcher of this.#watchers.values()) {
			watcher.close();
		}

		this.#watchers.clear();
	}

	/** The contents once they stay the same for a while, and nothing that was there has just gone. */
	async #steady(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
		const startedAt = performance.now();
		let before = this.#contents();
		for (;;) {
			await this.#sleep(this.#times.quietMs, signal, {isDeaf: true}); // eslint-disable-line no-await-in-loop -- That is the point.
			signal.throwIfAborted();
			this.#stats = this.#statsNow();
			const now = this.#contents();
			const isGone = [...now].some(([name, content]) => content === gone && (this.#known.get(name) ?? gone) !== gone);
			if (areSame(before, now) && (!isGone || performance.now() - startedAt > this.#times.goneMs)) {
				return now;
			}

			before = now;
		}
	}

	#differing(now: ReadonlyMap<string, string>): readonly string[] {
		return [...new Set([...now.keys(), ...this.#known.keys()])].filter(name => (now.get(name) ?? gone) !== (this.#known.get(name) ?? gone));
	}

	#contents(): ReadonlyMap<string, string> {
		return new Map(this.#paths().map(name => [name, contentOf(name)]));
	}

	#statsNow(): string {
		return this.#paths().map(name => `${name} ${statOf(name)}`).join('\n');
	}

	/** Whether a notification ended it. */
	async #sleep(ms: number, signal: AbortSignal, {isDeaf = false} = {}): Promise<boolean> {
		return new Promise(resolve => {
			const end = (isNotified: boolean): void => {
				clearTimeout(timer);
				signal.removeEventListener('abort', onAbort);
				this.#sleeper = undefined;
				resolve(isNotified);
			};

			const onAbort = (): void => {
				end(false);
			};

			const timer = setTimeout(() => {
				end(false);
			}, ms);
			signal.addEventListener('abort', onAbort, {once: true});
			if (!isDeaf) {
				this.#sleeper = {
					wake() {
						end(true);
					},
				};
			}
		});
	}

	/** Watches the folders of all files, and of what links among them point to. */
	#watchFolders(): void {
		const folders = new Set(this.#paths().flatMap(name => foldersOf(name)));
		for (const [folder, watcher] of this.#watchers) {
			if (!folders.has(folder)) {
				watcher.close();
				this.#watchers.delete(folder);
			}
		}

		for (const folder of folders) {
			if (!this.#watchers.has(folder)) {
				this.#watchFolder(folder);
			}
		}
	}

	#watchFolder(folder: string): void {
		try {
			const watcher = watch(folder, () => {
				this.#sleeper?.wake();
			});
			// A folder that was replaced is watched again when it is looked at.
			watcher.on('error', () => {
				watcher.close();
				this.#watchers.delete(folder);
			});
			this.#watchers.set(folder, watcher);
		} catch {} // It is gone, or there are too many watches: the files are looked at all the same.
	}
}

function areSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
	return one.size === other.size && [...one].every(([name, content]) => other.get(name) === content);
}

function foldersOf(name: string): readonly string[] {
	const own = isFolder(name) ? name : path.dirname(name);
	try {
		return [own, path.dirname(realpathSync(name))];
	} catch {
		return [own];
	}
}

function isFolder(name: string): boolean {
	return statSync(name, {throwIfNoEntry: false})?.isDirectory() === true;
}

function contentOf(name: string): string {
	try {
		return isFolder(name) ? readdirSync(name).toSorted().join('\n') : createHash('sha256').update(readFileSync(name)).digest('hex');
	} catch {
		return gone;
	}
}

function statOf(name: string): string {
	try {
		const {ino, size, mtimeNs} = statSync(name, {bigint: true});
		return `${ino} ${size} ${mtimeNs}`;
	} catch {
		return gone;
	}
}
