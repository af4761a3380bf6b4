/**
`testbed replay`: judges a recorded run again.
*/

import {exitStatusOfRun} from '../../../src/report/run/summary.js';
import {exitStatusOfRuns} from '../../../src/report/run/many.js';
import {readBytes} from '../../inputs/read-text.js';
import {sealedBytesMax} from '../../recording/sealed-lines.js';
import {replay} from '../../recording/replay.js';
import {checkOutputFlags} from '../output/output-files.js';
import type {PrintFlags} from '../output/destinations.js';
import {writeReport, writeRuns} from '../output/write-runs.js';

/**
Judges a recording (`-` is standard input) and prints as the run did; returns the exit status that the run had.

@throws {TestbedError} INPUT if it cannot be read or judged, or the report cannot be written.
*/
export async function replayCommand(file: string, flags: PrintFlags): Promise<number> {
	checkOutputFlags(flags, [{name: 'the recording', file}]);
	const replayed = replay(read(file), file === '-' ? 'standard input' : file);
	if (replayed.what === 'run') {
		await writeReport(replayed.report, flags);
		return exitStatusOfRun(replayed.report);
	}

	await writeRuns(replayed.runs, flags);
	return exitStatusOfRuns(replayed.runs);
}

function read(file: string): Uint8Array {
	return readBytes({
		file, what: 'The recording', bytesMax: sealedBytesMax,
	});
}
