/**
Which rules are reached by what, as plain data: what every printer of it prints.
*/

import {exitStatus, type ExitStatus} from '../../judge/exit-status.js';
import {unreachedBy, type RuleCoverage} from '../../judge/rule-coverage.js';
import type {AddressFamily} from '../../netfilter/types.js';
import type {Gap} from '../../trace/gap.js';
import type {Environment, Place, RulesSummary} from '../shared-types.js';

/** The whole result. */
export type CoverageReport = {
	readonly environment: Environment;
	readonly rules: RulesSummary;
	readonly families: readonly AddressFamily[];
	/** The cases in the order of the table, with how many probes each sent. */
	readonly cases: ReadonlyArray<{readonly name: string; readonly probes: number}>;
	/** How many packet classes the complete probes stand for. */
	readonly classes: number;
	readonly coverage: readonly RuleCoverage[];
	/** Cases that have to reach every rule that can be reached. */
	readonly required: readonly string[];
	/** Lines of the user's file. */
	readonly places: ReadonlyMap<RuleCoverage['rule'], Place>;
	/** Why what is not reached may be reached after all. */
	readonly gaps: readonly Gap[];
	readonly hints: readonly string[];
	readonly durationMs: number;
};

/** Required cases that do not reach a rule, though they should. */
export function missingCases({required, coverage}: Pick<CoverageReport, 'required' | 'coverage'>, rule: RuleCoverage): readonly string[] {
	return required.filter(name => unreachedBy(coverage, name).includes(rule));
}

/** 0: known. 1: some required cases miss a rule. 3: nobody can say what no probe reached, or there is no rule. */
export function exitStatusOfCoverage(report: Pick<CoverageReport, 'required' | 'coverage' | 'gaps'>): ExitStatus {
	const {coverage, gaps} = report;
	const isMissed = coverage.some(rule => missingCases(report, rule).length > 0 && !isDoubtful(report, rule));
	const isUnknown = gaps.length > 0 && coverage.some(rule => isDoubtful(report, rule));
	return exitStatus({passed: coverage.length, failed: Number(isMissed), inconclusive: Number(isUnknown)});
}

/** With a gap, a rule that was not seen to be reached may be reached all the same. */
export function isDoubtful({gaps}: Pick<CoverageReport, 'gaps'>, {unreached}: RuleCoverage): boolean {
	return gaps.length > 0 && unreached !== null;
}
