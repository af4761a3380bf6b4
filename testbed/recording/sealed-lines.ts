/**
Sealed files: compressed JSON lines, of which the last has the checksum of all lines before it. Recordings and the files of shards are written like this.

Lines, so that `zcat` shows each part as one line of JSON; gzip, because parts of such a file are nearly the same text, and every machine can read it. A decompressed file is accepted as well.
*/

import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {gunzipSync, gzipSync} from 'node:zlib';
import {TestbedError} from '../errors.js';

/** The largest decompressed file. A recorded run takes some 100 kB, so this is far more than needed; it limits how much memory a damaged file can use. */
export const sealedBytesMax = 1 << 30;

/** A sealed file for messages: `The recording run.testbed`; what was not done because of it, and how to get another one. */
export type SealedWords = {readonly kind: string; readonly name: string; readonly state: string; readonly again: string};

function checksumOf(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}

/** Lines with their checksum, not compressed. */
export function sealedText(lines: readonly unknown[]): string {
	const text = lines.map(line => `${JSON.stringify(line)}\n`).join('');
	return `${text}${JSON.stringify({sha256: checksumOf(text)})}\n`;
}

/** Appends the checksum to lines and compresses them. */
export function sealLines(lines: readonly unknown[]): Uint8Array {
	return gzipSync(sealedText(lines));
}

/**
The text of a file, with its last line.

@throws {TestbedError} INPUT if it is too large, or what is compressed is damaged or truncated.
*/
export function decompressed(bytes: Uint8Array, {bytesMax = sealedBytesMax, ...words}: SealedWords & {readonly bytesMax?: number}): string {
	// The two bytes at the start of every gzip file (RFC 1952).
	if (bytes[0] !== 0x1F || bytes[1] !== 0x8B) {
		return Buffer.from(bytes).toString('utf8');
	}

	try {
		return gunzipSync(bytes, {maxOutputLength: bytesMax}).toString('utf8');
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		if (code === 'ERR_BUFFER_TOO_LARGE') {
			throw new TestbedError('INPUT', {message: `${words.name} is larger than ${bytesMax} bytes when decompressed, which is larger than any ${words.kind}.`, cause: error});
		}

		throw code === 'Z_BUF_ERROR' ? truncated(words, error) : damaged(words, message, error);
	}
}

/**
The lines of a decompressed file without the last, and the checksum in that.

@throws {TestbedError} INPUT if the last line is missing, or the checksum is not that of the other lines.
*/
export function unsealed(text: string, words: SealedWords): {readonly lines: readonly string[]; readonly sha256: string} {
	const seal = /\{"sha256":"(?<sha256>[\da-f]{64})"\}\n$/u.exec(text);
	if (seal === null) {
		throw truncated(words);
	}

	const body = text.slice(0, seal.index);
	const sha256 = seal.groups!['sha256']!;
	if (checksumOf(body) !== sha256) {
		throw damaged(words, 'its checksum does not match its contents');
	}

	return {lines: body.trimEnd().split('\n'), sha256};
}

/**
A line as JSON.

@throws {TestbedError} INPUT if it is not JSON.
*/
export function jsonOfLine(line: string, words: SealedWords): unknown {
	try {
		return JSON.parse(line);
	} catch (error) {
		throw damaged(words, 'a line is not JSON', error);
	}
}

/** The first line as JSON; undefined if it is not JSON. It is read before the seal is looked for, because it tells what kind of file this is, and of which version. */
export function headerOf(text: string): unknown {
	const [first = ''] = text.split('\n', 1);
	try {
		return JSON.parse(first);
	} catch {
		return undefined;
	}
}

function truncated({kind, name, state, again}: SealedWords, cause?: unknown): TestbedError {
	return new TestbedError('INPUT', {
		message: `The ${kind} ${name} is truncated: its end is missing.`, state, hint: `Copy it again completely, or ${again}.`, cause,
	});
}

/** The error for a file whose contents are not as they were written. */
export function damaged({kind, name, state, again}: SealedWords, what: string, cause?: unknown): TestbedError {
	return new TestbedError('INPUT', {
		message: `The ${kind} ${name} is damaged: ${what}.`, state, hint: `Copy it again, or ${again}.`, cause,
	});
}
