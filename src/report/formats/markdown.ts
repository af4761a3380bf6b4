/**
Results as Markdown, for a comment on a pull request and for the step summary of GitHub Actions: a table of all cases, with folded details below it. Text from outside is wrapped in `code`, where it can neither format anything nor mention anyone.
*/

import {
	isSingle, printSummary, summarizeResults, type CaseOutcome, type ResultCase, type Results, type ResultSuite,
} from './results.js';

/** Longest comment that GitHub accepts. GitLab accepts longer ones. */
export const commentBytesMax = 65_536;

/** Longest step summary that GitHub accepts (1 MiB). It drops a longer one entirely. */
export const stepSummaryBytesMax = 1_048_576;

/** Levels of detail, from everything to almost nothing. The first one that fits is used. */
const levels = [
	{omits: undefined, shows: {passed: true, rows: true, details: true}},
	{omits: 'the details of what passed', shows: {passed: false, rows: true, details: true}},
	{omits: 'all details', shows: {passed: false, rows: true, details: false}},
	{omits: 'what passed, and all details', shows: {passed: false, rows: false, details: false}},
] as const;

type Level = (typeof levels)[number];

/** The results as Markdown of at most the given number of bytes of UTF-8. It says what had to be left out; the heading with the counts is always there. */
export function printMarkdown(results: Results, {bytesMax = commentBytesMax}: {readonly bytesMax?: number} = {}): string {
	for (const level of levels) {
		const text = print(results, level);
		if (bytesOf(text) <= bytesMax) {
			return text;
		}
	}

	return joined([...headOf(results), leftOut('all cases')]);
}

const marks = {
	pass: '✔ pass', fail: '✖ **fail**', inconclusive: '? **inconclusive**', unavailable: '– unavailable',
} as const satisfies Record<CaseOutcome['kind'], string>;

function print(results: Results, level: Level): string {
	return joined([
		...headOf(results),
		...results.suites.flatMap(suite => printSuite(suite, level)),
		...(level.omits === undefined ? [] : [leftOut(level.omits)]),
	]);
}

function headOf(results: Results): readonly string[] {
	const {passed, failed, inconclusive} = summarizeResults(results);
	const mark = failed > 0 ? '✖' : (inconclusive > 0 || passed === 0 ? '?' : '✔');
	return [`## ${mark} ${code(results.name)}: ${printSummary({passed, failed, inconclusive})}`];
}

function leftOut(what: string): string {
	return `To keep this short, ${what} had to be left out; \`--format json\` has everything.`;
}

function printSuite(suite: ResultSuite, {shows}: Level): readonly string[] {
	const {name, about, properties, cases, hints = []} = suite;
	const rows = cases.filter(({outcome}) => shows.rows || outcome.kind !== 'pass');
	if (rows.length === 0 && !shows.rows) {
		return [];
	}

	const detailed = shows.details ? cases.filter(own => hasReasons(own) || hasNotes(own)) : [];
	const told = detailed.filter(own => hasReasons(own));
	const passed = shows.passed ? detailed.filter(own => !hasReasons(own)) : [];
	const pairs = Object.entries(properties);
	return [
		...(isSingle(suite) ? [] : [`### ${code(name)}`]),
		...(about === undefined ? [] : [code(about)]),
		table(rows),
		...hints.map(hint => `> ${code(hint)}`),
		...told.map(own => fold(`${marks[own.outcome.kind].replaceAll('**', '')}: ${code(own.name)}`, detailsOf(own))),
		...(passed.length === 0 ? [] : [fold('What passed, in full', passed.map(own => [own.name, ...detailsOf(own).map(line => `  ${line}`)].join('\n')))]),
		...(pairs.length === 0 || !shows.passed ? [] : [fold('Rules and environment', pairs.map(([key, value]) => `${key}: ${value}`))]),
	];
}

function hasReasons({outcome}: ResultCase): boolean {
	return outcome.kind === 'fail' || outcome.kind === 'inconclusive';
}

function hasNotes({notes = []}: ResultCase): boolean {
	return notes.length > 0;
}

function table(cases: readonly ResultCase[]): string {
	return [
		'| outcome | case | expected | observed |',
		'|---|---|---|---|',
		...cases.map(({name, outcome, expected, observed}) => `| ${marks[outcome.kind]} | ${code(name)} | ${cell(expected)} | ${outcome.kind === 'unavailable' ? code(outcome.message) : cell(observed)} |`),
	].join('\n');
}

function cell(text: string | undefined): string {
	return text === undefined ? '' : code(text);
}

function detailsOf({outcome, expected, observed, notes = [], place}: ResultCase): readonly string[] {
	return [
		...('reasons' in outcome ? outcome.reasons : []),
		...(place === undefined ? [] : [`at ${place.file}${place.line === undefined ? '' : `:${place.line}`}`]),
		...(expected === undefined ? [] : [`expected: ${expected}`]),
		...(observed === undefined ? [] : [`observed: ${observed}`]),
		...notes.map(([label, text]) => `${label}: ${text}`),
	];
}

/** A collapsible section. The fence is longer than any run of backticks within it. */
function fold(title: string, lines: readonly string[]): string {
	const text = lines.join('\n');
	const longest = Math.max(0, ...[...text.matchAll(/`+/gu)].map(([run]) => run.length));
	const fence = '`'.repeat(Math.max(3, longest + 1));
	return `<details><summary>${title}</summary>\n\n${fence}text\n${text}\n${fence}\n\n</details>`;
}

/** Characters that would start something in Markdown, in a table or in HTML. As entities they cannot (CommonMark 0.31, 2.5). */
const special = /[&<>"|`*_~[\]\\$]/gu;

/** Literal text. In HTML's `code`, GitHub neither mentions people nor links numbers, and entities work, which they do not between backticks. */
export function code(text: string): string {
	const escaped = text
		.replaceAll(special, character => `&#${character.codePointAt(0)!};`)
		.replaceAll(/\r\n|[\r\n\u{85}\u2028\u2029]/gu, '<br>');
	return `<code>${escaped}</code>`;
}

function joined(parts: readonly string[]): string {
	return `${parts.join('\n\n')}\n`;
}

/** The first code points that take two, three and four bytes. */
const firstOfLength = [0x80, 0x8_00, 0x1_00_00] as const;

/** The length of a text in bytes of UTF-8 (RFC 3629, 3). */
export function bytesOf(text: string): number {
	let bytes = 0;
	for (const character of text) {
		bytes += 1 + firstOfLength.filter(first => character.codePointAt(0)! >= first).length;
	}

	return bytes;
}
