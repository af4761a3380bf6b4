/**
Standard output and standard error of the program, with the error handling for all commands: a reader that stops reading is not an error, a full disk is an error with a message, and errors on standard error are ignored.
*/

import {fstatSync, writeSync} from 'node:fs';
import process from 'node:process';
import {getSystemErrorMap} from 'node:util';
import {visibleText} from '../../src/parsing/visible-text.js';
import {TestbedError} from '../errors.js';

const descriptor = 1;
let isGuarded = false;
/** Whether the last line of the terminal is one that {@link rewriteLine} wrote. */
let isRewritable = false;
/** Why standard output can no longer be written. */
let failure: NodeJS.ErrnoException | undefined;

/**
Handles errors of both streams, once for the whole process: Node ends a process with a stack trace on a stream error without a listener. {@link writeOut} reports errors of standard output; errors of standard error cannot be reported anywhere.
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
Writes to standard output, with control sequences in text made visible except our own colors. Resolves once everything is written (exiting earlier loses what a pipe has not yet taken), with whether the reader is still there. A reader that closes early (`| head`) is not an error, and the exit status stays that of the command.

@throws {TestbedError} INPUT if the text cannot be written: the disk is full, the terminal is gone.
*/
export async function writeOut(given: string | Uint8Array): Promise<boolean> {
	guardStreams();
	const text = typeof given === 'string' ? visibleText(given) : given;
	if (process.stdout.isTTY) {
		eraseLine();
	}

	try {
		if (isFile()) {
			// Not through Node's stream, which ignores partial writes to a nearly full disk.
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

/** Writes to standard error, with control sequences made visible except our own colors. Errors are ignored. */
export function tell(text: string): void {
	guardStreams();
	eraseLine();
	try {
		process.stderr.write(visibleText(text));
	} catch {} // Ignored like asynchronous errors: there is nowhere to report them.
}

/** Rewrites the last line of a terminal, on standard error: replaces it with `text`, without a line end, so that the next text replaces it again. */
export function rewriteLine(text: string): void {
	guardStreams();
	try {
		process.stderr.write(`\r\u{1B}[K${visibleText(text)}`);
	} catch {} // As in `tell`.

	isRewritable = text !== '';
}

/** Makes room for other text on the line that {@link rewriteLine} wrote last. */
function eraseLine(): void {
	if (isRewritable) {
		rewriteLine('');
	}
}

/** The columns of standard error, if it is a terminal on which a line can be rewritten. */
export function terminalColumns(): number | undefined {
	return process.stderr.isTTY && process.env['TERM'] !== 'dumb' ? process.stderr.columns : undefined;
}

/**
Writes all data to a descriptor, in parts if necessary. Blocks the thread.

@throws {NodeJS.ErrnoException} as write(2) fails.
*/
export function writeAll(fd: number, data: string | Uint8Array): void {
	const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
	let done = 0;
	while (done < bytes.length) {
		done += writeSync(fd, bytes, done);
	}
}

/** The system's description of an error, without the name of the call: `no space left on device`. */
export function reasonOf(error: unknown): string {
	const {errno, message} = error as NodeJS.ErrnoException;
	return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}

/** Whether to write synchronously: to files and devices. Pipes, sockets and terminals go through the event loop. */
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
				// After the first failure the stream only reports that it is closed.
				reject(failure ?? error);
			}
		});
	});
}

function notWritten(error: unknown): TestbedError {
	return new TestbedError('INPUT', {message: `The report cannot be written to standard output: ${reasonOf(error)}.`, cause: error});
}
