/**
The only door to other programs. Every error shows the command line and what the program printed.
*/

import {execa, ExecaError, type ResultPromise} from 'execa';
import {TestbedError} from './errors.js';
import {inNetns} from './syscalls.js';

/** Debian keeps these tools in sbin, which a user's PATH may lack. Folders of npm are left out: `npm run` puts node_modules/.bin in front, and a package there has a program `nft` that is another (measured). */
const path = [...(process.env['PATH'] ?? '').split(':').filter(folder => folder !== '' && !folder.includes('node_modules')), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'].join(':');

/** The Debian package of each program, for the hint when it is missing. */
const packages: Readonly<Record<string, string>> = {ip: 'iproute2', nft: 'nftables'};

/** Where and how to run a program. `netns` is a descriptor; without it the program runs in the machine's own namespace. */
export type RunOptions = {
	readonly netns?: number;
	readonly input?: string;
	readonly environment?: Readonly<Record<string, string>>;
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

function spawn(netns: number | undefined, act: () => ResultPromise): ResultPromise {
	// Execa spawns before it returns (its pid is set), so the child is born in the namespace in which this thread is.
	return netns === undefined ? act() : inNetns(netns, act);
}

/**
Runs a program to its end and returns what it printed.

@throws {TestbedError} MISSING_PROGRAM, with the Debian package that has it.
@throws {CommandError} when its status is not 0.
*/
export async function run(file: string, arguments_: readonly string[], {netns, input, environment}: RunOptions = {}): Promise<string> {
	const subprocess = spawn(netns, () => execa(file, arguments_, {
		...(input === undefined ? {stdin: 'ignore' as const} : {input}),
		env: {PATH: path, LC_ALL: 'C', ...environment},
		stripFinalNewline: true,
	}) as ResultPromise);
	try {
		const {stdout} = await subprocess;
		return String(stdout);
	} catch (error) {
		throw explain(file, error);
	}
}

function explain(file: string, error: unknown): unknown {
	if (!(error instanceof ExecaError)) {
		return error;
	}

	if (error.code === 'ENOENT') {
		return new TestbedError('MISSING_PROGRAM', {
			message: `The program ${file} is not on this machine.`,
			hint: `apt-get install -y ${packages[file] ?? 'iptables'}`,
			cause: error,
		});
	}

	return new CommandError(error.command, {exitCode: error.exitCode, stderr: String(error.stderr ?? error.shortMessage), cause: error});
}

/** A process that goes on, with a channel for messages. */
export type LongProcess = ResultPromise<{ipc: true; reject: false}>;

/** Starts a Node program with a message channel, in a namespace. It ends when the channel closes, which happens even when this process is killed. */
export function startNode(program: URL, netns: number): LongProcess {
	return inNetns(netns, () => execa(process.execPath, ['--no-warnings', program.pathname], {
		ipc: true, serialization: 'json', reject: false, stdin: 'ignore', stdout: 'ignore', buffer: {stderr: true, ipc: false}, maxBuffer: 65_536, extendEnv: false, env: {LC_ALL: 'C'},
	}) as LongProcess);
}
