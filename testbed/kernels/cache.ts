/**
The cache of images: a folder for each kernel and for the root disk. A folder is made elsewhere and renamed when it is complete, so half an image is never used. Locks keep two processes from making the same, and from removing what the other boots.
*/

import {
	closeSync, existsSync, lstatSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {TestbedError} from '../errors.js';
import {tryLock} from '../syscalls/flock.js';
import {reasonOf} from '../system/streams.js';

const pollMs = 200;

/** The note of an entry, beside its files: what they are. */
const noteName = 'about.json';

/** Where images are kept: in $XDG_CACHE_HOME, by default ~/.cache. */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
	const given = environment['XDG_CACHE_HOME'] ?? '';
	// A relative path there is to be ignored (XDG Base Directory Specification).
	const base = path.isAbsolute(given) ? given : path.join(environment['HOME'] ?? os.homedir(), '.cache');
	return path.join(base, 'sidecar-netfilter-testbed/kernels');
}

/** An entry: its folder, and its note. */
export type CacheEntry = {readonly folder: string; readonly note: unknown};

/** The cache, locked by this process. */
export class Cache implements Disposable {
	/**
	Opens the cache, and waits for the lock: shared to use it, exclusive to change it. `onWait` is called once if another process has it.

	@throws {TestbedError} NOT_TRIED if there cannot be such a folder.
	*/
	static async open(folder: string, kind: 'shared' | 'exclusive', {signal, onWait}: {readonly signal: AbortSignal; readonly onWait: () => void}): Promise<Cache> {
		let descriptor: number;
		try {
			mkdirSync(folder, {recursive: true, mode: 0o700});
			descriptor = openSync(path.join(folder, 'lock'), 'a');
		} catch (error) {
			throw new TestbedError('NOT_TRIED', {message: `Images cannot be kept in ${folder}: ${reasonOf(error)}.`, state: 'Nothing was fetched or booted.', hint: 'XDG_CACHE_HOME names another place.'});
		}

		const cache = new Cache(folder, descriptor);
		try {
			await cache.lock(kind, {signal, onWait});
			return cache;
		} catch (error) {
			cache[Symbol.dispose]();
			throw error;
		}
	}

	readonly folder: string;
	readonly #descriptor: number;

	private constructor(folder: string, descriptor: number) {
		this.folder = folder;
		this.#descriptor = descriptor;
	}

	/** Takes another kind of lock in place of this one. Others may come in between. */
	async lock(kind: 'shared' | 'exclusive', {signal, onWait}: {readonly signal: AbortSignal; readonly onWait: () => void}): Promise<void> {
		for (let isFirst = true; !tryLock(this.#descriptor, kind); isFirst = false) {
			if (isFirst) {
				onWait();
			}

			await wait(pollMs); // eslint-disable-line no-await-in-loop -- Until it is free.
			signal.throwIfAborted();
		}
	}

	/** All complete entries whose names begin so. */
	entries(prefix: string): readonly CacheEntry[] {
		return readdirSync(this.folder).filter(name => name.startsWith(prefix)).toSorted().flatMap(name => {
			const folder = path.join(this.folder, name);
			const note = path.join(folder, noteName);
			return existsSync(note) ? [{folder, note: JSON.parse(readFileSync(note, 'utf8')) as unknown}] : [];
		});
	}

	/** A folder for work; needs the exclusive lock. Removes what a process left that was killed at work. */
	workFolder(): string {
		for (const name of readdirSync(this.folder).filter(name => name.startsWith('work-'))) {
			this.#remove(path.join(this.folder, name));
		}

		return mkdtempSync(path.join(this.folder, 'work-'));
	}

	/** Makes an entry of a complete folder, in place of one with the same name; needs the exclusive lock. */
	keep(name: string, made: string, note: object): CacheEntry {
		const folder = path.join(this.folder, name);
		writeFileSync(path.join(made, noteName), `${JSON.stringify(note, undefined, '\t')}\n`);
		rmSync(folder, {recursive: true, force: true});
		renameSync(made, folder);
		return {folder, note};
	}

	/** Removes entries; needs the exclusive lock. */
	forget(entries: readonly CacheEntry[]): void {
		for (const {folder} of entries) {
			rmSync(folder, {recursive: true, force: true});
		}
	}

	/** How much room it takes, in bytes. */
	size(): number {
		return readdirSync(this.folder, {recursive: true}).reduce((total, name) => total + ((lstatSync(path.join(this.folder, String(name)), {throwIfNoEntry: false})?.blocks ?? 0) * 512), 0);
	}

	[Symbol.dispose](): void {
		closeSync(this.#descriptor);
	}

	#remove(folder: string): void {
		try {
			rmSync(folder, {recursive: true, force: true});
		} catch {} // Something of another user's namespace; it is in nobody's way.
	}
}
