/**
The result of a comparison as plain data, which all its printers print.
*/

import {exitStatus, tallyOf, type ExitStatus, type Tally} from '../../judge/exit-status.js';
import type {Comparison} from '../../comparison/comparison.js';
import type {Drift} from '../../comparison/drift.js';
import type {Environment, RulesSummary} from '../shared-types.js';

/** Two rule sets, what moved between them, and how much was compared. */
export type ComparisonReport = Comparison & {
	readonly environment: Environment;
	readonly from: RulesSummary;
	readonly to: RulesSummary;
	/** Whether different paths to the same stops count as moves. */
	readonly arePathsCompared: boolean;
	/** What a replay needs besides the source of the rules, as arguments of `testbed probe`. */
	readonly replayWith: {readonly from: readonly string[]; readonly to: readonly string[]};
	readonly hints: readonly string[];
	/** If the second rule set is that of a live pod: what it does differently from the first, and the usual causes. */
	readonly drift?: Drift;
	readonly durationMs: number;
};

/** 0: equal. 1: something moved. 3: nothing moved, but the evidence has gaps. */
export function exitStatusOfComparison({outcome}: Pick<Comparison, 'outcome'>): ExitStatus {
	return exitStatus(tallyOfComparison({outcome}));
}

/** The comparison as one result. */
export function tallyOfComparison({outcome}: Pick<Comparison, 'outcome'>): Tally {
	return tallyOf(({equal: 'passed', moved: 'failed', inconclusive: 'inconclusive'} as const)[outcome]);
}
