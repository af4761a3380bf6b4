/**
The only door to other programs. Every error shows the command line and what the program printed.
*/

import process from 'node:process';
import {fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import type {ExecaError} from 'execa';
import {TestbedError} from '../errors.js';
import {inNetns} from '../syscalls/netns.js';
import {missingProgram} from './missing-program.js';

/** Debian keeps these tools in sbin, which a user's PATH may lack. Folders of npm are left out: `npm run` puts node_modules/.bin in front, and a package there has a program `nft` that is another (measured). */
export const searchPath = [...(process.env['PATH'] ?? '').split(':').filter(folder => folder !== '' && !folder.includes('node_modules')), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'].join(':');

/** How long a program may run; one that takes longer hangs. Restoring 100,000 rules takes some seconds, and a slow machine a multiple of that. */
const limitMs = 60_000;
/** And more for what it has to read: a millisecond for each of so many bytes. */
const bytesPerMs = 20;

/** How long a program may run that gets this input, in milliseconds. */
export function timeLimitOf(input: string | undefined, timeoutMs = limitMs): number {
	return timeoutMs + Math.ceil((input?.length ?? 0) / bytesPerMs);
}

/** What is said of a program that was stopped because it took too long. */
export function tookTooLong(command: string, timeoutMs: number, cause?: unknown): TestbedError {
	return new TestbedError('MACHINE', {message: `\`${command}\` did not come to its end within ${(timeoutMs / 1000).toFixed(1)} s and was stopped.`, hint: 'Is the machine very busy, or does the program wait for something? Try the command by itself.', cause});
}

/** Where and how to run a program. `netns` is a descriptor; without it the program runs in the machine's own namespace. */
export type RunOptions = {
	readonly netns?: number;
	readonly input?: string;
	/** Statuses beside 0 that are no failure. */
	readonly acceptStatus?: readonly number[];
	readonly environment?: Readonly<Record<string, string>>;
	/** Longest time in milliseconds, beside what the input takes. Default: a minute. */
	readonly timeoutMs?: number;
};

/** A program that ran to its end but said no. */
export class CommandError extends TestbedError {
	readonly exitCode: number | undefined;
	readonly stderr: string;

	constructor(command: string, {exitCode, stderr, cause}: {readonly exitCode: number | undefined; readonly stderr: string; readonly cause: unknown}) {
		super('COMMAND_FAILED', {message: `\`${command}\` failed${exitCode === undefined ? '' : ` with status ${exitCode}`}: ${stderr.trim() || 'it printed no reason'}`, cause});
		this.exitCode = exitCode;
		this.stderr = stderr;
	}
}

/** Whether a program was ended by a signal (it has no status then), so that what it would have said is not known. */
export function isProgramKilled({exitCode}: CommandError): boolean {
	return exitCode === undefined;
}

/**
Runs a program to its end and returns what it printed.

@throws {TestbedError} MISSING_PROGRAM, with the Debian package that has it.
@throws {TestbedError} MACHINE when it does not come to its end within a minute, and a second more for each 20 kB of its input.
@throws {CommandError} when its status is not 0 and not accepted.
*/
export async function run(file: string, arguments_: readonly string[], {netns, input, environment, acceptStatus = [], timeoutMs}: RunOptions = {}): Promise<string> {
	// Execa is loaded when it is first needed: that takes some 80 ms, in which the actors' processes start already.
	const {execa} = await import('execa');
	const timeout = timeLimitOf(input, timeoutMs);
	const options = {
		...(input === undefined ? {stdin: 'ignore' as const} : {input}),
		env: {PATH: searchPath, LC_ALL: 'C', ...environment},
		stripFinalNewline: true,
		timeout,
		// A program that hangs need not listen to anything milder.
		killSignal: 'SIGKILL',
	} as const;
	try {
		// Execa spawns before it returns, so the child is born in the namespace in which this thread is then (a kernel test sees to it).
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

/** A process that goes on, with a channel for messages. */
export type LongProcess = {
	readonly pid: number;
	readonly send: (message: object) => void;
	readonly kill: () => void;
	readonly ended: Promise<ProcessEnd>;
};

const stderrCharactersMax = 65_536;

/**
Starts a Node program with a message channel, in a namespace. It ends when the channel closes, which happens even when this process is killed.
Node's own `fork` rather than execa: it is there without loading anything, so the actors start while the rest is being loaded (bench: some 80 ms).
*/
export function startNode(program: URL, {netns, onMessage}: {readonly netns: number; readonly onMessage: (message: unknown) => void}): LongProcess {
	const child = inNetns(netns, () => fork(fileURLToPath(program), [], {
		execArgv: ['--no-warnings'], env: {LC_ALL: 'C'}, stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'json',
	}));
	let stderr = '';
	child.stderr!.setEncoding('utf8').on('data', (text: string) => {
		stderr = (stderr + text).slice(-stderrCharactersMax);
	});
	child.on('message', onMessage);
	const ended = new Promise<ProcessEnd>(resolve => {
		child.once('error', error => {
			resolve({exitCode: null, signal: null, stderr: error.message});
		});
		child.once('close', (exitCode, signal) => {
			resolve({exitCode, signal, stderr});
		});
	});
	return {
		pid: child.pid ?? 0,
		send(message) {
			if (child.connected) {
				// A channel that closes meanwhile means that the process ended, which `ended` tells.
				child.send(message, () => undefined);
			}
		},
		kill() {
			child.kill('SIGKILL');
		},
		ended,
	};
}
