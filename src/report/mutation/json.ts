/**
A report on mutants as JSON, version 2 (in version 1, `status` was called `fate`): everything in the text report, and for each mutant that differs, the probe that shows it.
*/

import {detectionBy} from '../../mutation/status.js';
import type {Statement} from '../../comparison/moves.js';
import type {ComparisonDocument} from '../comparison/schema.js';
import {replayOf} from './describe.js';
import {mutationJsonVersion, type MutationDocument} from './schema.js';
import {
	chosenCases, scoresOf, standingsOf, type MutationReport, type StandingResult,
} from './types.js';

/** The document, ready for `JSON.stringify`. */
export function mutationToJson(report: MutationReport): MutationDocument {
	const {environment, rules, families, cases, untouched, hints, durationMs} = report;
	const standings = standingsOf(report);
	const count = (wanted: StandingResult['standing']): number => standings.filter(({standing}) => standing === wanted).length;
	return {
		version: mutationJsonVersion,
		environment,
		rules,
		families,
		cases,
		scores: scoresOf(report).map(({byStops, ...score}) => ({...score, ...(byStops === undefined ? {} : {killedByStops: byStops.killed})})),
		mutants: standings.map(standing => mutantToJson(standing, report)),
		untouched,
		hints,
		summary: {
			mutants: standings.length, killed: count('killed'), survived: count('survived'), inconclusive: count('inconclusive'), equivalent: kindCount(standings, 'equivalent'), rejected: kindCount(standings, 'rejected'),
		},
		durationMs,
	};
}

function kindCount(standings: readonly StandingResult[], kind: 'equivalent' | 'rejected'): number {
	return standings.filter(({result: {mutantStatus}}) => mutantStatus.kind === kind).length;
}

function mutantToJson({result, standing}: StandingResult, report: MutationReport): MutationDocument['mutants'][number] {
	const {mutant, mutantStatus} = result;
	const {
		id, family, kind, place, role, text, isEdited, rule,
	} = mutant;
	return {
		id,
		family,
		kind,
		place,
		role,
		text,
		isEdited,
		rule: rule.text,
		standing,
		status: mutantStatus.kind === 'differs' ? {kind: mutantStatus.kind, byStops: mutantStatus.isByStops, moved: mutantStatus.statements.map(statement => statementToJson(statement)), replay: replayOf(mutant, mutantStatus.statements[0]!, report)} : mutantStatus,
		// No case is run on equivalent or rejected mutants.
		detections: standing === 'left-out' ? {} : Object.fromEntries(chosenCases(report).map(name => [name, detectionBy(name, result)])),
	};
}

function statementToJson({severity, families, traffic, from, to, cause, classes, example: {index: _, ...example}}: Statement): Omit<ComparisonDocument['moved'][number], 'replay'> {
	return {
		severity, families, traffic, was: from, is: to, because: cause, classes, witness: example,
	};
}
