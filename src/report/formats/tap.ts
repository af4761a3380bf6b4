/**
Results as TAP version 14 (testanything.org): a test point per case; several suites are subtests.
*/

import {
	exitStatusOfResults, isSingle, printSummary, summarizeResults, type ResultCase, type Results, type ResultSuite,
} from './results.js';

/** The results as TAP. A point that is not `ok` lists its reasons as YAML, and every point its notes. Unavailable cases are skipped. */
export function printTap(results: Results): string {
	const {suites} = results;
	const [only] = suites;
	const body = only !== undefined && suites.length === 1
		? printSuite(only)
		: [
			`1..${suites.length}`,
			...suites.flatMap((suite, index) => printSubtest(suite, index + 1)),
			`# ${printSummary(summarizeResults(results))}`,
		];
	return ['TAP version 14', ...body].map(line => `${line}\n`).join('');
}

function printSubtest(suite: ResultSuite, number: number): readonly string[] {
	if (isSingle(suite)) {
		return printPoint(suite.cases[0]!, number);
	}

	const name = escape(suite.name);
	return [
		`# Subtest: ${oneLine(suite.name)}`,
		...printSuite(suite).map(line => `    ${line}`),
		`${exitStatusOfResults({suites: [suite]}) === 0 ? 'ok' : 'not ok'} ${number} - ${name}`,
	];
}

function printSuite({about, cases, hints = [], ...suite}: ResultSuite): readonly string[] {
	return [
		`1..${cases.length}`,
		...(about === undefined ? [] : [`# ${oneLine(about)}`]),
		...cases.flatMap((own, index) => printPoint(own, index + 1)),
		...hints.map(hint => `# ${oneLine(hint)}`),
		`# ${printSummary(summarizeResults({suites: [{...suite, cases}]}))}`,
	];
}

/** The key of the list of reasons. */
const reasonsKey = {fail: 'differences', inconclusive: 'gaps'} as const;

function printPoint({name, outcome, notes = [], place}: ResultCase, number: number): readonly string[] {
	if (outcome.kind === 'unavailable') {
		return [`ok ${number} - ${escape(name)} # SKIP ${oneLine(outcome.message)}`];
	}

	const isOk = outcome.kind === 'pass';
	const block = [
		...(isOk
			? []
			: [
				`  message: ${quote(outcome.kind === 'inconclusive' ? `inconclusive: ${outcome.message}` : outcome.message)}`,
				`  outcome: ${outcome.kind}`,
				`  ${reasonsKey[outcome.kind]}:`,
				...outcome.reasons.map(reason => `    - ${quote(reason)}`),
				...(place === undefined ? [] : [`  at: ${quote(place.line === undefined ? place.file : `${place.file}:${place.line}`)}`]),
			]),
		...notes.map(([label, text]) => `  ${label}: ${quote(text)}`),
	];
	return [
		`${isOk ? 'ok' : 'not ok'} ${number} - ${escape(name)}`,
		...(block.length === 0 ? [] : ['  ---', ...block, '  ...']),
	];
}

/** JSON strings are valid double-quoted YAML strings. */
function quote(text: string): string {
	return JSON.stringify(text);
}

/** A description is a single line, and `#` would start a directive (TAP 14, "Escaping"). */
function escape(text: string): string {
	return oneLine(text).replaceAll(/[\\#]/gu, String.raw`\$&`);
}

function oneLine(text: string): string {
	return text.replaceAll(/\s*[\r\n\u{85}\u2028\u2029]+\s*/gu, ' ');
}
