/**
The one reader of text that a user names: rules, scenarios, manifests, baselines, batches. What is no text is told here, in one way, and nothing of it is shown.
*/

import {Buffer} from 'node:buffer';
import {
	closeSync, fstatSync, openSync, readSync, type Stats,
} from 'node:fs';
import {open, type FileHandle} from 'node:fs/promises';
import process from 'node:process';
import {createInterface} from 'node:readline';
import type {Readable} from 'node:stream';
import {TestbedError} from '../errors.js';

/** Longest text that is read: some 800,000 rules. */
export const textBytesMax = 64 * 1024 * 1024;

/** What is being read, for messages. */
export type TextSource = {
	/** The file, or `-` for standard input. */
	readonly file: string;
	/** What its text is: `The rules`, `The scenario`. */
	readonly what: string;
	/** The option or argument that names it, for an empty one: `--rules`. */
	readonly option?: string | undefined;
	/** What to do when it cannot be read. */
	readonly hint?: string | undefined;
	/** Colours of a terminal are left out before the text is looked at: logs have them. */
	readonly hasColors?: boolean;
	/** The longest text, for tests. */
	readonly bytesMax?: number;
};

/** A style of a terminal switched on or off (ECMA-48, SGR). */
const colorPattern = /\u001B\[[\d;:]*m/gu; // eslint-disable-line no-control-regex -- Styles begin with one.

/** What the blanks of a text are: the tabulator, line ends, and the form feed that some tools print. */
const controlPattern = /[^\P{Cc}\t\n\f\r]/u;

/**
The text of a file or of standard input, without a byte order mark.

@throws {TestbedError} USAGE for an empty name; INPUT for what is not there, is a folder or a device, is too long, is empty, or is no UTF-8 text.
*/
export function readText(source: TextSource): string {
	const {file, what} = source;
	if (file === '') {
		throw new TestbedError('USAGE', {message: `${source.option ?? `The name of ${what.toLowerCase()}`} is empty (an unset variable?).`});
	}

	return textOf(readBytes(source), source);
}

/**
The bytes of a file or of standard input.

@throws {TestbedError} INPUT for what is not there, is a folder or a device, or is too long.
*/
export function readBytes({file, what, hint, bytesMax = textBytesMax}: TextSource): Buffer {
	const name = nameOf(file);
	let descriptor: number | undefined;
	try {
		descriptor = file === '-' ? 0 : openSync(file, 'r');
		refuseNoFile(fstatSync(descriptor), {file, hint});
		return readAll(descriptor, {bytesMax, name});
	} catch (error) {
		throw error instanceof TestbedError ? error : unreadable(`${what} cannot be read: ${reasonOf(error, name)}.`, {hint, cause: error});
	} finally {
		if (descriptor !== undefined && descriptor !== 0) {
			closeSync(descriptor);
		}
	}
}

/**
The lines of a file or of standard input as they come, without a byte order mark. What waits for a pipe's writer waits without holding anything else up, until `signal`: somebody may be typing.

@throws {TestbedError} USAGE for an empty name; INPUT as {@link readText}, with the line.
*/
export async function * readLines({file, what, option, hint, signal}: TextSource & {readonly signal?: AbortSignal}): AsyncGenerator<string> {
	if (file === '') {
		throw new TestbedError('USAGE', {message: `${option ?? `The name of ${what.toLowerCase()}`} is empty (an unset variable?).`});
	}

	const name = nameOf(file);
	const input = await openStream({file, what, hint});
	let number = 0;
	try {
		for await (const line of createInterface({input, crlfDelay: Number.POSITIVE_INFINITY, ...(signal === undefined ? {} : {signal})})) {
			number++;
			const text = number === 1 ? line.replace(/^\uFEFF/u, '') : line;
			refuseNoText(text, {name, number});
			yield text;
		}
	} finally {
		input.destroy(); // Who writes into standard input may be slow to end, and would keep the process.
	}
}

function refuseNoText(text: string, {name, number}: {readonly name: string; readonly number: number}): void {
	const place = text.search(controlPattern);
	const broken = text.indexOf('\uFFFD');
	if (place !== -1 && number === 1 && /^\uFFFD\uFFFD|^.?\0/u.test(text)) {
		throw new TestbedError('INPUT', {message: `${name} is UTF-16, as PowerShell writes it; save it as UTF-8.`});
	}

	if (place !== -1 || broken !== -1) {
		throw noText({name, line: number, column: (place === -1 ? broken : place) + 1}, place === -1 ? 'bytes that are no UTF-8' : nameOfControl(text, place));
	}
}

async function openStream({file, what, hint}: Pick<TextSource, 'file' | 'what' | 'hint'>): Promise<Readable> {
	if (file === '-') {
		return process.stdin;
	}

	let handle: FileHandle | undefined;
	try {
		handle = await open(file, 'r');
		refuseNoFile(await handle.stat(), {file, hint});
		return handle.createReadStream();
	} catch (error) {
		await handle?.close();
		throw error instanceof TestbedError ? error : unreadable(`${what} cannot be read: ${reasonOf(error, file)}.`, {hint, cause: error});
	}
}

function refuseNoFile(stat: Pick<Stats, 'isDirectory' | 'isBlockDevice' | 'isCharacterDevice'>, {file, hint}: {readonly file: string; readonly hint: string | undefined}): void {
	if (stat.isDirectory()) {
		throw unreadable(`${nameOf(file)} is a folder; a file is due.`, {hint});
	}

	if (stat.isBlockDevice() || (stat.isCharacterDevice() && file !== '-')) {
		throw unreadable(`${nameOf(file)} is a device; a file, a pipe or - (standard input) is due.`, {hint});
	}
}

/**
Bytes as text.

@throws {TestbedError} INPUT, with the line where there is one, for what is no UTF-8 text.
*/
export function textOf(bytes: Uint8Array, {file, hasColors = false, hint}: TextSource): string {
	const name = nameOf(file);
	refuseUtf16(bytes, name);
	let decoded: string;
	try {
		decoded = new TextDecoder('utf8', {fatal: true}).decode(bytes);
	} catch {
		const lossy = new TextDecoder().decode(bytes);
		throw noText(placeIn(lossy, lossy.indexOf('\uFFFD'), name), 'bytes that are no UTF-8');
	}

	const text = hasColors ? decoded.replaceAll(colorPattern, '') : decoded;
	if (text.trim() === '') {
		throw new TestbedError('INPUT', {message: `${name} ${file === '-' ? 'had nothing in it: nothing came through the pipe' : 'is empty'}.`, ...(hint === undefined ? {} : {hint})});
	}

	const place = text.search(controlPattern);
	if (place !== -1) {
		throw noText(placeIn(text, place, name), nameOfControl(text, place));
	}

	return text;
}

/** The name of a file for messages. */
export function nameOf(file: string): string {
	return file === '-' ? 'standard input' : file;
}

/** Why a file could not be opened or read, in a sentence without the words of the system call. */
export function reasonOf(error: unknown, name: string): string {
	const {code, message} = error as NodeJS.ErrnoException;
	const reasons: Readonly<Record<string, string>> = {
		ENOENT: `${name}: no such file`,
		ENOTDIR: `${name}: no such file`,
		EACCES: `${name}: not allowed to read it`,
		EPERM: `${name}: not allowed to read it`,
		EISDIR: `${name} is a folder`,
		ELOOP: `${name}: a link that leads to itself`,
		ENAMETOOLONG: 'the name of the file is too long',
		ENXIO: `${name} is a socket or a device; a file is due`,
	};
	return (code === undefined ? undefined : reasons[code]) ?? message;
}

function unreadable(message: string, {hint, cause}: {readonly hint?: string | undefined; readonly cause?: unknown}): TestbedError {
	return new TestbedError('INPUT', {message, ...(hint === undefined ? {} : {hint}), ...(cause === undefined ? {} : {cause})});
}

/** A pipe has no length, so all is read until its end, or until it is too much. */
function readAll(descriptor: number, {bytesMax, name}: {readonly bytesMax: number; readonly name: string}): Buffer {
	const parts: Buffer[] = [];
	let length = 0;
	for (;;) {
		const part = Buffer.allocUnsafe(65_536);
		const count = readSync(descriptor, part);
		if (count === 0) {
			return Buffer.concat(parts);
		}

		length += count;
		if (length > bytesMax) {
			throw new TestbedError('INPUT', {message: `${name} is longer than ${bytesMax} bytes, the most that is read.`});
		}

		parts.push(part.subarray(0, count));
	}
}

/** Windows PowerShell writes UTF-16 with `>`; without its mark every other byte of plain text is 0. */
function refuseUtf16(bytes: Uint8Array, name: string): void {
	const [first, second] = bytes;
	const head = bytes.subarray(0, 1024);
	const zeros = [0, 1].map(start => head.filter((byte, index) => index % 2 === start && byte === 0).length);
	const half = Math.floor(head.length / 2);
	const hasMark = (first === 0xFF && second === 0xFE) || (first === 0xFE && second === 0xFF);
	if (hasMark || (half > 3 && zeros.some((count, start) => count > half * 0.7 && zeros[1 - start]! < half * 0.1))) {
		throw new TestbedError('INPUT', {message: `${name} is UTF-16, as PowerShell writes it; save it as UTF-8.`});
	}
}

type TextPlace = {readonly name: string; readonly line: number; readonly column: number};

function placeIn(text: string, offset: number, name: string): TextPlace {
	const before = text.slice(0, Math.max(0, offset)).split('\n');
	return {name, line: before.length, column: (before.at(-1)?.length ?? 0) + 1};
}

function nameOfControl(text: string, offset: number): string {
	return `the control character U+${text.codePointAt(offset)!.toString(16).toUpperCase().padStart(4, '0')}`;
}

function noText({name, line, column}: TextPlace, reason: string): TestbedError {
	return new TestbedError('INPUT', {message: `${name}: line ${line}, column ${column}: not a text: ${reason}.`});
}
