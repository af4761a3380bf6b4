/**
Runs as results for machines: a suite per rule set, a case per type or probe and family.
*/

import {stepsOfPath} from '../../netfilter/path.js';
import type {Outcome} from '../../judge/outcome.js';
import {withDoubt, type CaseOutcome, type ResultCase, type Results, type ResultSuite} from '../formats/results.js';
import {pictureOfResult} from '../pictures/pictures.js';
import {causesOf, describeCause, describeDifference} from './describe-differences.js';
import type {RunEntry, Runs} from './many.js';
import {printStops} from './text.js';
import {allResults} from './summary.js';
import type {LoadedRules, Report, TypeResult} from './types.js';

const name = 'testbed run';

/** One run. */
export function resultsOfReport(report: Report): Results {
	const {rules: {source, backend}, scenario, durationMs} = report;
	return withDoubt({name, suites: [suiteOf(report, `${scenario?.name ?? source}, ${backend}`)], durationMs});
}

/** The results of many runs. A rejected rule set is a failed case; a run that the machine could not do is inconclusive; an unavailable one is listed and decides nothing. */
export function resultsOfRuns({entries, durationMs}: Runs): Results {
	return withDoubt({name, suites: entries.map(entry => suiteOfEntry(entry)), durationMs});
}

const outcomeOfEntry = {
	unavailable: message => ({kind: 'unavailable', message}),
	rejected: reason => ({kind: 'fail', message: `The rules were rejected: ${reason}`, reasons: [reason]}),
	inconclusive: reason => ({kind: 'inconclusive', message: reason, reasons: [reason]}),
} as const satisfies Readonly<Record<Exclude<RunEntry['kind'], 'report'>, (reason: string) => CaseOutcome>>;

function suiteOfEntry(entry: RunEntry): ResultSuite {
	const {source, release, backend, scenario} = entry;
	const suite = `${scenario ?? release ?? source}, ${backend}`;
	return entry.kind === 'report'
		? suiteOf(entry.report, suite)
		: {
			name: suite,
			properties: propertiesOf({source, release, backend}),
			cases: [{
				name: suite,
				outcome: outcomeOfEntry[entry.kind](entry.reason),
			}],
			durationMs: 0,
		};
}

function suiteOf(report: Report, suite: string): ResultSuite {
	const {environment, rules, scenario, hints, durationMs, loaded} = report;
	return {
		name: suite,
		...(scenario === undefined ? {} : {about: `${scenario.name}: ${scenario.about}`}),
		properties: {...propertiesOf(rules), sha256: rules.sha256, ...environment},
		cases: allResults(report).map(result => caseOf(result, {what: scenario === undefined ? 'type' : 'probe', loaded})),
		hints: [...rules.notes, ...hints],
		durationMs,
	};
}

function propertiesOf({source, release, backend}: Pick<Report['rules'], 'source' | 'release' | 'backend'>): ResultSuite['properties'] {
	return {rules: source, ...(release === null ? {} : {release}), backend};
}

function caseOf(result: TypeResult, {what, loaded}: {readonly what: 'type' | 'probe'; readonly loaded: LoadedRules | undefined}): ResultCase {
	const {id, name: title, family, outcome, expected, published, legs, place, durationMs} = result;
	return {
		name: nameOfCase({id, name: title, family}, what),
		outcome: outcomeOf(outcome),
		expected: [...expected.legs.slice(0, 1).map(({actor}) => actor), ...expected.legs.map(({stop}) => stop), ...(expected.loop === undefined ? [] : ['… (a loop)']), ...(expected.closed === undefined ? [] : ['closed'])].join(' → '),
		observed: printStops(result).join(' '),
		notes: [
			['path', stepsOfPath({legs}).join(' > ')],
			...(published === null ? [] : [['article', published.agrees === true ? 'agrees' : published.reason ?? 'differs'] as const]),
		],
		...(place === undefined ? {} : {place}),
		...(durationMs === undefined ? {} : {durationMs}),
		pictures: () => pictureOfResult(result, loaded),
	};
}

/** The name of a case in its suite: `type 1 remote-to-local, ipv4`. */
export function nameOfCase({id, name: title, family}: Pick<TypeResult, 'id' | 'name' | 'family'>, what: 'type' | 'probe'): string {
	return `${what} ${id} ${title}, ${family}`;
}

function outcomeOf(outcome: Outcome): CaseOutcome {
	switch (outcome.kind) {
		case 'pass': {
			return outcome;
		}

		case 'fail': {
			const [first] = outcome.differences;
			return {
				kind: 'fail',
				message: first === undefined ? 'The path is not the expected one.' : describeDifference(first),
				reasons: outcome.differences.map(difference => [describeDifference(difference), ...causesOf(difference).map(cause => describeCause(cause))].join(' ')),
			};
		}

		case 'inconclusive': {
			return {
				kind: 'inconclusive',
				message: outcome.reasons[0]?.message ?? 'The evidence has a gap.',
				reasons: outcome.reasons.map(({kind, message}) => `${kind}: ${message}`),
			};
		}
	}
}
