/**
The report of all shards of `testbed run`: the evidence of each run is judged again, as in a replay.
*/

import type {Gathered, ShardFile} from '../../../src/sharding/gather.js';
import {normalizeReport} from '../../../src/sharding/normalize.js';
import {reportToJson} from '../../../src/report/run/json.js';
import {exitStatusOfRuns, type RunEntry, type Runs} from '../../../src/report/run/many.js';
import {exitStatusOfRun} from '../../../src/report/run/summary.js';
import {printRecording, readEntry, type RecordedEntry} from '../../recording/file.js';
import {entryOf} from '../../recording/replay.js';
import {writeOutput} from '../../outputs/write.js';
import {wordsOfShardFile} from '../../shards/file.js';
import type {PrintFlags} from '../output/destinations.js';
import {writeReport, writeRuns} from '../output/write-runs.js';
import {arrangeEntries, type RunNames} from './run-entries.js';
import type {RunFrame} from './run-shard.js';

/** A result with the evidence that it was judged by. */
type Judged = {readonly recorded: RecordedEntry; readonly entry: RunEntry};

/**
A file whose results are judged.

@throws {TestbedError} INPUT if a result has not all its parts, or cannot be judged.
*/
export function judgedFile(file: ShardFile): ShardFile {
	return {...file, pieces: file.pieces.map(piece => ({...piece, result: judged(piece.result, file.name)}))};
}

/** The text of a run's judged result without what differs from run to run. */
export function keyOfRun(result: unknown): string {
	const {entry} = result as Judged;
	return normalizeReport(JSON.stringify(entry.kind === 'report' ? reportToJson(entry.report) : entry));
}

/** Prints the report, writes a recording if one is asked for, and returns the exit status. */
export async function mergeRuns({question: {plan}, results, missing, files, durationMs}: Gathered, flags: PrintFlags & {readonly record?: string}): Promise<number> {
	const reasons = new Map(missing.map(({id, reason}) => [id, reason]));
	const all = plan.map(({id, about}): Judged => {
		const result = results.get(id);
		if (result !== undefined) {
			return result.result as Judged;
		}

		const entry = {...about as RunNames, kind: 'inconclusive', reason: reasons.get(id)!} as const;
		return {entry, recorded: entry};
	});
	const frame = files.map(({header}) => header.frame as RunFrame | null).find(one => one !== null);
	const entries = arrangeEntries(frame?.missing ?? [], all.map(({entry}) => entry));
	const runs: Runs = {entries, durationMs};
	const [only] = all;
	const isSingle = frame?.isSingle === true && only?.entry.kind === 'report' && only.recorded.kind === 'evidence';
	await (isSingle && only.entry.kind === 'report' ? writeReport(only.entry.report, flags) : writeRuns(runs, flags));
	if (flags.record !== undefined) {
		const recorded = new Map(all.map(one => [one.entry, one.recorded]));
		const bytes = isSingle && only.recorded.kind === 'evidence'
			? printRecording({what: 'run', entries: [only.recorded]})
			: printRecording({what: 'runs', entries: entries.map(entry => recorded.get(entry) ?? entry as RecordedEntry), durationMs});
		await writeOutput(flags.record, bytes, {what: 'The recording', state: 'The report is printed.'});
	}

	return isSingle && only.entry.kind === 'report' ? exitStatusOfRun(only.entry.report) : exitStatusOfRuns(runs);
}

function judged(result: unknown, name: string): Judged {
	const recorded = readEntry(result, wordsOfShardFile(name));
	return {recorded, entry: entryOf(recorded, name)};
}
