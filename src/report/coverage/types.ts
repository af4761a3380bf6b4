/**
Which rules are reached by what, as plain data: what every printer of it prints.
*/

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
	/** How many classes of packets the complete probes stand for. */
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
export function coverageExitCode(report: Pick<CoverageReport, 'required' | 'coverage' | 'gaps'>): 0 | 1 | 3 {
	const {coverage, gaps} = report;
	if (coverage.some(rule => missingCases(report, rule).length > 0 && !isDoubtful(report, rule))) {
		return 1;
	}

	return coverage.length === 0 || (gaps.length > 0 && coverage.some(rule => isDoubtful(report, rule))) ? 3 : 0;
}

/** With a gap, a rule that was not seen to be reached may be reached all the same. */
export function isDoubtful({gaps}: Pick<CoverageReport, 'gaps'>, {unreached}: RuleCoverage): boolean {
	return gaps.length > 0 && unreached !== null;
}
