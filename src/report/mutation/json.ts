/**
A report on mutants as JSON: version 2 (until then `status` was called `fate`). All that the text tells, and for each mutant that differs the probe that shows it.
*/

import {detectionBy} from '../../mutation/status.js';
import type {Statement} from '../../comparison/moves.js';
import {replayOf} from './describe.js';
import {
	chosenCases, scoresOf, standingsOf, type MutationReport, type StandingResult,
} from './types.js';

/** The document, ready for `JSON.stringify`. */
export function mutationToJson(report: MutationReport): unknown {
	const {environment, rules, families, cases, untouched, hints, durationMs} = report;
	const standings = standingsOf(report);
	const count = (wanted: StandingResult['standing']): number => standings.filter(({standing}) => standing === wanted).length;
	return {
		version: 2,
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

function mutantToJson({result, standing}: StandingResult, report: MutationReport): unknown {
	const {mutant: {ruleSet: _, rule, ...mutant}, mutantStatus} = result;
	return {
		...mutant,
		rule: rule.text,
		standing,
		status: mutantStatus.kind === 'differs' ? {kind: mutantStatus.kind, byStops: mutantStatus.isByStops, moved: mutantStatus.statements.map(statement => statementToJson(statement)), replay: replayOf(mutant, mutantStatus.statements[0]!, report)} : mutantStatus,
		// What is equivalent or rejected was put to no case.
		detections: standing === 'left-out' ? {} : Object.fromEntries(chosenCases(report).map(name => [name, detectionBy(name, result)])),
	};
}

function statementToJson({severity, families, traffic, from, to, cause, classes, example: {index: _, ...example}}: Statement): unknown {
	return {
		severity, families, traffic, was: from, is: to, because: cause, classes, witness: example,
	};
}
