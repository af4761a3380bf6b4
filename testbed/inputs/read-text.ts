/**
Reads all text that a user names: rules, scenarios, manifests, baselines, batches. Anything that is not text is reported here, in one way, without quoting it.
*/

import {Buffer} from 'node:buffer';
import {
	closeSync, createReadStream, fstatSync, openSync, readSync, type Stats,
} from 'node:fs';
import {open, stat, type FileHandle} from 'node:fs/promises';
import process from 'node:process';
import {createInterface} from 'node:readline';
import type {Readable} from 'node:stream';
import {withoutTerminalCodes} from '../../src/parsing/terminal-codes.js';
import {TestbedError} from '../errors.js';

/** Longest text that is read, in bytes: some 800,000 rules. */
export const textBytesMax = 64 * 1024 * 1024;

/** What is being read, for messages. */
export type TextSource = {
	/** The file, or `-` for standard input. */
	readonly file: string;
	/** What its text is: `The rules`, `The scenario`. */
	readonly what: string;
	/** The option or argument that names it, for the error about an empty name: `--rules`. */
	readonly option?: string | undefined;
	/** What to do when it cannot be read. */
	readonly hint?: string | undefined;
	/** Whether to strip terminal sequences (colors, titles) before checking the text: logs and copied sessions have them. */
	readonly hasColors?: boolean;
	/** The longest text, for tests. */
	readonly bytesMax?: number;
};

/** Control characters that text must not have: all but tab, line ends, and the form feed that some tools print. */
const controlPattern = /[^\P{Cc}\t\n\f\r]/u;

/**
The text of a file or of standard input, without a byte order mark.

@throws {TestbedError} USAGE for an empty name; INPUT if the file is missing, a folder, a device, too long, empty, or not UTF-8 text.
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

@throws {TestbedError} INPUT if the file is missing, a folder, a device, or too long.
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
The lines of a file or of standard input as they arrive, without a byte order mark. Waiting for a pipe's writer (someone may be typing) does not block anything else and ends with `signal`.

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
		input.destroy(); // The writer of standard input may be slow to end and would keep the process alive.
	}
}

/** How many lines of a file are not blank, for progress; undefined for what cannot be read twice, such as a pipe. */
export async function countLines(file: string, signal: AbortSignal): Promise<number | undefined> {
	try {
		const found = file === '-' ? undefined : await stat(file);
		if (found?.isFile() !== true) {
			return undefined;
		}

		let lines = 0;
		let isBlank = true;
		for await (const bytes of createReadStream(file, {signal}) as AsyncIterable<Buffer>) {
			for (let at = 0; at < bytes.length;) {
				if (isBlank && blanks.has(bytes[at]!)) {
					at++;
					continue;
				}

				lines += Number(isBlank);
				const end = bytes.indexOf(lineFeed, at);
				isBlank = end !== -1;
				at = isBlank ? end + 1 : bytes.length;
			}
		}

		return lines;
	} catch {
		return undefined; // Whoever reads it for its lines says what is wrong.
	}
}

const lineFeed = 10;
const blanks: ReadonlySet<number> = new Set(Buffer.from(' \t\v\f\r\n'));

function refuseNoText(text: string, {name, number}: {readonly name: string; readonly number: number}): void {
	const place = text.search(controlPattern);
	const broken = text.indexOf('\uFFFD');
	if (place !== -1 && number === 1 && /^\uFFFD\uFFFD|^.?\0/u.test(text)) {
		throw new TestbedError('INPUT', {message: `${name} is UTF-16, as PowerShell writes it; save it as UTF-8.`});
	}

	if (place !== -1 || broken !== -1) {
		throw noText({name, line: number, column: (place === -1 ? broken : place) + 1}, place === -1 ? 'bytes that are not UTF-8' : nameOfControl(text, place));
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
		throw unreadable(`${nameOf(file)} is a folder; expected a file.`, {hint});
	}

	if (stat.isBlockDevice() || (stat.isCharacterDevice() && file !== '-')) {
		throw unreadable(`${nameOf(file)} is a device; expected a file, a pipe, or - (standard input).`, {hint});
	}
}

/**
Decodes bytes as text.

@throws {TestbedError} INPUT, with the line if there is one, for anything that is not UTF-8 text.
*/
export function textOf(bytes: Uint8Array, {file, hasColors = false, hint}: TextSource): string {
	const name = nameOf(file);
	refuseUtf16(bytes, name);
	let decoded: string;
	try {
		decoded = new TextDecoder('utf8', {fatal: true}).decode(bytes);
	} catch {
		const lossy = new TextDecoder().decode(bytes);
		throw noText(placeIn(lossy, lossy.indexOf('\uFFFD'), name), 'bytes that are not UTF-8');
	}

	const text = hasColors ? withoutTerminalCodes(decoded) : decoded;
	if (text.trim() === '') {
		throw new TestbedError('INPUT', {message: `${name} is empty${file === '-' ? ': nothing came through the pipe' : ''}.`, ...(hint === undefined ? {} : {hint})});
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

/** Why a file could not be opened or read, in plain words instead of the system call's. */
export function reasonOf(error: unknown, name: string): string {
	const {code, message} = error as NodeJS.ErrnoException;
	const reasons: Readonly<Record<string, string>> = {
		ENOENT: `${name}: no such file`,
		ENOTDIR: `${name}: no such file`,
		EACCES: `${name}: no permission to read it`,
		EPERM: `${name}: no permission to read it`,
		EISDIR: `${name} is a folder`,
		ELOOP: `${name} is a link to itself`,
		ENAMETOOLONG: 'the file name is too long',
		ENXIO: `${name} is a socket or a device; expected a file`,
	};
	return (code === undefined ? undefined : reasons[code]) ?? message;
}

function unreadable(message: string, {hint, cause}: {readonly hint?: string | undefined; readonly cause?: unknown}): TestbedError {
	return new TestbedError('INPUT', {message, ...(hint === undefined ? {} : {hint}), ...(cause === undefined ? {} : {cause})});
}

/** Reads to the end, up to `bytesMax`: a pipe has no length to check beforehand. */
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
			throw new TestbedError('INPUT', {message: `${name} is longer than the limit of ${bytesMax} bytes.`});
		}

		parts.push(part.subarray(0, count));
	}
}

/** Windows PowerShell writes UTF-16 with `>`. Without a byte order mark, every other byte of plain text is 0. */
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
	return new TestbedError('INPUT', {message: `${name}: line ${line}, column ${column}: this is not text: ${reason}.`});
}
