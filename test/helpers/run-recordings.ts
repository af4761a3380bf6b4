/**
Recordings of whole runs in test/recordings, as `testbed run --record` wrote them. They are never written again, because later versions must understand what earlier ones recorded.
*/

import {readFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {printRecording, parseRecording} from '../../testbed/recording/file.js';
import type {RunEvidence} from '../../testbed/run/report.js';
import {replay, type Replayed} from '../../testbed/recording/replay.js';
import type {Report} from '../../src/report/run/types.js';

/** Their names: by version of the format and by what was run. */
export const runRecordingNames = ['run-1-iptables-nft', 'run-1-iptables-legacy', 'run-1-nftables', 'run-1-scenarios'] as const;

/** The bytes of one. */
export function bytesOf(name: typeof runRecordingNames[number]): Uint8Array {
	return readFileSync(path.join(process.cwd(), 'test', 'recordings', `${name}.testbed`));
}

/** The evidence of a recording of one run. */
export function evidenceOf(name: Exclude<typeof runRecordingNames[number], 'run-1-scenarios'>): RunEvidence {
	const recording = parseRecording(bytesOf(name), name);
	return (recording.entries[0] as typeof recording.entries[0] & {kind: 'evidence'}).evidence;
}

/** Writes evidence as a file and replays that. */
export function replayEvidence(evidence: RunEvidence): Report {
	return reportIn(replay(printRecording({what: 'run', entries: [{kind: 'evidence', evidence}]}), 'a recording'));
}

/** The report of a replay of one run. */
export function reportIn(replayed: Replayed): Report {
	if (replayed.what !== 'run') {
		throw new TypeError('That is a recording of many runs.');
	}

	return replayed.report;
}
