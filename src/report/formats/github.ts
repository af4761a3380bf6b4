/**
Results as workflow commands of GitHub Actions: each unexpected case becomes an annotation, at its line if it has one. GitHub's documentation of workflow commands: data escapes `%`, CR and LF; properties also escape `:` and `,`.
*/

import {
	printSummary, summarizeResults, type CaseOutcome, type Results,
} from './results.js';

/** The command for each kind of outcome. A gap is not a failure, so it is a warning; the exit status fails the step anyway. */
const commands = {fail: 'error', inconclusive: 'warning', unavailable: 'notice'} as const satisfies Record<Exclude<CaseOutcome['kind'], 'pass'>, string>;

/** How many annotations of one kind GitHub shows per step. It takes the first ones; failures beyond them appear only in the summary. */
export const annotationsShown = 10;

/**
One command per case that did not pass, and a final line with the counts. Cases that passed print nothing.

GitHub shows the first ten annotations of a kind in each step, hence the separate summary (`printMarkdown`).
*/
export function printGithub(results: Results): string {
	const lines = results.suites.flatMap(({name: suite, cases}) => cases.flatMap(({name, outcome, expected, observed, place}) => {
		if (outcome.kind === 'pass') {
			return [];
		}

		const title = name === suite ? name : `${name} (${suite})`;
		const properties = [
			...(place === undefined ? [] : [['file', place.file] as const]),
			...(place?.line === undefined ? [] : [['line', String(place.line)] as const]),
			['title', title] as const,
		];
		const words = [
			...(outcome.kind === 'unavailable' ? [outcome.message] : outcome.reasons),
			...(expected === undefined ? [] : [`expected: ${expected}`]),
			...(observed === undefined ? [] : [`observed: ${observed}`]),
		];
		return [`::${commands[outcome.kind]} ${properties.map(([key, value]) => `${key}=${escapeProperty(value)}`).join(',')}::${escapeData(words.join('\n'))}`];
	}));
	return [...lines, printSummary(summarizeResults(results))].map(line => `${line}\n`).join('');
}

function escapeData(text: string): string {
	return text.replaceAll(/[%\r\n]/gu, percent);
}

function escapeProperty(text: string): string {
	return text.replaceAll(/[%\r\n:,]/gu, percent);
}

function percent(character: string): string {
	return `%${character.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')}`;
}
