/**
Writes output files. A regular file is replaced atomically, so a crash leaves the old one; devices, FIFOs and descriptors are written to directly. Links, devices and file modes are never replaced.
*/

import {randomBytes} from 'node:crypto';
import {
	accessSync, closeSync, constants, fchmodSync, fchownSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync, type Stats,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {setTimeout as wait} from 'node:timers/promises';
import {visibleText} from '../../src/parsing/visible-text.js';
import {TestbedError} from '../errors.js';
import {reasonOf, writeAll, writeOut} from '../system/streams.js';
import {targetOf, type Target} from './target.js';

/** Words for messages: what is written (`The report`); the state if that fails; and what names the file, if no option does. */
export type OutputWords = {readonly what: string; readonly state: string; readonly named?: string};

/** The error for an output that cannot be written, with the same wording before and after the run. */
export function cannotWrite(file: string, reason: string, {what, state, named, cause}: OutputWords & {readonly cause?: unknown}): TestbedError {
	return new TestbedError('INPUT', {message: `${what} cannot be written to ${file === '-' ? 'standard output' : (file === '' ? '""' : file)}${named === undefined ? '' : `, ${named}`}: ${reason}.`, state, ...(cause === undefined ? {} : {cause})});
}

/**
Why a target cannot be written, as far as can be told without writing; undefined if it seems writable. A file without write permission is refused even for root: someone removed that permission on purpose.
*/
export function complaintOf(target: Target): string | undefined {
	if (target.kind === 'unusable') {
		return target.reason;
	}

	if (target.kind === 'descriptor') {
		return undefined;
	}

	if (target.kind === 'new') {
		return accessComplaint(path.dirname(target.real), constants.W_OK | constants.X_OK);
	}

	const mode = target.stats.mode & 0o7777;
	return (mode & 0o222) === 0 ? `it is read-only (mode ${mode.toString(8).padStart(4, '0')})` : accessComplaint(target.real, constants.W_OK);
}

/** Reports are likely to be shown on a terminal (`cat`), so control sequences are made visible. */
function visible(data: string | Uint8Array): string | Uint8Array {
	return typeof data === 'string' ? visibleText(data) : data;
}

function accessComplaint(file: string, mode: number): string | undefined {
	try {
		accessSync(file, mode);
		return undefined;
	} catch (error) {
		return reasonOf(error);
	}
}

/**
Writes an output file. A regular file is written synchronously, before the first await.

@throws {TestbedError} INPUT if it cannot be written; a regular file then keeps its old content.
*/
export async function writeOutput(file: string, given: string | Uint8Array, words: OutputWords): Promise<void> {
	const data = visible(given);
	const target = targetOf(file);
	const complaint = complaintOf(target);
	if (target.kind === 'unusable' || complaint !== undefined) {
		throw cannotWrite(file, complaint ?? '', words);
	}

	try {
		if (target.kind === 'new' || target.kind === 'file') {
			replaceFile(target, data);
		} else if (target.kind === 'descriptor' && target.fd === 1) {
			await writeOut(data);
		} else {
			await writeThrough(target.kind === 'descriptor' ? target.fd : target.real, data);
		}
	} catch (error) {
		throw error instanceof TestbedError ? error : cannotWrite(file, reasonOf(error), {...words, cause: error});
	}
}

/**
Appends to a file that others append to as well.

@throws {TestbedError} INPUT if it cannot be written.
*/
export async function appendOutput(file: string, given: string | Uint8Array, words: OutputWords): Promise<void> {
	const data = visible(given);
	const target = targetOf(file);
	if (target.kind !== 'new' && target.kind !== 'file') {
		await writeOutput(file, data, words);
		return;
	}

	const complaint = complaintOf(target);
	if (complaint !== undefined) {
		throw cannotWrite(file, complaint, words);
	}

	try {
		const fd = openSync(target.real, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o666);
		try {
			writeAll(fd, data);
		} finally {
			closeSync(fd);
		}
	} catch (error) {
		throw cannotWrite(file, reasonOf(error), {...words, cause: error});
	}
}

/** Replaces a file by renaming a draft beside it, on the same file system, so that readers see either the old file or the new one. */
function replaceFile(target: Extract<Target, {readonly kind: 'new'}> | Extract<Target, {readonly kind: 'file'}>, data: string | Uint8Array): void {
	const old = target.kind === 'file' ? target.stats : undefined;
	if (old !== undefined && !canBeReplaced(target.real, old)) {
		overwrite(target.real, data);
		return;
	}

	const draft = path.join(path.dirname(target.real), `.testbed-${process.pid}-${randomBytes(4).toString('hex')}.draft`);
	try {
		writeDraft(draft, data, old);
		renameSync(draft, target.real);
	} catch (error) {
		rmSync(draft, {force: true});
		// A file that is itself a mount point (as in containers) cannot be replaced.
		if (old !== undefined && (error as NodeJS.ErrnoException).code === 'EBUSY') {
			overwrite(target.real, data);
			return;
		}

		throw error;
	}
}

/** Whether it can be replaced without side effects: it has no other hard link, and its owner can be kept. */
function canBeReplaced(file: string, {nlink, uid, gid}: Stats): boolean {
	const isOwnerKept = process.geteuid!() === 0 || (uid === process.geteuid!() && gid === process.getegid!());
	return nlink === 1 && isOwnerKept && accessComplaint(path.dirname(file), constants.W_OK | constants.X_OK) === undefined;
}

function writeDraft(draft: string, data: string | Uint8Array, old: Stats | undefined): void {
	const fd = openSync(draft, 'wx');
	try {
		writeAll(fd, data);
		if (old !== undefined) {
			fchownSync(fd, old.uid, old.gid);
			fchmodSync(fd, old.mode & 0o7777);
		}

		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}

/** Overwrites a file in place. */
function overwrite(file: string, data: string | Uint8Array): void {
	const fd = openSync(file, constants.O_WRONLY | constants.O_NOFOLLOW);
	try {
		ftruncateSync(fd);
		writeAll(fd, data);
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}

const retryMs = 20; // Between checks whether a FIFO has a reader or room.

/** Writes to a device or FIFO, by name or descriptor. Waits without blocking the thread, so that signals are handled. A reader that closes early is not an error, as on standard output. */
async function writeThrough(place: string | number, data: string | Uint8Array): Promise<void> {
	const fd = typeof place === 'number' ? place : await openForWriting(place);
	try {
		const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
		let done = 0;
		while (done < bytes.length) {
			try {
				done += writeSync(fd, bytes, done);
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
					throw error;
				}

				await wait(retryMs); // eslint-disable-line no-await-in-loop -- Until there is room.
			}
		}
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EPIPE') {
			throw error;
		}
	} finally {
		if (typeof place !== 'number') {
			closeSync(fd);
		}
	}
}

/** Opens a device or FIFO. Opening a FIFO fails with ENXIO until it has a reader (fifo(7)); without O_NONBLOCK it would block the thread. */
async function openForWriting(file: string): Promise<number> {
	for (;;) {
		try {
			return openSync(file, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENXIO' || targetOf(file).kind !== 'device' || !isFifo(file)) {
				throw error;
			}

			await wait(retryMs); // eslint-disable-line no-await-in-loop -- Until there is a reader.
		}
	}
}

function isFifo(file: string): boolean {
	const target = targetOf(file);
	return target.kind === 'device' && target.stats.isFIFO();
}
