/**
The only door to other programs. Every error shows the command line and what the program printed.
*/

import process from 'node:process';
import {fork} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {ExecaError} from 'execa';
import {ConfinedTools, type Confinement} from './confinement/confined-tools.js';
import {TestbedError} from './errors.js';
import {missingProgram} from './missing-program.js';
import {inNetns} from './syscalls.js';

/** Debian keeps these tools in sbin, which a user's PATH may lack. Folders of npm are left out: `npm run` puts node_modules/.bin in front, and a package there has a program `nft` that is another (measured). */
const path = [...(process.env['PATH'] ?? '').split(':').filter(folder => folder !== '' && !folder.includes('node_modules')), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'].join(':');

/** How long a program may run; one that takes longer hangs. Restoring 100,000 rules takes some seconds, and a slow machine a multiple of that. */
const limitMs = 60_000;
/** And more for what it has to read: a millisecond for each of so many bytes. */
const bytesPerMs = 20;

function timeLimitOf(input: string | undefined, timeoutMs = limitMs): number {
	return timeoutMs + Math.ceil((input?.length ?? 0) / bytesPerMs);
}

function tookTooLong(command: string, timeoutMs: number, cause?: unknown): TestbedError {
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
		env: {PATH: path, LC_ALL: 'C', ...environment},
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

let tools: ConfinedTools | undefined;

/** The thread of the rule tools; the first call starts it. To call it early in a run saves the time that it takes. */
function confinedTools(): ConfinedTools {
	tools ??= new ConfinedTools({searchPath: path});
	return tools;
}

/** Starts the thread of the rule tools if it does not run yet, and waits for nothing. */
export function prepareConfinement(): void {
	confinedTools();
}

/**
What stands between the rule tools and the machine.

@throws {TestbedError} MACHINE where the tools cannot be confined.
*/
export async function loadConfinement(): Promise<Confinement> {
	return confinedTools().confinement;
}

/** As {@link RunOptions}; the namespace must be one, and `inherited` are descriptors that the tool finds under their own numbers, as /proc/self/fd/N. */
export type ConfinedRunOptions = RunOptions & {readonly netns: number; readonly inherited?: readonly number[]};

/**
As {@link run}, for the rule tools: what they are given is a user's text, and they run as root. So they run behind walls (`confinement/`): a root of their own with their libraries and little else, all of it read-only, in a PID namespace of their own, with no right but that over networks. Of the environment they get what is named here. Each has a lock file of its own, its input: the lock keeps two programs from one table, and nobody else is in these namespaces.

@throws {TestbedError} MISSING_PROGRAM, with the Debian package that has it; MACHINE where the tools cannot be confined, or take too long.
@throws {CommandError} when its status is not 0 and not accepted.
*/
export async function runConfined(file: string, arguments_: readonly string[], {netns, input, environment, acceptStatus = [], timeoutMs, inherited}: ConfinedRunOptions): Promise<string> {
	const {TZ} = process.env;
	const timeout = timeLimitOf(input, timeoutMs);
	if (file.includes('-legacy-')) {
		await loadLegacyModules();
	}

	const {exitCode, signal, timedOut, stdout, stderr} = await confinedTools().run({
		program: file, arguments: arguments_, netns, input, timeoutMs: timeout, ...(inherited === undefined ? {} : {inherited}),
		// The time zone, because nft reads and prints the hours of `meta hour` by it.
		environment: {PATH: path, LC_ALL: 'C', ...(TZ === undefined ? {} : {TZ}), ...environment, XTABLES_LOCKFILE: '/proc/self/fd/0'},
	});
	if (exitCode === 0 || (exitCode !== null && acceptStatus.includes(exitCode))) {
		return stdout.replace(/\r?\n$/u, '');
	}

	const command = [file, ...arguments_].join(' ');
	if (timedOut) {
		throw tookTooLong(command, timeout);
	}

	throw new CommandError(command, {exitCode: exitCode ?? undefined, stderr: signal === null ? stderr : `${stderr}\nit was ended by ${signal}`, cause: undefined});
}

/**
Loads what iptables-legacy would load itself, if it could see modprobe: its programs talk to the kernel by options of sockets that are not there before. All other modules the kernel loads by itself, outside of any wall, when a rule or a table first asks for them.
*/
const legacyModules = ['ip_tables', 'ip6_tables'] as const;
let legacyLoaded: Promise<unknown> | undefined;

async function loadLegacyModules(): Promise<void> {
	const absent = legacyModules.filter(module => !existsSync(`/proc/net/${module}_names`));
	legacyLoaded ??= Promise.allSettled(absent.map(async module => run('modprobe', ['-q', module])));
	// Where it fails, the tool says that the kernel has no such table.
	await legacyLoaded;
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
