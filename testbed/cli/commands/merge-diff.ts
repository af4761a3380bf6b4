/**
The report of all shards of `testbed diff --consecutive`.
*/

import type {Gathered} from '../../../src/sharding/gather.js';
import {normalizeReport} from '../../../src/sharding/normalize.js';
import {comparisonToJson} from '../../../src/report/comparison/json.js';
import type {ComparisonSuite} from '../../../src/report/comparison/results.js';
import type {ComparisonReport} from '../../../src/report/comparison/types.js';
import type {PrintFlags} from '../output/destinations.js';
import {writeSeries} from '../output/write-series.js';
import type {DiffFrame, PairAbout} from './diff-shard.js';

/** The text of a comparison without what differs from run to run. */
export function keyOfComparison(result: unknown): string {
	return normalizeReport(JSON.stringify(comparisonToJson(result as ComparisonReport)));
}

/** Prints the report, and returns the exit status. */
export async function mergeComparisons({question: {plan}, results, missing, files}: Gathered, flags: PrintFlags): Promise<number> {
	const frame = files.map(({header}) => header.frame as DiffFrame | null).find(one => one !== null) ?? [];
	const reasons = new Map(missing.map(({id, reason}) => [id, reason]));
	const reports = plan.map(({id, about}) => {
		const {row, from, to} = about as PairAbout;
		const result = results.get(id)?.result as ComparisonReport | undefined;
		return {row, report: result ?? absentReport({from, to}, reasons.get(id)!)};
	});
	const rows = [...new Set(reports.map(({row}) => row))].toSorted((one, other) => one - other);
	const suites = rows.map((row): ComparisonSuite => ({
		// Without any result there is no frame; the names of the rules tell which series it is.
		...frame[row] ?? {name: `series ${row + 1}`, missing: []},
		reports: reports.filter(each => each.row === row).map(({report}) => report),
	}));
	return writeSeries(suites, flags);
}

const nowhere = 'unknown';

/** A pair that no shard compared. */
function absentReport(sides: Pick<ComparisonReport, 'from' | 'to'>, reason: string): ComparisonReport {
	return {
		...sides,
		outcome: 'inconclusive',
		families: [],
		statements: [],
		gaps: [{kind: 'not-sent', message: reason}],
		environment: {
			kernel: nowhere, iptables: nowhere, nft: nowhere, node: nowhere,
		},
		arePathsCompared: false,
		replayWith: {from: [], to: []},
		hints: [],
		durationMs: 0,
	};
}
