/**
What all commands share: where programs are found, how they fail; and Node programs that this process waits for. Without FFI, so that rules can be read, and recordings replayed, where koffi is not installed.
*/

import {spawnSync} from 'node:child_process';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {TestbedError} from '../errors.js';

/** The PATH for programs. Debian keeps these tools in sbin, which a user's PATH may lack. npm's folders are left out: `npm run` prepends node_modules/.bin, and a package there has an unrelated program `nft` (measured). */
export const searchPath = [...(process.env['PATH'] ?? '').split(':').filter(folder => folder !== '' && !folder.includes('node_modules')), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'].join(':');

/** The error for a program that was killed because it took too long. */
export function tookTooLong(command: string, timeoutMs: number, cause?: unknown): TestbedError {
	return new TestbedError('MACHINE', {message: `\`${command}\` did not finish within ${(timeoutMs / 1000).toFixed(1)} s and was killed.`, hint: 'Is the machine very busy, or is the program waiting for something? Try the command on its own.', cause});
}

/** A program that ran but failed. */
export class CommandError extends TestbedError {
	readonly exitCode: number | undefined;
	readonly stderr: string;

	constructor(command: string, {exitCode, stderr, cause}: {readonly exitCode: number | undefined; readonly stderr: string; readonly cause: unknown}) {
		super('COMMAND_FAILED', {message: `\`${command}\` failed${exitCode === undefined ? '' : ` with status ${exitCode}`}: ${stderr.trim() || 'it printed no reason'}`, cause});
		this.exitCode = exitCode;
		this.stderr = stderr;
	}
}

/** Whether a program was killed by a signal (it then has no status), so its verdict is unknown. */
export function isProgramKilled({exitCode}: CommandError): boolean {
	return exitCode === undefined;
}

/**
Runs a Node program of the testbed to its end, with a text as its input, and returns its output. Nothing else of this process runs meanwhile.

@throws {TestbedError} MACHINE if it does not finish in time; {CommandError} if it fails.
*/
export function runNodeToEnd(program: URL, {input, environment, folder = '/', timeoutMs}: {
	readonly input: string; readonly environment?: Readonly<Record<string, string>>; readonly folder?: string; readonly timeoutMs: number;
}): string {
	const file = fileURLToPath(program);
	const {status, signal, error, stdout, stderr} = spawnSync(process.execPath, ['--no-warnings', file], {
		input, env: {LC_ALL: 'C', PATH: searchPath, ...environment}, cwd: folder, encoding: 'utf8', timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 256 * 1024 * 1024,
	});
	if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') {
		throw tookTooLong(`node ${file}`, timeoutMs, error);
	}

	if (status !== 0) {
		throw new CommandError(`node ${file}`, {exitCode: status ?? undefined, stderr: error?.message ?? (signal === null ? stderr : `it was killed by ${signal}`), cause: error});
	}

	return stdout;
}
