/**
A report on mutants as results for machines: a case for each mutant, which passes when one of the chosen cases notices it.
*/

import {detectionBy} from '../../mutation/status.js';
import {withDoubt, type CaseOutcome, type ResultCase, type Results} from '../formats/results.js';
import {
	describeMutantStatus, describeMutant, printScore, replayOf,
} from './describe.js';
import {
	chosenCases, scoresOf, standingsOf, type MutationReport, type StandingResult,
} from './types.js';

/** The results. What is equivalent or cannot be installed decides nothing. */
export function resultsOfMutation(report: MutationReport): Results {
	const {environment, rules: {source, release, backend, sha256, notes}, hints, durationMs} = report;
	return withDoubt({
		name: 'testbed mutate',
		suites: [{
			name: `${source}, ${backend}`,
			about: `Killed: ${scoresOf(report).map(score => `${score.cases} ${printScore(score)}`).join('; ')}.`,
			properties: {
				rules: source, ...(release === null ? {} : {release}), backend, sha256, ...environment,
			},
			cases: standingsOf(report).map(standing => caseOf(standing, report)),
			hints: [...notes, ...hints],
			durationMs,
		}],
		durationMs,
	});
}

function caseOf(standing: StandingResult, report: MutationReport): ResultCase {
	const {result} = standing;
	const {mutant, mutantStatus} = result;
	const place = report.places.get(mutant.id);
	return {
		name: `${mutant.id} ${mutant.family} ${describeMutant(mutant)}`,
		outcome: outcomeOf(standing, report),
		...(mutantStatus.kind === 'differs' ? {expected: mutantStatus.statements[0]!.from.join(' → '), observed: mutantStatus.statements[0]!.to.join(' → ')} : {}),
		notes: [
			...chosenCases(report).map(name => [name, noteOf(detectionBy(name, result))] as const).filter(() => standing.standing !== 'left-out'),
			...(mutantStatus.kind === 'differs' ? [['replay', replayOf(mutant, mutantStatus.statements[0]!, report)] as const] : []),
		],
		...(place === undefined ? {} : {place}),
	};
}

function noteOf(detection: ReturnType<typeof detectionBy>): string {
	return detection.kind === 'killed' ? `killed by ${detection.by.slice(0, 3).join('; ')}` : detection.kind;
}

function outcomeOf({result, standing}: StandingResult, report: MutationReport): CaseOutcome {
	const what = describeMutantStatus(result.mutantStatus);
	switch (standing) {
		case 'killed': {
			return {kind: 'pass'};
		}

		case 'survived': {
			return {kind: 'fail', message: `Survived ${chosenCases(report).join(', ')}: ${what}`, reasons: [what]};
		}

		case 'inconclusive': {
			const reasons = [...new Set([...(result.mutantStatus.kind === 'inconclusive' ? [what] : []), ...chosenCases(report).flatMap(name => {
				const detection = detectionBy(name, result);
				return detection.kind === 'inconclusive' ? detection.reasons : [];
			})])];
			return {kind: 'inconclusive', message: reasons[0] ?? 'No cases were chosen.', reasons};
		}

		case 'left-out': {
			return {kind: 'unavailable', message: what};
		}
	}
}
