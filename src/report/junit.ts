/**
Results as JUnit's XML, in the form that Jenkins checks (xunit-plugin, junit-10.xsd), which GitLab, GitHub's test reporters and Maven read as well: a difference is a `failure`, a gap is an `error`, and only what is unavailable is `skipped`.
*/

import XMLBuilder from 'fast-xml-builder';
import {
	printSummary, summarizeResults, type ResultCase, type Results, type ResultSuite,
} from './results.js';

const attribute = '@';
const body = '#text';

const builder = new XMLBuilder({
	attributeNamePrefix: attribute, textNodeName: body, ignoreAttributes: false, suppressBooleanAttributes: false, suppressEmptyNode: true, format: true, indentBy: '\t',
});

/** The results as an XML document. `time` is in seconds; of a case that was not timed by itself it is 0, for all first packets go at once. */
export function printJunit(results: Results): string {
	const {name, suites, durationMs} = results;
	return builder.build({
		'?xml': attributes({version: '1.0', encoding: 'UTF-8'}), // eslint-disable-line unicorn/text-encoding-identifier-case -- As XML names it.
		testsuites: {
			...attributes({name, ...countsOf(suites.flatMap(({cases}) => cases)), time: seconds(durationMs)}),
			testsuite: suites.map(suite => suiteOf(suite)),
		},
	});
}

function suiteOf(suite: ResultSuite): unknown {
	const {name, about, properties, cases, hints = [], durationMs} = suite;
	const pairs = Object.entries(properties);
	const words = [...(about === undefined ? [] : [about]), ...hints, printSummary(summarizeResults({suites: [suite]}))];
	return {
		...attributes({
			name, ...countsOf(cases), skipped: cases.filter(({outcome}) => outcome.kind === 'unavailable').length, time: seconds(durationMs),
		}),
		...(pairs.length === 0 ? {} : {properties: {property: pairs.map(([key, value]) => attributes({name: key, value}))}}),
		testcase: cases.map(own => caseOf(own, name)),
		'system-out': text(words),
	};
}

function caseOf({name, outcome, expected, observed, notes = [], place, durationMs = 0}: ResultCase, suite: string): unknown {
	const words = [
		...(expected === undefined ? [] : [`expected: ${expected}`]),
		...(observed === undefined ? [] : [`observed: ${observed}`]),
		...notes.map(([label, value]) => `${label}: ${value}`),
	];
	return {
		// A dot would part packages.
		...attributes({name, classname: suite.replaceAll('.', '_'), time: seconds(durationMs)}),
		...verdictOf(outcome, place),
		...(words.length === 0 ? {} : {'system-out': text(words)}),
	};
}

/** The element that each kind of outcome has. */
const elements = {fail: 'failure', inconclusive: 'error', unavailable: 'skipped'} as const;

function verdictOf(outcome: ResultCase['outcome'], place: ResultCase['place']): object {
	if (outcome.kind === 'pass') {
		return {};
	}

	const element = elements[outcome.kind];
	if (outcome.kind === 'unavailable') {
		return {[element]: attributes({message: outcome.message})};
	}

	const at = place === undefined ? [] : [`at ${place.file}${place.line === undefined ? '' : `:${place.line}`}`];
	return {[element]: {...attributes({message: outcome.message, type: outcome.kind}), ...text([...outcome.reasons, ...at])}};
}

function countsOf(cases: readonly ResultCase[]): Readonly<Record<string, number>> {
	const {failed, inconclusive} = summarizeResults({suites: [{name: '', properties: {}, cases, durationMs: 0}]});
	return {tests: cases.length, failures: failed, errors: inconclusive};
}

function seconds(durationMs: number): string {
	return (durationMs / 1000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string | number>>): object {
	// A reader of XML makes a space of each of these in an attribute, whatever stands there (XML 1.0, 3.3.3).
	return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${attribute}${key}`, printable(String(value)).replaceAll(/\r\n|[\r\n\t]/gu, ' ')]));
}

function text(lines: readonly string[]): object {
	return {[body]: printable(lines.join('\n'))};
}

/** XML has no way at all to write most control characters, halves of surrogate pairs and two non-characters (XML 1.0, 2.2). Something was there, so something stands there. */
export function printable(value: string): string {
	return value.replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}');
}
