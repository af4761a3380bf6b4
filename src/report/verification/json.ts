/**
A baseline check as JSON, version 1.
*/

import {nameOfCase} from '../../baseline/verify-cases.js';
import {printReplay} from '../terminal/probe-command.js';
import type {VerificationDocument} from './schema.js';
import {verificationOutcome, type VerificationReport} from './types.js';

/** Plain data for `JSON.stringify`. */
export function verificationToJson(report: VerificationReport): VerificationDocument {
	const {baseline, environment, rules, areRolesCompared, families, statements, classes, cases, gaps, hints, durationMs} = report;
	const count = (list: ReadonlyArray<{readonly outcome: string}>, wanted: string): number => list.filter(({outcome}) => outcome === wanted).length;
	return {
		version: 1,
		baseline,
		environment,
		rules,
		outcome: verificationOutcome(report),
		rolesCompared: areRolesCompared,
		compared: families,
		moved: statements.map(({severity, families: of, traffic, from: was, to: is, cause, classes: size, example: {index: _, ...example}}) => ({
			severity, families: of, traffic, was, is, because: cause, classes: size, witness: example, replay: printReplay({index: 0, ...example}, rules),
		})),
		classes: classes.map(({record: {traffic, probe, arrivals, roles}, ...checked}) => ({
			family: probe.family, traffic, probe, recorded: {arrivals, roles}, outcome: checked.outcome, ...(checked.outcome === 'moved' ? {to: checked.to, because: checked.because} : {}),
		})),
		cases: cases.map(({record, ...rest}) => ({
			name: nameOfCase(record), recorded: {stops: record.stops, roles: record.roles}, ...(rest.outcome === 'moved' ? {outcome: rest.outcome, what: rest.what, to: rest.to} : rest),
		})),
		gaps,
		hints,
		summary: {same: count([...classes, ...cases], 'same'), moved: count([...classes, ...cases], 'moved'), unchecked: count(classes, 'unchecked') + count(cases, 'inconclusive')},
		durationMs,
	};
}
