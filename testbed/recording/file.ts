/**
Recordings as files: JSON lines, compressed. The first line says what it is, one line for each run holds its question and its evidence, and the last has the checksum of all before it.

Lines, so that a run is a line to `zcat` and whatever reads JSON; gzip, because listings before and after are nearly the same text (a run takes a tenth of its size, measured) and every machine can read it. A file that somebody has decompressed is read as well.
*/

import {Buffer} from 'node:buffer';
import {createHash} from 'node:crypto';
import {gunzipSync, gzipSync} from 'node:zlib';
import type {RunEntry} from '../../src/report/run/many.js';
import {TestbedError} from '../errors.js';
import type {RoundEvidence} from '../run/evidence.js';
import type {RunEvidence} from '../run/report.js';
import {complaintAbout} from './schema.js';

/** The version of the format that this testbed writes, and the newest that it reads. */
export const recordingVersion = 1;

/** What came of one of the runs: as in a report of many, with the evidence in the report's place. */
export type RecordedEntry =
	| {readonly kind: 'evidence'; readonly evidence: RunEvidence}
	| Exclude<RunEntry, {readonly kind: 'report'}>;

/** A recording: of one run, or of many with the time that all of them took. */
export type RunRecording =
	| {readonly what: 'run'; readonly entries: readonly [RecordedEntry & {readonly kind: 'evidence'}]}
	| {readonly what: 'runs'; readonly entries: readonly RecordedEntry[]; readonly durationMs: number};

/** Decompressed, a run has some 100 kB. This is far more than anybody has a use for, and a limit to what a damaged file can ask for. */
export const recordingBytesMax = 1 << 30;

const format = 'testbed-recording';

type Header = {readonly format: string; readonly version: number; readonly what: 'run' | 'runs'; readonly entries: number; readonly durationMs?: number};

function checksumOf(text: string): string {
	return createHash('sha256').update(text).digest('hex');
}

/** A recording as the bytes of its file. */
export function printRecording(recording: RunRecording): Uint8Array {
	const {what, entries} = recording;
	const header: Header = {
		format, version: recordingVersion, what, entries: entries.length, ...(what === 'runs' ? {durationMs: recording.durationMs} : {}),
	};
	return sealLines([header, ...entries.map(entry => entry.kind === 'evidence' ? {...entry, evidence: packed(entry.evidence)} : entry)]);
}

/** Lines with their checksum, compressed. Apart from {@link printRecording}, so that tests can seal what no run records. */
export function sealLines(lines: readonly unknown[]): Uint8Array {
	const text = lines.map(line => `${JSON.stringify(line)}\n`).join('');
	return gzipSync(`${text}${JSON.stringify({sha256: checksumOf(text)})}\n`);
}

/**
The bytes of a file → the recording. `name` is the file's, for errors. That it is whole, unchanged and has all its parts is looked at here; what these say is for the judge.

@throws {TestbedError} INPUT for what is no recording, is of a newer version, is cut off, is damaged, or is too large.
*/
export function parseRecording(bytes: Uint8Array, name: string, bytesMax = recordingBytesMax): RunRecording {
	const text = decompressed(bytes, name, bytesMax);
	const [first = ''] = text.split('\n', 1);
	const {version, what, entries: count, durationMs} = readHeader(first, name);
	if (version > recordingVersion) {
		throw new TestbedError('INPUT', {message: `${name} is a recording of version ${version}; this testbed reads version ${recordingVersion}.`, hint: 'Replay it with the testbed that wrote it, or a newer one.'});
	}

	const seal = /\{"sha256":"(?<sha256>[\da-f]{64})"\}\n$/u.exec(text);
	if (seal === null) {
		throw cutOff(name);
	}

	const body = text.slice(0, seal.index);
	if (checksumOf(body) !== seal.groups!['sha256']) {
		throw damaged(name, 'its checksum is of something else than what it holds');
	}

	const entries = body.trimEnd().split('\n').slice(1).map(line => readEntry(line, name));
	const [only] = entries;
	if (entries.length !== count) {
		throw damaged(name, `it should hold ${count} runs and holds ${entries.length}`);
	}

	if (what === 'runs' && typeof durationMs === 'number') {
		return {what, entries, durationMs};
	}

	if (what !== 'run' || only?.kind !== 'evidence' || entries.length > 1) {
		throw damaged(name, 'it says neither that it holds one run, with its evidence, nor that it holds many, with their time');
	}

	return {what, entries: [only]};
}

function decompressed(bytes: Uint8Array, name: string, bytesMax: number): string {
	// The two bytes that each gzip file begins with (RFC 1952).
	if (bytes[0] !== 0x1F || bytes[1] !== 0x8B) {
		return Buffer.from(bytes).toString('utf8');
	}

	try {
		return gunzipSync(bytes, {maxOutputLength: bytesMax}).toString('utf8');
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		if (code === 'ERR_BUFFER_TOO_LARGE') {
			throw new TestbedError('INPUT', {message: `${name} has more than ${bytesMax} bytes when it is decompressed: no recording has.`, cause: error});
		}

		throw code === 'Z_BUF_ERROR' ? cutOff(name, error) : damaged(name, message, error);
	}
}

function readHeader(line: string, name: string): Header {
	let header: Partial<Header> | null = null;
	try {
		header = JSON.parse(line) as Partial<Header> | null;
	} catch {} // What is no JSON is no recording.

	if (header?.format !== format || typeof header.version !== 'number') {
		throw new TestbedError('INPUT', {message: `${name} is no recording of the testbed.`, hint: 'testbed run --record FILE makes one.'});
	}

	return header as Header;
}

function readEntry(line: string, name: string): RecordedEntry {
	let entry: unknown;
	try {
		entry = JSON.parse(line);
	} catch (error) {
		throw damaged(name, 'a line of it is no JSON', error);
	}

	const complaint = complaintAbout(entry);
	if (complaint !== undefined) {
		throw damaged(name, complaint);
	}

	return unpackedEntry(entry as PackedEntry);
}

function cutOff(name: string, cause?: unknown): TestbedError {
	return new TestbedError('INPUT', {
		message: `The recording ${name} is cut off: its end is missing.`, state: 'Nothing was judged.', hint: 'Copy it again, whole, or record it anew.', cause,
	});
}

function damaged(name: string, what: string, cause?: unknown): TestbedError {
	return new TestbedError('INPUT', {
		message: `The recording ${name} is damaged: ${what}.`, state: 'Nothing was judged.', hint: 'Copy it again, or record it anew.', cause,
	});
}

/** Evidence as JSON has it: bytes as hexadecimal text, which gzip packs better than base64 (there the same name has three spellings). */
type PackedRound = Omit<RoundEvidence, 'recording'> & {
	readonly overruns: number;
	readonly datagrams: ReadonlyArray<readonly [stream: 'nft' | 'nflog', bytes: string]>;
};
type PackedEvidence = Omit<RunEvidence, 'play'> & {readonly play: Omit<RunEvidence['play'], 'rounds'> & {readonly rounds: readonly PackedRound[]}};
type PackedEntry = {readonly kind: 'evidence'; readonly evidence: PackedEvidence} | Exclude<RecordedEntry, {readonly kind: 'evidence'}>;

function packed({play: run, ...evidence}: RunEvidence): PackedEvidence {
	return {
		...evidence,
		play: {
			...run,
			rounds: run.rounds.map(({recording: {datagrams, overruns}, ...round}) => ({
				...round, overruns, datagrams: datagrams.map(({stream, bytes}) => [stream, Buffer.from(bytes).toString('hex')] as const),
			})),
		},
	};
}

function unpackedEntry(entry: PackedEntry): RecordedEntry {
	if (entry.kind !== 'evidence') {
		return entry;
	}

	const {play: run, ...evidence} = entry.evidence;
	return {
		kind: 'evidence',
		evidence: {
			...evidence,
			play: {
				...run,
				rounds: run.rounds.map(({overruns, datagrams, ...round}) => ({
					...round, recording: {overruns, datagrams: datagrams.map(([stream, bytes]) => ({stream, bytes: new Uint8Array(Buffer.from(bytes, 'hex'))}))},
				})),
			},
		},
	};
}
