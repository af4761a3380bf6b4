/**
A recording → the result of its run or its runs, judged again from the kernel's own words. Needs no kernel.
*/

import type {RunEntry, Runs} from '../../src/report/run/many.js';
import type {Report} from '../../src/report/run/types.js';
import {TestbedError} from '../errors.js';
import {judgeEvidence, type RunEvidence} from '../run/report.js';
import {parseRecording, type RecordedEntry} from './file.js';

/** What a recording came to. */
export type Replayed = {readonly what: 'run'; readonly report: Report} | {readonly what: 'runs'; readonly runs: Runs};

/**
Judges a recording; `name` is its file's, for errors.

@throws {TestbedError} INPUT when it is no whole recording, or when it says something that no run says.
*/
export function replay(bytes: Uint8Array, name: string): Replayed {
	const recording = parseRecording(bytes, name);
	if (recording.what === 'run') {
		return {what: 'run', report: judged(recording.entries[0].evidence, name)};
	}

	const {entries, durationMs} = recording;
	return {what: 'runs', runs: {entries: entries.map(entry => entryOf(entry, name)), durationMs}};
}

function entryOf(entry: RecordedEntry, name: string): RunEntry {
	if (entry.kind !== 'evidence') {
		return entry;
	}

	const report = judged(entry.evidence, name);
	const {rules: {source, release, backend}, scenario} = report;
	return {
		kind: 'report', source, release, backend, report, ...(scenario === undefined ? {} : {scenario: scenario.name}),
	};
}

/** A program wrote all that is read here, and its checksum holds. What the judge stumbles over is therefore the file's: somebody made it by other means, or a testbed that says things differently. */
function judged(evidence: RunEvidence, name: string): Report {
	try {
		return judgeEvidence(evidence);
	} catch (error) {
		throw new TestbedError('INPUT', {
			message: `The recording ${name} is whole, and what it says cannot be judged: ${(error as Error).message}`, state: 'Nothing was judged.', hint: 'Was it written by this version of the testbed? Record it anew.', cause: error,
		});
	}
}
