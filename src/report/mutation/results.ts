/**
A report on mutants as results for machines: one case per mutant, which passes if one of the chosen cases detects it.
*/

import {detectionBy} from '../../mutation/status.js';
import {picturesOfMoves} from '../pictures/pictures.js';
import {withDoubt, type CaseOutcome, type ResultCase, type Results} from '../formats/results.js';
import {
	describeMutantStatus, describeMutant, printScore, replayOf,
} from './describe.js';
import {
	chosenCases, scoresOf, standingsOf, type MutationReport, type StandingResult,
} from './types.js';

/** The results. Mutants that are equivalent or cannot be installed decide nothing. `program` is how a shell calls the testbed in the printed commands. */
export function resultsOfMutation(report: MutationReport, program?: string): Results {
	const {environment, rules: {source, release, backend, sha256, notes}, hints, durationMs} = report;
	return withDoubt({
		name: 'testbed mutate',
		suites: [{
			name: `${source}, ${backend}`,
			about: `Killed: ${scoresOf(report).map(score => `${score.cases} ${printScore(score)}`).join('; ')}.`,
			properties: {
				rules: source, ...(release === null ? {} : {release}), backend, sha256, ...environment,
			},
			cases: standingsOf(report).map(standing => caseOf(standing, report, program)),
			hints: [...notes, ...hints],
			durationMs,
		}],
		durationMs,
	});
}

function caseOf(standing: StandingResult, report: MutationReport, program: string | undefined): ResultCase {
	const {result} = standing;
	const {mutant, mutantStatus, durationMs} = result;
	const place = report.places.get(mutant.id);
	return {
		name: `${mutant.id} ${mutant.family} ${describeMutant(mutant)}`,
		outcome: outcomeOf(standing, report),
		...(mutantStatus.kind === 'differs' ? {expected: mutantStatus.statements[0]!.from.join(' → '), observed: mutantStatus.statements[0]!.to.join(' → ')} : {}),
		notes: [
			...chosenCases(report).map(name => [name, noteOf(detectionBy(name, result))] as const).filter(() => standing.standing !== 'left-out'),
			...(mutantStatus.kind === 'differs' ? [['replay', replayOf(mutant, mutantStatus.statements[0]!, {...report, program})] as const] : []),
		],
		...(place === undefined ? {} : {place}),
		...(durationMs === undefined ? {} : {durationMs}),
		// A killed mutant needs no drawing.
		...(mutantStatus.kind === 'differs' && standing.standing !== 'killed' ? {pictures: () => picturesOfMoves(mutantStatus.statements.slice(0, 1))} : {}),
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
