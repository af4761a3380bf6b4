/**
Standard output and standard error of the program. What goes wrong with them is told once, here, for every command: a reader that has seen enough is no error, a full disk is one with a sentence, and nothing that happens to standard error decides anything.
*/

import {fstatSync, writeSync} from 'node:fs';
import process from 'node:process';
import {getSystemErrorMap} from 'node:util';
import {visibleText} from '../../src/parsing/visible-text.js';
import {TestbedError} from '../errors.js';

const descriptor = 1;
let isGuarded = false;
/** Why standard output takes nothing any more. */
let failure: NodeJS.ErrnoException | undefined;

/**
Listens to the errors of both streams, once for the whole process: Node ends a process with a stack trace when an error of a stream has no listener. {@link writeOut} reports what happened to standard output; of standard error nobody could be told.
*/
export function guardStreams(): void {
	if (isGuarded) {
		return;
	}

	isGuarded = true;
	process.stdout.on('error', (error: NodeJS.ErrnoException) => {
		failure ??= error;
	});
	process.stderr.on('error', () => undefined);
}

/**
Writes to standard output, text so that nothing in it acts on a terminal but our own colours, and resolves when the text is out: who exits before loses what a pipe has not taken yet. Resolves with whether somebody still reads. A reader that went (`| head`) has what it wanted, so that is no error, and the exit status stays that of the command.

@throws {TestbedError} INPUT when the text cannot be written: the disk is full, the terminal is gone.
*/
export async function writeOut(given: string | Uint8Array): Promise<boolean> {
	guardStreams();
	const text = typeof given === 'string' ? visibleText(given) : given;
	try {
		if (isFile()) {
			// Not through the stream of Node, which ignores that a nearly full disk took a part only.
			writeAll(descriptor, text);
		} else {
			await writeToStream(text);
		}

		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EPIPE') {
			return false;
		}

		throw notWritten(error);
	}
}

/** Says something on standard error, so that nothing in it acts on a terminal but our own colours. Where that cannot be written, it is dropped. */
export function tell(text: string): void {
	guardStreams();
	try {
		process.stderr.write(visibleText(text));
	} catch {} // As asynchronous errors: nobody is left to be told.
}

/**
Writes all of it to a descriptor, which may take it in parts. Blocks the thread.

@throws {NodeJS.ErrnoException} as write(2) fails.
*/
export function writeAll(fd: number, data: string | Uint8Array): void {
	const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
	let done = 0;
	while (done < bytes.length) {
		done += writeSync(fd, bytes, done);
	}
}

/** What the system says of an error, without the name of the call: `no space left on device`. */
export function reasonOf(error: unknown): string {
	const {errno, message} = error as NodeJS.ErrnoException;
	return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}

/** Files and devices take everything at once; pipes, sockets and terminals belong to the event loop. */
function isFile(): boolean {
	const stats = fstatSync(descriptor);
	return stats.isFile() || stats.isBlockDevice() || (stats.isCharacterDevice() && !process.stdout.isTTY);
}

async function writeToStream(text: string | Uint8Array): Promise<void> {
	await new Promise<void>((resolve, reject) => {
		process.stdout.write(text, error => {
			if (error === null || error === undefined) {
				resolve();
			} else {
				// After the first failure the stream says only that it is closed.
				reject(failure ?? error);
			}
		});
	});
}

function notWritten(error: unknown): TestbedError {
	return new TestbedError('INPUT', {message: `The report cannot be written to standard output: ${reasonOf(error)}.`, cause: error});
}
