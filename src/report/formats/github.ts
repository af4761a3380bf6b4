/**
Results as workflow commands of GitHub Actions: what is not as expected becomes an annotation, beside its line where it has one. By GitHub's documentation of workflow commands: data escapes `%`, CR and LF, properties `:` and `,` as well.
*/

import {
	printSummary, summarizeResults, type CaseOutcome, type Results,
} from './results.js';

/** The command for each kind of outcome. A gap is no failure, so it warns; the exit status fails the step all the same. */
const commands = {fail: 'error', inconclusive: 'warning', unavailable: 'notice'} as const satisfies Record<Exclude<CaseOutcome['kind'], 'pass'>, string>;

/** What GitHub shows of a kind in a step; the first ones count, so failures beyond are seen in the summary only. */
export const annotationsShown = 10;

/**
A command per case that did not pass, and a last line that counts. What passed has none.

GitHub shows the first ten annotations of a kind in each step, hence the summary beside them (`printMarkdown`).
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
