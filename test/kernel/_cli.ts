/**
Runs of the command line as separate processes, each in its own folder: every process of a run has that folder as its working directory and puts its temporary files there. So a test sees only its own run.
*/

import {
	closeSync, openSync, readdirSync, readFileSync, readlinkSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {execa, type Options, type ResultPromise} from 'execa';
import {dir} from 'tmp-promise';

const launcher = path.resolve('scripts/run.cjs');

/** How a run ended, and what it printed. */
export type Ended = {readonly exitCode: number | undefined; readonly signal: string | undefined; readonly stdout: string; readonly stderr: string};

/** Runs `testbed` with these arguments to its end. */
export async function testbed(given: readonly string[], options: Options = {}): Promise<Ended> {
	const {exitCode, signal, stdout, stderr} = await execa(process.execPath, [launcher, 'testbed', ...given], {reject: false, stripFinalNewline: false, ...options});
	return {
		exitCode, signal, stdout: String(stdout), stderr: String(stderr),
	};
}

/** The parts of the report's JSON that tests use. */
export type JsonReport = {
	readonly version: number;
	readonly environment: Readonly<Record<string, string>>;
	readonly rules: {readonly source: string; readonly release: string | null; readonly backend: string; readonly sha256: string; readonly notes: readonly string[]};
	readonly types: ReadonlyArray<{
		readonly id: string; readonly name: string; readonly family: string; readonly outcome: string; readonly stops: readonly string[]; readonly path: readonly string[];
		readonly actors: Readonly<Record<string, {readonly uid: number; readonly gid: number}>>;
		readonly expected: {readonly stops: readonly string[]; readonly roles: readonly string[]};
		readonly published: {readonly path: readonly string[]; readonly agrees: boolean | null; readonly reason: string | null} | null;
		readonly differences: ReadonlyArray<Readonly<Record<string, unknown>>>;
		readonly gaps: ReadonlyArray<{readonly kind: string; readonly message: string}>;
		readonly legs: ReadonlyArray<Readonly<Record<string, unknown>>>;
	}>;
	readonly summary: {readonly passed: number; readonly failed: number; readonly inconclusive: number};
	readonly durationMs: number;
};

/** Polls until there is an answer. The limit only ends a test that would hang. */
export async function until<T>(what: string, ask: () => T | undefined): Promise<T> {
	const deadline = performance.now() + 30_000;
	for (;;) {
		const answer = ask();
		if (answer !== undefined) {
			return answer;
		}

		if (performance.now() > deadline) {
			throw new Error(`Waited 30 seconds in vain until ${what}.`);
		}

		await wait(5); // eslint-disable-line no-await-in-loop -- That is the point.
	}
}

function linkOf(file: string): string | undefined {
	try {
		return readlinkSync(file);
	} catch {
		return undefined; // The process is gone, or the descriptor closed.
	}
}

function entriesOf(folder: string): readonly string[] {
	try {
		return readdirSync(folder);
	} catch {
		return [];
	}
}

/** The ids of all processes. */
function processIds(): readonly number[] {
	return readdirSync('/proc').filter(name => /^\d+$/u.test(name)).map(Number);
}

/** The processes that use a network namespace, as their own or by a descriptor. */
function holdersOf(link: string): readonly number[] {
	return processIds().filter(pid => linkOf(`/proc/${pid}/ns/net`) === link || entriesOf(`/proc/${pid}/fd`).some(fd => linkOf(`/proc/${pid}/fd/${fd}`) === link));
}

/** A run in its own folder that a test interferes with. */
export class WatchedRun implements AsyncDisposable {
	/** `wrap`: a program and its arguments that starts the run in its own place. */
	static async start(given: readonly string[], options: Options = {}, wrap: readonly string[] = []): Promise<WatchedRun> {
		const [program, ...rest] = [...wrap, process.execPath, launcher, 'testbed', ...given];
		return new WatchedRun(await dir({prefix: 'testbed-watched-', unsafeCleanup: true}), [program!, ...rest], options);
	}

	readonly process: ResultPromise;
	readonly #folder: {readonly path: string; readonly cleanup: () => Promise<void>};
	/** Descriptors of namespaces: while one is open, the kernel does not reuse its number. */
	readonly #namespaces = new Map<string, number>();
	#stderr = '';

	private constructor(folder: {readonly path: string; readonly cleanup: () => Promise<void>}, [program, ...given]: readonly [string, ...string[]], options: Options) {
		this.#folder = folder;
		this.process = execa(program, given, {
			reject: false, stripFinalNewline: false, cwd: folder.path, env: {TMPDIR: folder.path}, ...options,
		}) as ResultPromise;
		this.process.stderr!.on('data', (text: unknown) => {
			this.#stderr += String(text);
		});
	}

	/** Its processes that are still running. */
	get children(): readonly number[] {
		return processIds().filter(pid => pid !== this.process.pid && linkOf(`/proc/${pid}/cwd`) === this.#folder.path);
	}

	/** What is left in its folder for temporary files. */
	get files(): readonly string[] {
		return readdirSync(this.#folder.path);
	}

	/** Resolves once it has written a text to stderr. */
	async says(pattern: RegExp): Promise<void> {
		await until(`the run says ${String(pattern)}`, () => pattern.test(this.#stderr) ? true : undefined);
	}

	/** Notes the namespaces of its children, to check for them afterwards. Returns how many there are besides the machine's own. */
	noteNamespaces(): number {
		const machine = readlinkSync('/proc/self/ns/net');
		for (const pid of this.children) {
			const link = linkOf(`/proc/${pid}/ns/net`);
			if (link !== undefined && link !== machine && !this.#namespaces.has(link)) {
				const fd = openSync(`/proc/${pid}/ns/net`, 'r');
				this.#namespaces.set(readlinkSync(`/proc/self/fd/${fd}`), fd);
			}
		}

		return this.#namespaces.size;
	}

	/** What is left of it: processes, other users of the noted namespaces, mounts of these, files. */
	leftovers(): {readonly processes: readonly number[]; readonly holders: readonly number[]; readonly mounts: readonly string[]; readonly files: readonly string[]} {
		const links = [...this.#namespaces.keys()];
		const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
		return {
			processes: this.children,
			holders: links.flatMap(link => holdersOf(link).filter(pid => pid !== process.pid)),
			mounts: links.filter(link => mounts.includes(link)),
			files: this.files,
		};
	}

	/** Waits until nothing is left; the error names what stays. */
	async nothingLeft(): Promise<void> {
		try {
			await until('nothing is left', () => Object.values(this.leftovers()).every(list => list.length === 0) ? true : undefined);
		} catch (error) {
			throw new Error(`The run left something behind: ${JSON.stringify(this.leftovers())}`, {cause: error});
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.process.kill('SIGKILL');
		await this.process;
		// After a failed test: what is left of this run, found by its folder.
		for (const pid of this.children) {
			try {
				process.kill(pid, 'SIGKILL');
			} catch {} // It ended meanwhile.
		}

		for (const fd of this.#namespaces.values()) {
			closeSync(fd);
		}

		await this.#folder.cleanup();
	}
}
