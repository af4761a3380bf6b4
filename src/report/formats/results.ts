/**
The common form of results for machines: suites of cases. TAP, JUnit, Markdown and GitHub annotations are printed from it and nothing else, so anything expressed as cases appears in all of them. It contains finished text; all decisions were made before.
*/

import type {Outcome} from '../../judge/outcome.js';
import {exitStatus, type ExitStatus, type Tally} from '../../judge/exit-status.js';
import type {Picture} from '../pictures/picture.js';
import type {Place} from '../shared-types.js';

/** How a case ended, with all reasons. `message` is one sentence that stands alone. `unavailable` is a case that cannot exist; it decides nothing. */
export type CaseOutcome =
	| {readonly kind: 'pass'}
	| {readonly kind: Exclude<Outcome['kind'], 'pass'>; readonly message: string; readonly reasons: readonly string[]}
	| {readonly kind: 'unavailable'; readonly message: string};

/** One case. */
export type ResultCase = {
	/** Unique in its suite. */
	readonly name: string;
	readonly outcome: CaseOutcome;
	/** What was expected and what was observed, in a few words: stops, roles, a number. */
	readonly expected?: string;
	readonly observed?: string;
	/** More facts about the case, each with a one-word label: `path`, `article`. Printed for every outcome. */
	readonly notes?: ReadonlyArray<readonly [label: string, text: string]>;
	readonly place?: Place;
	/** The drawings of the case, made on demand because most formats have none. */
	readonly pictures?: () => readonly Picture[];
	readonly durationMs?: number;
};

/** Cases that belong together: those of one rule set. */
export type ResultSuite = {
	/** Unique in its document. A suite whose only case has the same name is identical with that case. */
	readonly name: string;
	/** A sentence printed above its cases. */
	readonly about?: string;
	/** The rules and the environment of the run. */
	readonly properties: Readonly<Record<string, string>>;
	readonly cases: readonly ResultCase[];
	/** Hints for the reader; they decide nothing. */
	readonly hints?: readonly string[];
	readonly durationMs: number;
};

/** A whole document. */
export type Results = {
	/** What ran, in a word or two: `testbed run`. */
	readonly name: string;
	readonly suites: readonly ResultSuite[];
	readonly durationMs: number;
};

/** How all cases ended. Unavailable ones are not counted. */
export function summarizeResults({suites}: Pick<Results, 'suites'>): Tally {
	const kinds = suites.flatMap(({cases}) => cases.map(({outcome}) => outcome.kind));
	const count = (wanted: CaseOutcome['kind']) => kinds.filter(kind => kind === wanted).length;
	return {passed: count('pass'), failed: count('fail'), inconclusive: count('inconclusive')};
}

/** The exit status of these results. A failure is certain, so it takes precedence; results without any pass have shown nothing. */
export function exitStatusOfResults(results: Pick<Results, 'suites'>): ExitStatus {
	return exitStatus(summarizeResults(results));
}

/** A summary in words. */
export function printSummary({passed, failed, inconclusive}: Tally): string {
	return `${passed} passed, ${failed} failed, ${inconclusive} inconclusive`;
}

/** Adds an inconclusive case to results in which nothing ran or could run: a consumer that only looks for failures would take an empty document for a success. */
export function withDoubt(results: Results): Results {
	const {passed, failed, inconclusive} = summarizeResults(results);
	if (passed + failed + inconclusive > 0) {
		return results;
	}

	const message = results.suites.some(({cases}) => cases.length > 0)
		? 'Nothing that was asked for could run, so nothing was shown.'
		: 'Nothing was run, so nothing was shown.';
	const doubt: ResultSuite = {
		name: results.name,
		properties: {},
		cases: [{name: results.name, outcome: {kind: 'inconclusive', message, reasons: [message]}}],
		durationMs: 0,
	};
	return {...results, suites: [...results.suites.filter(({cases}) => cases.length > 0), doubt]};
}

/** Whether a suite consists of a single case with the same name. */
export function isSingle({name, cases}: ResultSuite): boolean {
	return cases.length === 1 && cases[0]!.name === name;
}
