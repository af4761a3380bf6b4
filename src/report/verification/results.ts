/**
A baseline check as results for machines: one case per recorded class and connection, and one for the evidence.
*/

import {nameOfCase, type CheckedCase} from '../../baseline/verify-cases.js';
import type {CheckedClass} from '../../baseline/verify.js';
import {withDoubt, type ResultCase, type Results} from '../formats/results.js';
import {picturesOfMoves} from '../pictures/pictures.js';
import {verificationOutcome, type VerificationReport} from './types.js';
import {describeMovedCase, printWords, summaryOfVerification} from './describe.js';

/** The results. Anything inconclusive gets a case of its own, so that a reader of cases cannot take it for a pass. */
export function resultsOfVerification(report: VerificationReport): Results {
	const {
		baseline, rules, environment, classes, cases, statements, gaps, hints, durationMs,
	} = report;
	const outcome = verificationOutcome(report);
	const told: readonly ResultCase[] = [...named(classes.map(each => caseOfClass(each))), ...cases.map(each => caseOfConnection(each, baseline.file))];
	const wanted = ({same: 'pass', moved: 'fail', inconclusive: 'inconclusive'} as const)[outcome];
	const reasons = [...gaps.map(({message}) => message), ...statements.map(({cause}) => cause.text)];
	// Something moved or is inconclusive, but no case says so.
	const isTold = gaps.length === 0 && told.some(each => each.outcome.kind === wanted);
	const evidence: readonly ResultCase[] = isTold
		? []
		: [{name: 'evidence', outcome: {kind: outcome === 'moved' && gaps.length === 0 ? 'fail' : 'inconclusive', message: reasons[0] ?? summaryOfVerification(report), reasons}}];
	return withDoubt({
		name: 'testbed baseline check',
		suites: [{
			name: `${baseline.file}: ${rules.source}, ${rules.backend}`,
			about: `${outcome}: ${summaryOfVerification(report)}`,
			properties: {
				baseline: baseline.rules.source, rules: rules.source, ...(rules.release === null ? {} : {release: rules.release}), backend: rules.backend, sha256: rules.sha256, ...environment,
			},
			cases: [...told, ...evidence],
			hints: [...rules.notes, ...hints],
			durationMs,
		}],
		durationMs,
	});
}

function caseOfClass(checked: CheckedClass): ResultCase {
	const {record: {traffic, probe: {family}, arrivals}} = checked;
	const expected = arrivals.join(' > ');
	const name = `${traffic.join('; ')}, ${family}`;
	switch (checked.outcome) {
		case 'same': {
			return {
				name, outcome: {kind: 'pass'}, expected, observed: expected,
			};
		}

		case 'moved': {
			const {move} = checked;
			const observed = checked.to.join(' > ');
			const message = observed === expected ? `It arrives as recorded, but by other rules: ${checked.because}.` : `It was ${expected} and is ${observed}: ${checked.because}.`;
			return {
				name, outcome: {kind: 'fail', message, reasons: [message]}, expected, observed, ...(move === undefined ? {} : {pictures: () => picturesOfMoves([move])}),
			};
		}

		case 'unchecked': {
			const message = 'No packet of this class could be compared.';
			return {name, outcome: {kind: 'inconclusive', message, reasons: [message]}, expected};
		}
	}
}

function caseOfConnection(checked: CheckedCase, file: string): ResultCase {
	const {record} = checked;
	const name = nameOfCase(record);
	const expected = printWords(record.stops, 'nowhere');
	switch (checked.outcome) {
		case 'same': {
			return {
				name, outcome: {kind: 'pass'}, expected, observed: expected,
			};
		}

		case 'moved': {
			const {shown} = checked;
			const message = describeMovedCase(checked);
			return {
				name, outcome: {kind: 'fail', message, reasons: [message]}, expected, observed: printWords(checked.to.stops, 'nowhere'), place: {file}, ...(shown === undefined ? {} : {pictures: () => picturesOfMoves([{shown, example: {family: record.family, mark: undefined}}])}),
			};
		}

		case 'inconclusive': {
			const reasons = checked.gaps.map(({message}) => message);
			return {name, outcome: {kind: 'inconclusive', message: reasons[0]!, reasons}, expected};
		}
	}
}

/** Two recorded classes can have the same description; a number tells them apart. */
function named(cases: readonly ResultCase[]): readonly ResultCase[] {
	const counts = new Map<string, number>();
	return cases.map(each => {
		const count = (counts.get(each.name) ?? 0) + 1;
		counts.set(each.name, count);
		return count === 1 ? each : {...each, name: `${each.name} (${count})`};
	});
}
