/**
One shard of `testbed diff --consecutive`: some of the pairs, and a file with the comparison of each.
*/

import {exitStatusOfResults} from '../../../src/report/formats/results.js';
import {resultsOfComparisons, type ComparisonSuite} from '../../../src/report/comparison/results.js';
import type {RulesSummary} from '../../../src/report/shared-types.js';
import type {RuleInput} from '../../inputs/types.js';
import {summaryOfRules} from '../../inputs/summary.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {cutWork} from '../../shards/work.js';
import type {ShardRequest} from '../../shards/request.js';
import {createEncoder} from '../../shards/values.js';
import {version} from '../version.js';
import {askedOptions} from './shard-flags.js';

/** A series of rule sets whose pairs are compared. */
export type ShardedRow = {readonly name: string; readonly inputs: readonly RuleInput[]; readonly missing: ComparisonSuite['missing']};

/** A pair as a report names it if its shard is missing: the place of its series, and both rule sets. */
export type PairAbout = {readonly row: number; readonly from: RulesSummary; readonly to: RulesSummary};

/** What the report of all shards says apart from the pairs: the series, with the pairs that cannot be compared. */
export type DiffFrame = ReadonlyArray<Pick<ComparisonSuite, 'name' | 'missing'>>;

/** How a shard compares: the pairs of a series at these places. */
export type CompareRow = (row: number, pairs: readonly number[]) => Promise<ComparisonSuite>;

/** Compares the pairs of one shard, prints their report, writes the file, and returns the exit status: that of its own pairs, 0 if it has none. */
export async function diffShard(rows: readonly ShardedRow[], request: ShardRequest, {sources, flags, compare, print}: {
	readonly sources: readonly string[];
	readonly flags: Readonly<Record<string, unknown>> & {readonly family: readonly AddressFamily[]};
	readonly compare: CompareRow;
	readonly print: (suites: readonly ComparisonSuite[]) => Promise<void>;
}): Promise<number> {
	const startedAt = performance.now();
	const summaries = rows.map(({inputs}) => inputs.map(input => summaryOfRules(input, {families: flags.family})));
	const pairs = summaries.flatMap((sides, row) => sides.slice(1).map((to, place) => ({row, place, about: {row, from: sides[place]!, to} satisfies PairAbout})));
	const work = cutWork({
		program: version,
		command: 'diff',
		operands: sources,
		options: askedOptions(flags),
		pieces: pairs.map(({row, about}) => ({name: `${rows[row]!.name}: ${about.from.source} → ${about.to.source}`, about})),
		read: rows.map(({name, inputs, missing}) => [name, missing, inputs.map(input => [input.source, input.release, input.mesh, input.backend, input.ruleSet, input.routing, input.intent])]),
	}, request);
	const own = work.own.map(place => pairs[place]!);
	const suites: ComparisonSuite[] = [];
	const times: number[] = [];
	for (const row of rows.keys()) {
		const places = own.filter(pair => pair.row === row).map(({place}) => place);
		if (places.length > 0) {
			const rowAt = performance.now();
			const suite = await compare(row, places); // eslint-disable-line no-await-in-loop -- A single series already keeps the processors busy.
			suites.push({...suite, missing: []});
			// The pairs of a series are compared together, so each took its share.
			times.push(...places.map(() => Math.round((performance.now() - rowAt) / places.length)));
		}
	}

	if (suites.length > 0) {
		await print(suites);
	}

	const encode = createEncoder();
	const frame: DiffFrame = rows.map(({name, missing}) => ({name, missing}));
	await work.write({
		frame: suites.length === 0 ? null : encode(frame),
		durationMs: Math.round(performance.now() - startedAt),
		results: suites.flatMap(({reports}) => reports).map((report, index) => ({ms: times[index]!, result: encode(report)})),
	});
	return suites.length === 0 ? 0 : exitStatusOfResults(resultsOfComparisons(suites));
}
