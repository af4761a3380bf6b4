/**
Runs other programs. Every error shows the command line and what the program printed.
*/

import {fork, spawn} from 'node:child_process';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import type {ExecaError} from 'execa';
import {inNetns} from '../syscalls/netns.js';
import {CommandError, searchPath, tookTooLong} from './commands.js';
import {missingProgram} from './missing-program.js';
import {findSetpriv, outlivesNobody} from './setpriv.js';

/** How long a program may run before it counts as hanging. Restoring 100,000 rules takes some seconds, several times that on a slow machine. */
const limitMs = 60_000;
/** Additional time for input: one millisecond per this many bytes. */
const bytesPerMs = 20;

/** How long a program with this input may run, in milliseconds. */
export function timeLimitOf(input: string | undefined, timeoutMs = limitMs): number {
	return timeoutMs + Math.ceil((input?.length ?? 0) / bytesPerMs);
}

/** How to run a program. `netns` is a descriptor; without it the program runs in the machine's own namespace. */
export type RunOptions = {
	readonly netns?: number;
	readonly input?: string;
	/** Statuses other than 0 that are not failures. */
	readonly acceptStatus?: readonly number[];
	readonly environment?: Readonly<Record<string, string>>;
	/** Time limit in milliseconds, plus time for the input. Default: a minute. */
	readonly timeoutMs?: number;
};

/**
Runs a program to its end and returns its output.

@throws {TestbedError} MISSING_PROGRAM, with the Debian package that has it.
@throws {TestbedError} MACHINE if it does not finish within a minute plus a second for each 20 kB of input.
@throws {CommandError} if its status is neither 0 nor accepted.
*/
export async function run(file: string, arguments_: readonly string[], {netns, input, environment, acceptStatus = [], timeoutMs}: RunOptions = {}): Promise<string> {
	// Execa is loaded on first use: that takes some 80 ms, during which the actors' processes already start.
	const {execa} = await import('execa');
	const timeout = timeLimitOf(input, timeoutMs);
	const options = {
		...(input === undefined ? {stdin: 'ignore' as const} : {input}),
		env: {PATH: searchPath, LC_ALL: 'C', ...environment},
		stripFinalNewline: true,
		timeout,
		// A hanging program may ignore milder signals.
		killSignal: 'SIGKILL',
	} as const;
	try {
		// Execa spawns before it returns, so the child starts in the namespace that this thread is in (checked by a kernel test).
		const {stdout} = await (netns === undefined ? execa(file, arguments_, options) : inNetns(netns, async () => execa(file, arguments_, options)));
		return String(stdout);
	} catch (error) {
		const {exitCode, stdout} = error as {readonly exitCode?: number; readonly stdout?: unknown};
		if (exitCode !== undefined && acceptStatus.includes(exitCode)) {
			return String(stdout);
		}

		throw explain(file, error, timeout);
	}
}

function isExecaError(error: unknown): error is ExecaError {
	return error instanceof Error && 'shortMessage' in error && 'command' in error;
}

function explain(file: string, error: unknown, timeoutMs: number): unknown {
	if (!isExecaError(error)) {
		return error;
	}

	if (error.code === 'ENOENT') {
		return missingProgram(file, error);
	}

	if (error.timedOut) {
		return tookTooLong(error.command, timeoutMs, error);
	}

	return new CommandError(error.command, {exitCode: error.exitCode, stderr: String(error.stderr ?? error.shortMessage), cause: error});
}

/** How a long process ended. */
export type ProcessEnd = {readonly exitCode: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string};

/** A long-running process with a message channel. */
export type LongProcess = {
	readonly pid: number;
	readonly send: (message: object) => void;
	readonly kill: () => void;
	readonly ended: Promise<ProcessEnd>;
};

const stderrCharactersMax = 65_536;

/** How to start Node, as options of `fork`. Without threads to spare, Node can hang before it runs its program (seen with Node 20.20 in a control group with 24 tasks), and such a process sees no channel close. */
function startOfNode(): {readonly execPath: string; readonly execArgv: readonly string[]} {
	const [given, setpriv] = [['--no-warnings'], findSetpriv()];
	return setpriv === undefined ? {execPath: process.execPath, execArgv: given} : {execPath: setpriv, execArgv: [...outlivesNobody([process.execPath, ...given])]};
}

/**
Starts a Node program with a message channel, in a namespace. It ends when the channel closes, which happens even if this process is killed. Until the program runs and has changed its user, the kernel ends it with this process.

Uses Node's own `fork` rather than execa, which need not be loaded first, so the actors start while the rest is still loading (bench: some 80 ms).
*/
export function startNode(program: URL, {netns, onMessage}: {readonly netns: number; readonly onMessage: (message: unknown) => void}): LongProcess {
	const {execPath, execArgv} = startOfNode();
	const child = inNetns(netns, () => fork(fileURLToPath(program), [], {
		execPath, execArgv: [...execArgv], env: {LC_ALL: 'C'}, stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'json',
	}));
	let stderr = '';
	child.stderr!.setEncoding('utf8').on('data', (text: string) => {
		stderr = (stderr + text).slice(-stderrCharactersMax);
	});
	child.on('message', onMessage);
	const ended = new Promise<ProcessEnd>(resolve => {
		child.on('error', (error: NodeJS.ErrnoException) => {
			if (error.syscall === 'kill') {
				// Root without CAP_KILL, as in a container, may not kill a process that has become another user. It ends when its channel closes. After that Node emits no `close` (findings/child-close-after-disconnect.sh).
				child.once('exit', (exitCode, signal) => {
					resolve({exitCode, signal, stderr});
				});
				child.disconnect();
			} else {
				resolve({exitCode: null, signal: null, stderr: error.message});
			}
		});
		child.once('close', (exitCode, signal) => {
			resolve({exitCode, signal, stderr});
		});
	});
	return {
		pid: child.pid ?? 0,
		send(message) {
			if (child.connected) {
				// If the channel closes meanwhile, the process has ended, which `ended` reports.
				child.send(message, () => undefined);
			}
		},
		kill() {
			child.kill('SIGKILL');
		},
		ended,
	};
}

/** A process that goes on and whose output is read. */
export type ReadProcess = Omit<LongProcess, 'send'>;

/**
Starts a program that goes on, in a namespace. Each end of this process should end it too, which the program itself has to see to.

@param options.inherited Descriptors that it gets as 3, 4, ….
@param options.onOutput Given its standard output as it comes, in pieces.
@throws {TestbedError} MISSING_PROGRAM.
*/
export async function startProgram(file: string, arguments_: readonly string[], {netns, inherited, onOutput}: {
	readonly netns: number; readonly inherited: readonly number[]; readonly onOutput: (text: string) => void;
}): Promise<ReadProcess> {
	const child = inNetns(netns, () => spawn(file, arguments_, {env: {PATH: searchPath, LC_ALL: 'C'}, cwd: '/', stdio: ['ignore', 'pipe', 'pipe', ...inherited]}));
	let stderr = '';
	child.stderr!.setEncoding('utf8').on('data', (text: string) => {
		stderr = (stderr + text).slice(-stderrCharactersMax);
	});
	child.stdout!.setEncoding('utf8').on('data', onOutput);
	const ended = new Promise<ProcessEnd>(resolve => {
		child.once('close', (exitCode, signal) => {
			resolve({exitCode, signal, stderr});
		});
	});
	await new Promise<void>((resolve, reject) => {
		child.once('spawn', resolve);
		child.once('error', (error: NodeJS.ErrnoException) => {
			reject(error.code === 'ENOENT' ? missingProgram(file, error) : error);
		});
	});
	return {
		pid: child.pid!,
		kill() {
			child.kill('SIGKILL');
		},
		ended,
	};
}

/** A Node process that outlives this one: it has its own session, and a channel until it is released. */
export type DetachedProcess = {
	readonly send: (message: object) => void;
	readonly onMessage: (listener: (message: unknown) => void) => void;
	/** Calls the listener once it ends, with words that complete the sentence "it ended …". */
	readonly onEnd: (listener: (how: string) => void) => void;
	/** Resolves once it has closed the channel or ended. */
	readonly released: Promise<void>;
	/** Closes the channel if it is still open. */
	readonly release: () => void;
};

/** Starts a Node program that outlives this process. Signals from the terminal do not reach it. */
export function startDetachedNode(program: URL): DetachedProcess {
	const child = fork(fileURLToPath(program), [], {
		execArgv: ['--no-warnings'], env: {LC_ALL: 'C', PATH: searchPath}, cwd: '/', stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'json', detached: true,
	});
	return {
		send(message) {
			if (child.connected) {
				child.send(message, () => undefined);
			}
		},
		onMessage(listener) {
			child.on('message', listener);
		},
		onEnd(listener) {
			child.once('error', error => {
				listener(`(${error.message})`);
			});
			child.once('exit', (exitCode, signal) => {
				listener(signal === null ? `with status ${exitCode}` : `by ${signal}`);
			});
		},
		released: new Promise<void>(resolve => {
			child.once('disconnect', resolve).once('error', () => {
				resolve();
			});
		}),
		release() {
			child.unref();
			if (child.connected) {
				child.disconnect();
			}
		},
	};
}
