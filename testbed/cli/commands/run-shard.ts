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
import {
	absentEntry, arrangeEntries, isRun, namesOfRun, type MissingRun, type RunNames,
} from './run-entries.js';
import type {SelectedRuns} from './select-cases.js';
import {askedOptions} from './shard-flags.js';

/** What the report of all shards says apart from the runs. `isSingle`: it is the report of a single run, as without shards. */
export type RunFrame = {readonly isSingle: boolean; readonly missing: readonly MissingRun[]};

/** The work of all shards of a run. */
export type ShardedRun = {
	/** What the pieces are called, in the order of the report. */
	readonly names: readonly RunNames[];
	/** Their places, in an order in which those that can share a sandbox are neighbors. */
	readonly order: readonly number[];
	/** Runs that cannot be done, which belong to no shard. */
	readonly missing: readonly MissingRun[];
	/** The operands of the command line. */
	readonly scenarios: readonly string[];
	/** Everything that was read and that decides the results. */
	readonly read: unknown;
	/**
	The runs at some places, in their order. Some may turn out to be impossible.

	@throws {TestbedError} INPUT for what cannot be read.
	*/
	readonly load: (places: readonly number[]) => ReadonlyArray<RunOptions | MissingRun>;
};

/** The work of runs that are read already. */
export function shardedRun({inputs, missing}: SelectedRuns, scenarios: readonly string[]): ShardedRun {
	return {
		names: inputs.map(options => namesOfRun(options)),
		order: runOrder(inputs),
		missing,
		scenarios,
		read: [missing, ...inputs.map(options => whatDecides(options))],
		load: places => places.map(place => inputs[place]!),
	};
}

/** Runs the pieces of one shard, prints their report, writes the file, and returns the exit status: that of its own pieces, 0 if none of them can be run. */
export async function runShard({names, order, missing, scenarios, read, load}: ShardedRun, request: ShardRequest, {flags, supervision: {onProgress}, recorder}: {
	readonly flags: PrintFlags & {readonly jobs: number}; readonly supervision: Supervision; readonly recorder: Recorder | undefined;
}): Promise<number> {
	const startedAt = performance.now();
	const work = cutWork({
		program: version,
		command: 'run',
		operands: scenarios,
		options: askedOptions(flags),
		pieces: names.map(one => ({name: nameOfRun(one), about: one})),
		order,
		read,
	}, request);
	const own = load(work.own);
	const inputs = own.filter(one => isRun(one));
	const evidence = new Map<Report, RunEvidence>();
	const times = new Map<RunOptions, number>();
	onProgress(`running ${inputs.length} of ${names.length} pieces`);
	const entries = await runMany(inputs, {
		jobs: flags.jobs,
		onEvidence(report, own) {
			evidence.set(report, own);
			recorder?.note(report, own);
		},
		onEntry({release, source, backend, scenario}, {index, ms}) {
			times.set(inputs[index]!, ms);
			onProgress(`${times.size} of ${inputs.length}: ${scenario ?? release ?? source} ${backend}`);
		},
	});
	const durationMs = Math.round(performance.now() - startedAt);
	const entryOf = new Map(inputs.map((options, index) => [options, entries[index]!]));
	const results = own.map(one => isRun(one)
		? {ms: Math.round(times.get(one)!), entry: entryOf.get(one)!}
		: {ms: 0, entry: absentEntry(one)});
	const runs: Runs = {entries: arrangeEntries([], results.map(({entry}) => entry)), durationMs};
	if (results.length > 0) {
		await writeRuns(runs, flags);
	}

	await recorder?.writeRuns(runs);
	const frame: RunFrame = {isSingle: names.length === 1 && missing.length === 0, missing};
	await work.write({
		frame: results.length === 0 ? null : frame,
		durationMs,
		results: results.map(({ms, entry}) => ({ms, result: packedEntry(recorded(entry, evidence))})),
	});
	// A piece that turned out to be impossible decides nothing, as in the report of all shards.
	return results.every(({entry}) => entry.kind === 'unavailable') ? 0 : exitStatusOfRuns(runs);
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
