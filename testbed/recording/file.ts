/**
Recordings as files. The first line is a header, then each run has one line with its question and evidence (`sealed-lines.ts` has the form of the file).
*/

import {Buffer} from 'node:buffer';
import type {TraceStream} from '../../src/netfilter/backends.js';
import type {KernelTexts} from '../../src/trace/loaded-rules.js';
import type {RunEntry} from '../../src/report/run/many.js';
import {TestbedError} from '../errors.js';
import type {RoundEvidence} from '../run/evidence.js';
import type {RunEvidence} from '../run/report.js';
import {commandLine} from '../system/program-name.js';
import {textsOf} from '../tracer/kernel-texts.js';
import {complaintAbout} from './schema.js';
import {
	damaged, decompressed, headerOf, jsonOfLine, sealLines, unsealed, type SealedWords,
} from './sealed-lines.js';

/** The version of the format that this testbed writes, and the newest that it reads. 2: the proxy asks its admin port and the agent on localhost (`topology.proxyAsks`), and closes connections to its own ports (`cut`). Older recordings have no `proxyAsks`, and none of this is expected of them. 3: a real Envoy can be the proxy (`environment.proxy`); its failed connections have no own end (`attempted`), and its user is watched (`watched`). 4: the owners of sockets are recorded by both ends of their packets; formerly two sockets with one source port could not be told apart. */
export const recordingVersion = 4;

/** The result of one of the runs: as in a report of many runs, with the evidence instead of the report. */
export type RecordedEntry =
	| {readonly kind: 'evidence'; readonly evidence: RunEvidence}
	| Exclude<RunEntry, {readonly kind: 'report'}>;

/** A recording of one run, or of many with their total duration. */
export type RunRecording =
	| {readonly what: 'run'; readonly entries: readonly [RecordedEntry & {readonly kind: 'evidence'}]}
	| {readonly what: 'runs'; readonly entries: readonly RecordedEntry[]; readonly durationMs: number};

const format = 'testbed-recording';

type Header = {readonly format: string; readonly version: number; readonly what: 'run' | 'runs'; readonly entries: number; readonly durationMs?: number};

function wordsOf(name: string): SealedWords {
	return {
		kind: 'recording', name, state: 'Nothing was judged.', again: 'record it again',
	};
}

/** A recording as the bytes of its file. */
export function printRecording(recording: RunRecording): Uint8Array {
	const {what, entries} = recording;
	const header: Header = {
		format, version: recordingVersion, what, entries: entries.length, ...(what === 'runs' ? {durationMs: recording.durationMs} : {}),
	};
	return sealLines([header, ...entries.map(entry => packedEntry(entry))]);
}

/**
Parses the bytes of a file. `name` is the file's, for errors. This checks that the recording is complete, unchanged and has all its parts; judging the evidence comes later.

@throws {TestbedError} INPUT if it is not a recording, has a newer version, is truncated, is damaged, or is too large.
*/
export function parseRecording(bytes: Uint8Array, name: string, bytesMax?: number): RunRecording {
	const words = wordsOf(name);
	const text = decompressed(bytes, {...words, ...(bytesMax === undefined ? {} : {bytesMax})});
	const {version, what, entries: count, durationMs} = readHeader(headerOf(text), name);
	if (version > recordingVersion) {
		throw new TestbedError('INPUT', {message: `${name} is a recording of version ${version}; this testbed reads up to version ${recordingVersion}.`, hint: 'Replay it with the version of the testbed that wrote it, or a newer one.'});
	}

	const entries = unsealed(text, words).lines.slice(1).map(line => readEntry(jsonOfLine(line, words), words));
	const [only] = entries;
	if (entries.length !== count) {
		throw damaged(words, `it should contain ${count} runs but contains ${entries.length}`);
	}

	if (what === 'runs' && typeof durationMs === 'number') {
		return {what, entries, durationMs};
	}

	if (what !== 'run' || only?.kind !== 'evidence' || entries.length > 1) {
		throw damaged(words, 'its header describes neither one run with evidence nor many runs with a duration');
	}

	return {what, entries: [only]};
}

/**
The lines of a recording as JSON, as they are in its file, without the checksum.

@throws {TestbedError} as {@link parseRecording}.
*/
export function recordingLines(bytes: Uint8Array, name: string): readonly unknown[] {
	parseRecording(bytes, name);
	const words = wordsOf(name);
	return unsealed(decompressed(bytes, words), words).lines.map(line => jsonOfLine(line, words));
}

function readHeader(line: unknown, name: string): Header {
	const header = line as Partial<Header> | null | undefined;
	if (header?.format !== format || typeof header.version !== 'number') {
		throw new TestbedError('INPUT', {message: `${name} is not a recording of the testbed.`, hint: `Create one: ${commandLine('run --record FILE')}`});
	}

	return header as Header;
}

/**
The result of a run from its line.

@throws {TestbedError} INPUT if a part is missing; `words` are those of its file.
*/
export function readEntry(entry: unknown, words: SealedWords): RecordedEntry {
	const complaint = complaintAbout(entry);
	if (complaint !== undefined) {
		throw damaged(words, complaint);
	}

	return unpackedEntry(entry as PackedEntry);
}

/** Evidence in JSON: bytes as hexadecimal text, which compresses better than base64 (where the same name has three spellings). */
type PackedRound = Omit<RoundEvidence, 'recording' | 'before' | 'after'> & {
	readonly before: KernelTexts;
	readonly after: KernelTexts;
	readonly overruns: number;
	readonly datagrams: ReadonlyArray<readonly [stream: TraceStream, bytes: string]>;
};
type PackedEvidence = Omit<RunEvidence, 'play'> & {readonly play: Omit<RunEvidence['play'], 'rounds'> & {readonly rounds: readonly PackedRound[]}};
/** A line of a recording. */
export type PackedEntry = {readonly kind: 'evidence'; readonly evidence: PackedEvidence} | Exclude<RecordedEntry, {readonly kind: 'evidence'}>;

/**
The line of a run, ready for `JSON.stringify`.

@throws {RangeError} if the evidence was not gathered for a recording.
*/
export function packedEntry(entry: RecordedEntry): PackedEntry {
	return entry.kind === 'evidence' ? {...entry, evidence: packed(entry.evidence)} : entry;
}

function packed({play: run, ...evidence}: RunEvidence): PackedEvidence {
	return {
		...evidence,
		play: {
			...run,
			rounds: run.rounds.map(({recording: {datagrams, overruns}, before, after, ...round}) => ({
				before: textsOf(before), after: textsOf(after), ...round, overruns, datagrams: datagrams.map(({stream, bytes}) => [stream, Buffer.from(bytes).toString('hex')] as const),
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
