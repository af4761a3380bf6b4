/**
The result of a baseline check in sentences, shared by all printers.
*/

import type {CheckedCase} from '../../baseline/verify-cases.js';
import {describeExtent} from '../comparison/describe.js';
import {verificationOutcome, type VerificationReport} from './types.js';

/** The result in one sentence. */
export function summaryOfVerification(report: VerificationReport): string {
	const {statements, classes, cases, gaps} = report;
	const movedCases = cases.filter(({outcome}) => outcome === 'moved').length;
	const doubts = gaps.length === 0 ? '' : `; ${gaps.length} ${gaps.length === 1 ? 'gap' : 'gaps'}`;
	switch (verificationOutcome(report)) {
		case 'moved': {
			const moved = statements.reduce((sum, {classes: count}) => sum + count, 0);
			const all = report.families.reduce((sum, {classes: count}) => sum + count, 0);
			return `Moved: ${moved} of ${all} packet classes${statements.length === 0 ? '' : `, in ${statements.length} ${statements.length === 1 ? 'statement' : 'statements'}`}, and ${movedCases} of ${cases.length} recorded connections${doubts}.`;
		}

		case 'same': {
			return `As recorded: ${classes.length} recorded classes and ${cases.length} recorded connections. Compared: ${describeExtent(report)}; ${report.areRolesCompared ? 'arrivals and the roles of the rules that decided' : 'arrivals only, not by which rules'}.`;
		}

		case 'inconclusive': {
			return `Inconclusive: nothing moved in what could be compared, but ${gaps.length === 1 ? 'there is a gap' : `there are ${gaps.length} gaps`}.`;
		}
	}
}

/** What moved for a connection, in one sentence. */
export function describeMovedCase({record, what, to}: Extract<CheckedCase, {outcome: 'moved'}>): string {
	const [was, is] = what === 'stops' ? [printWords(record.stops, 'nowhere'), printWords(to.stops, 'nowhere')] : [printWords(record.roles, 'no rule'), printWords(to.roles, 'no rule')];
	return what === 'stops' ? `was ${was}, is ${is}` : `same listener as before, other rules: was ${was}, is ${is}`;
}

/** Stops, or roles. */
export function printWords(words: ReadonlyArray<string | null>, none: string): string {
	return words.length === 0 ? none : words.map(word => word ?? '(no role)').join(' > ');
}
