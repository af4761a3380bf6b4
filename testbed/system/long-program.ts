/**
Runs programs that take minutes: their output is passed on line by line, and a signal ends them at once. Without FFI. Short programs are run by `exec.ts`.
*/

import {spawn} from 'node:child_process';
import process from 'node:process';
import {searchPath} from './commands.js';
import {findProgram} from './find-program.js';
import {missingProgram} from './missing-program.js';
import {findSetpriv, outlivesNobody} from './setpriv.js';

/** How a program ended, with the end of what it printed. `exitCode` is null after a signal. */
export type ProgramEnd = {readonly exitCode: number | null; readonly signal: NodeJS.Signals | null; readonly text: string; readonly isOverTime: boolean};

/** How to run it. `gentleMs`: on an interruption, it gets SIGTERM first and is killed after this time; otherwise it is killed at once. */
export type LongProgramOptions = {
	readonly signal: AbortSignal;
	readonly timeoutMs: number;
	readonly onLine?: (line: string) => void;
	readonly gentleMs?: number;
	readonly environment?: Readonly<Record<string, string>>;
	readonly folder?: string;
};

const textCharactersMax = 65_536;

/**
Runs a program to its end. It is in a process group of its own, so Ctrl-C in the terminal reaches only this process, which ends it; the kernel ends it if this process is killed.

@throws {TestbedError} MISSING_PROGRAM; INTERRUPTED (the signal's reason) once it has ended after an interruption.
*/
export async function runLong(file: string, arguments_: readonly string[], {signal, timeoutMs, onLine, gentleMs = 0, environment = {}, folder}: LongProgramOptions): Promise<ProgramEnd> {
	signal.throwIfAborted();
	if (!file.includes('/') && findProgram(file, searchPath) === undefined) {
		throw missingProgram(file);
	}

	const setpriv = findSetpriv();
	const command = [file, ...arguments_];
	const [program, ...given] = setpriv === undefined ? command : [setpriv, ...outlivesNobody(command, gentleMs > 0 ? 'TERM' : 'KILL')];
	const child = spawn(program!, given, {
		env: {...process.env, PATH: searchPath, LC_ALL: 'C', ...environment}, stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...(folder === undefined ? {} : {cwd: folder}),
	});
	let text = '';
	const read = (stream: NodeJS.ReadableStream): void => {
		let rest = '';
		stream.setEncoding('utf8').on('data', (piece: string) => {
			text = (text + piece).slice(-textCharactersMax);
			const lines = (rest + piece).split('\n');
			rest = lines.pop()!.slice(-textCharactersMax);
			for (const line of lines) {
				onLine?.(line);
			}
		});
	};

	read(child.stdout);
	read(child.stderr);
	let isOverTime = false;
	const timers: NodeJS.Timeout[] = [];
	const kill = (): void => {
		child.kill('SIGKILL');
	};

	const end = (): void => {
		if (gentleMs > 0) {
			child.kill('SIGTERM');
			timers.push(setTimeout(kill, gentleMs));
		} else {
			kill();
		}
	};

	timers.push(setTimeout(() => {
		isOverTime = true;
		end();
	}, timeoutMs));
	signal.addEventListener('abort', end);
	try {
		const ended = await new Promise<Omit<ProgramEnd, 'text' | 'isOverTime'>>((resolve, reject) => {
			child.once('error', reject);
			child.once('close', (exitCode, signal) => {
				resolve({exitCode, signal});
			});
		});
		signal.throwIfAborted();
		return {...ended, text, isOverTime};
	} finally {
		signal.removeEventListener('abort', end);
		for (const timer of timers) {
			clearTimeout(timer);
		}
	}
}

/** How a program ended, in words that follow its name, with the last line that it printed: `ended with status 1: no such file`. */
export function describeEnd({exitCode, signal, text, isOverTime}: ProgramEnd): string {
	const last = text.trim().split('\n').at(-1)!.trim();
	const how = isOverTime ? 'did not end in time and was killed' : (signal === null ? `ended with status ${exitCode}` : `was ended by ${signal}`);
	return last === '' ? how : `${how}: ${last}`;
}
