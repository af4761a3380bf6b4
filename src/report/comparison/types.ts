/**
The result of a comparison as plain data: what every printer of it prints.
*/

import {exitStatus, tallyOf, type ExitStatus} from '../../judge/exit-status.js';
import type {Comparison} from '../../comparison/comparison.js';
import type {Environment, RulesSummary} from '../shared-types.js';

/** Two rule sets, what moved between them, and how much was compared. */
export type ComparisonReport = Comparison & {
	readonly environment: Environment;
	readonly from: RulesSummary;
	readonly to: RulesSummary;
	/** Whether other ways to the same stops were asked for. */
	readonly arePathsCompared: boolean;
	/** What a replay needs beside the source of the rules, as arguments of `testbed probe`. */
	readonly replayWith: {readonly from: readonly string[]; readonly to: readonly string[]};
	readonly hints: readonly string[];
	readonly durationMs: number;
};

/** 0: equal. 1: something moved. 3: nothing moved, but not all is known. */
export function exitStatusOfComparison({outcome}: Pick<Comparison, 'outcome'>): ExitStatus {
	return exitStatus(tallyOf(({equal: 'passed', moved: 'failed', inconclusive: 'inconclusive'} as const)[outcome]));
}
