/**
Rule coverage as plain data, which all its printers print.
*/

import {exitStatus, type ExitStatus} from '../../judge/exit-status.js';
import {unreachedBy, type RuleCoverage} from '../../judge/rule-coverage.js';
import type {AddressFamily} from '../../netfilter/types.js';
import type {Gap} from '../../trace/gap.js';
import type {DrawnMove} from '../pictures/pictures.js';
import type {Environment, Place, RulesSummary} from '../shared-types.js';

/** The whole result. */
export type CoverageReport = {
	readonly environment: Environment;
	readonly rules: RulesSummary;
	readonly families: readonly AddressFamily[];
	/** The cases in the order of the table, and how many probes each sent. */
	readonly cases: ReadonlyArray<{readonly name: string; readonly probes: number}>;
	/** How many packet classes the complete probes represent. */
	readonly classes: number;
	readonly coverage: readonly RuleCoverage[];
	/** Cases that must reach every reachable rule. */
	readonly required: readonly string[];
	/** Lines in the user's file. */
	readonly places: ReadonlyMap<RuleCoverage['rule'], Place>;
	/** For rules that required cases miss: a packet that reaches the rule, for drawings. */
	readonly examples: ReadonlyMap<RuleCoverage['rule'], DrawnMove>;
	/** Why a rule that was not reached may be reachable anyway. */
	readonly gaps: readonly Gap[];
	readonly hints: readonly string[];
	readonly durationMs: number;
};

/** Required cases that should reach a rule but do not. */
export function missingCases({required, coverage}: Pick<CoverageReport, 'required' | 'coverage'>, rule: RuleCoverage): readonly string[] {
	return required.filter(name => unreachedBy(coverage, name).includes(rule));
}

/** 0: known. 1: some required case misses a rule. 3: the evidence has gaps for unreached rules, or there is no rule. */
export function exitStatusOfCoverage(report: Pick<CoverageReport, 'required' | 'coverage' | 'gaps'>): ExitStatus {
	const {coverage, gaps} = report;
	const isMissed = coverage.some(rule => missingCases(report, rule).length > 0 && !isDoubtful(report, rule));
	const isUnknown = gaps.length > 0 && coverage.some(rule => isDoubtful(report, rule));
	return exitStatus({passed: coverage.length, failed: Number(isMissed), inconclusive: Number(isUnknown)});
}

/** If there is a gap, a rule that no probe reached may be reachable anyway. */
export function isDoubtful({gaps}: Pick<CoverageReport, 'gaps'>, {unreached}: RuleCoverage): boolean {
	return gaps.length > 0 && unreached !== null;
}
