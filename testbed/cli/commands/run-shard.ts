/**
One shard of `testbed run`: some of the rule sets or scenarios, and a file with the evidence of each.
*/

import {exitStatusOfRuns, type RunEntry, type Runs} from '../../../src/report/run/many.js';
import type {Report} from '../../../src/report/run/types.js';
import {packedEntry} from '../../recording/file.js';
import type {Recorder} from '../../recording/recorder.js';
import type {RunEvidence} from '../../run/report.js';
import type {RunOptions} from '../../run/options.js';
import {runMany, runOrder} from '../../run/run-many.js';
import {cutWork} from '../../shards/work.js';
import type {ShardRequest} from '../../shards/request.js';
import type {PrintFlags} from '../output/destinations.js';
import {writeRuns} from '../output/write-runs.js';
import type {Supervision} from '../supervise.js';
import {version} from '../version.js';
import {arrangeEntries, namesOfRun, type MissingRun, type RunNames} from './run-entries.js';
import {askedOptions} from './shard-flags.js';

/** What the report of all shards says apart from the runs. `isSingle`: it is the report of a single run, as without shards. */
export type RunFrame = {readonly isSingle: boolean; readonly missing: readonly MissingRun[]};

/** What is to be run, and how. `scenarios` are the operands of the command line. */
export type ShardedRun = {
	readonly inputs: readonly RunOptions[];
	readonly missing: readonly MissingRun[];
	readonly scenarios: readonly string[];
};

/** Runs the pieces of one shard, prints their report, writes the file, and returns the exit status: that of its own pieces, 0 if it has none. */
export async function runShard({inputs, missing, scenarios}: ShardedRun, request: ShardRequest, {flags, supervision: {onProgress}, recorder}: {
	readonly flags: PrintFlags & {readonly jobs: number}; readonly supervision: Supervision; readonly recorder: Recorder | undefined;
}): Promise<number> {
	const startedAt = performance.now();
	const work = cutWork({
		program: version,
		command: 'run',
		operands: scenarios,
		options: askedOptions(flags),
		pieces: inputs.map(options => ({name: nameOfRun(namesOfRun(options)), about: namesOfRun(options)})),
		order: runOrder(inputs),
		read: [missing, ...inputs.map(options => whatDecides(options))],
	}, request);
	const own = work.own.map(place => inputs[place]!);
	const evidence = new Map<Report, RunEvidence>();
	const times: number[] = [];
	onProgress(`running ${own.length} of ${inputs.length} pieces`);
	const entries = await runMany(own, {
		jobs: flags.jobs,
		onEvidence(report, own) {
			evidence.set(report, own);
			recorder?.note(report, own);
		},
		onEntry({release, source, backend, scenario}, {index, ms}) {
			times[index] = ms;
			onProgress(`${Object.keys(times).length} of ${own.length}: ${scenario ?? release ?? source} ${backend}`);
		},
	});
	const durationMs = Math.round(performance.now() - startedAt);
	const runs: Runs = {entries: arrangeEntries([], entries), durationMs};
	if (entries.length > 0) {
		await writeRuns(runs, flags);
	}

	await recorder?.writeRuns(runs);
	const frame: RunFrame = {isSingle: inputs.length === 1 && missing.length === 0, missing};
	await work.write({
		frame: entries.length === 0 ? null : frame,
		durationMs,
		results: entries.map((entry, index) => ({ms: Math.round(times[index]!), result: packedEntry(recorded(entry, evidence))})),
	});
	return entries.length === 0 ? 0 : exitStatusOfRuns(runs);
}

function recorded(entry: RunEntry, evidence: ReadonlyMap<Report, RunEvidence>) {
	return entry.kind === 'report' ? {kind: 'evidence', evidence: evidence.get(entry.report)!} as const : entry;
}

function nameOfRun({source, backend, scenario}: RunNames): string {
	return `${scenario === undefined ? '' : `${scenario}, `}${source}, ${backend}`;
}

/** What a run reads, without the places of files on this machine. */
export function whatDecides({rules: {source, release, mesh, backend, ruleSet, routing, reference, intent}, families, types, credentials, others, only, proxy, scenario}: RunOptions): unknown {
	return [
		source, release, mesh, backend, ruleSet, routing, reference, intent, families, types, credentials, others, only ?? null, proxy?.name,
		scenario === undefined ? null : [scenario.name, scenario.about, scenario.cases, scenario.actorSet, scenario.extension],
	];
}
