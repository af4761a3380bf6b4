/**
The result of a baseline check as plain data, which all its printers print.
*/

import {exitStatus, tallyOf, type ExitStatus} from '../../judge/exit-status.js';
import type {ComparedFamily} from '../../comparison/comparison.js';
import type {Statement} from '../../comparison/moves.js';
import type {CheckedCase} from '../../baseline/verify-cases.js';
import type {CheckedClass} from '../../baseline/verify.js';
import type {Gap} from '../../trace/gap.js';
import type {Environment, RulesSummary} from '../shared-types.js';

/** A baseline, what a rule set does now, and what moved. */
export type VerificationReport = {
	readonly baseline: {readonly file: string; readonly rules: RulesSummary; readonly environment: Readonly<Record<string, string>>};
	readonly environment: Environment;
	readonly rules: RulesSummary;
	readonly areRolesCompared: boolean;
	readonly families: readonly ComparedFamily[];
	readonly statements: readonly Statement[];
	readonly classes: readonly CheckedClass[];
	readonly cases: readonly CheckedCase[];
	/** Of classes and of connections. */
	readonly gaps: readonly Gap[];
	readonly hints: readonly string[];
	readonly durationMs: number;
};

/** `same`: everything recorded was checked, and nothing moved. */
export type VerificationOutcome = 'same' | 'moved' | 'inconclusive';

/** A move is certain whatever else is unknown, so it takes precedence. */
export function verificationOutcome({statements, classes, cases, gaps}: Pick<VerificationReport, 'statements' | 'classes' | 'cases' | 'gaps'>): VerificationOutcome {
	if (statements.length > 0 || cases.some(({outcome}) => outcome === 'moved')) {
		return 'moved';
	}

	const isWhole = gaps.length === 0 && classes.length > 0 && [...classes, ...cases].every(({outcome}) => outcome === 'same');
	return isWhole ? 'same' : 'inconclusive';
}

/** 0: the same. 1: something moved. 3: nothing moved, but the evidence has gaps. */
export function exitStatusOfVerification(report: VerificationReport): ExitStatus {
	return exitStatus(tallyOf(({same: 'passed', moved: 'failed', inconclusive: 'inconclusive'} as const)[verificationOutcome(report)]));
}
