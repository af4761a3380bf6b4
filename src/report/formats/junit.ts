/**
Results as JUnit XML, in the form that Jenkins checks (xunit-plugin, junit-10.xsd) and that GitLab, GitHub's test reporters and Maven read as well: a difference is a `failure`, a gap is an `error`, and only unavailable cases are `skipped`.
*/

import {
	printSummary, summarizeResults, type ResultCase, type Results, type ResultSuite,
} from './results.js';
import {printXml, type XmlElement} from './xml.js';

/** The results as an XML document. `time` is in seconds. It is 0 for cases without a time of their own: rules in a coverage report, and packet classes, whose probes are sent in batches. */
export function printJunit(results: Results): string {
	const {name, suites, durationMs} = results;
	return printXml({
		name: 'testsuites',
		attributes: {name, ...countsOf(suites.flatMap(({cases}) => cases)), time: seconds(durationMs)},
		content: suites.map(suite => suiteOf(suite)),
	});
}

function suiteOf(suite: ResultSuite): XmlElement {
	const {name, about, properties, cases, hints = [], durationMs} = suite;
	const pairs = Object.entries(properties);
	const words = [...(about === undefined ? [] : [about]), ...hints, printSummary(summarizeResults({suites: [suite]}))];
	return {
		name: 'testsuite',
		attributes: {
			name, ...countsOf(cases), skipped: cases.filter(({outcome}) => outcome.kind === 'unavailable').length, time: seconds(durationMs),
		},
		content: [
			...(pairs.length === 0 ? [] : [{name: 'properties', content: pairs.map(([key, value]) => ({name: 'property', attributes: {name: key, value}}))}]),
			...cases.map(own => caseOf(own, name)),
			{name: 'system-out', content: words.join('\n')},
		],
	};
}

function caseOf({name, outcome, expected, observed, notes = [], place, durationMs = 0}: ResultCase, suite: string): XmlElement {
	const words = [
		...(expected === undefined ? [] : [`expected: ${expected}`]),
		...(observed === undefined ? [] : [`observed: ${observed}`]),
		...notes.map(([label, value]) => `${label}: ${value}`),
	];
	return {
		name: 'testcase',
		// A dot would separate packages.
		attributes: {name, classname: suite.replaceAll('.', '_'), time: seconds(durationMs)},
		content: [...verdictOf(outcome, place), ...(words.length === 0 ? [] : [{name: 'system-out', content: words.join('\n')}])],
	};
}

/** The element for each kind of outcome. */
const elements = {fail: 'failure', inconclusive: 'error', unavailable: 'skipped'} as const;

function verdictOf(outcome: ResultCase['outcome'], place: ResultCase['place']): XmlElement[] {
	if (outcome.kind === 'pass') {
		return [];
	}

	const name = elements[outcome.kind];
	if (outcome.kind === 'unavailable') {
		return [{name, attributes: {message: outcome.message}}];
	}

	const at = place === undefined ? [] : [`at ${place.file}${place.line === undefined ? '' : `:${place.line}`}`];
	return [{name, attributes: {message: outcome.message, type: outcome.kind}, content: [...outcome.reasons, ...at].join('\n')}];
}

function countsOf(cases: readonly ResultCase[]): Readonly<Record<string, number>> {
	const {failed, inconclusive} = summarizeResults({suites: [{name: '', properties: {}, cases, durationMs: 0}]});
	return {tests: cases.length, failures: failed, errors: inconclusive};
}

function seconds(durationMs: number): string {
	return (durationMs / 1000).toFixed(3);
}
