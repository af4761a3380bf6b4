/**
Judges a recorded run, or recorded runs, again from the recorded kernel output. Needs no kernel.
*/

import type {RunEntry, Runs} from '../../src/report/run/many.js';
import type {Report} from '../../src/report/run/types.js';
import {TestbedError} from '../errors.js';
import {judgeEvidence, type RunEvidence} from '../run/report.js';
import {parseRecording, type RecordedEntry} from './file.js';

/** The result of a replay. */
export type Replayed = {readonly what: 'run'; readonly report: Report} | {readonly what: 'runs'; readonly runs: Runs};

/**
Judges a recording; `name` is its file's, for errors.

@throws {TestbedError} INPUT if it is not a complete recording, or its contents cannot be judged.
*/
export function replay(bytes: Uint8Array, name: string): Replayed {
	const recording = parseRecording(bytes, name);
	if (recording.what === 'run') {
		return {what: 'run', report: judged(recording.entries[0].evidence, name)};
	}

	const {entries, durationMs} = recording;
	return {what: 'runs', runs: {entries: entries.map(entry => entryOf(entry, name)), durationMs}};
}

/**
Judges the result of one of many runs; `name` is its file's, for errors.

@throws {TestbedError} INPUT if it cannot be judged.
*/
export function entryOf(entry: RecordedEntry, name: string): RunEntry {
	if (entry.kind !== 'evidence') {
		return entry;
	}

	const report = judged(entry.evidence, name);
	const {rules: {source, release, backend}, scenario} = report;
	return {
		kind: 'report', source, release, backend, report, ...(scenario === undefined ? {} : {scenario: scenario.name}),
	};
}

/** The file was written by a program and its checksum matches, so any error while judging is due to its contents: it was made by other means, or by a testbed that records things differently. */
function judged(evidence: RunEvidence, name: string): Report {
	try {
		return judgeEvidence(evidence);
	} catch (error) {
		throw new TestbedError('INPUT', {
			message: `The recording ${name} is complete, but it cannot be judged: ${(error as Error).message}`, state: 'Nothing was judged.', hint: 'Record it again with this version of the testbed.', cause: error,
		});
	}
}
