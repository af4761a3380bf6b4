/**
The common form of results for machines: suites of cases. TAP, JUnit, Markdown and GitHub's annotations are printed from it and from nothing else, so whatever can be said as cases comes out in all of them. It holds what is to be said, in words; what came to be said so is decided before.
*/

import type {Outcome} from '../../judge/outcome.js';
import {exitStatus, type ExitStatus, type Tally} from '../../judge/exit-status.js';
import type {Place} from '../shared-types.js';

/** How a case ended, with all reasons. `message` is one sentence that can stand alone; `unavailable` is what cannot be, and decides nothing. */
export type CaseOutcome =
	| {readonly kind: 'pass'}
	| {readonly kind: Exclude<Outcome['kind'], 'pass'>; readonly message: string; readonly reasons: readonly string[]}
	| {readonly kind: 'unavailable'; readonly message: string};

/** One thing that was asked. */
export type ResultCase = {
	/** Unique in its suite. */
	readonly name: string;
	readonly outcome: CaseOutcome;
	/** What should have come, and what came, in a few words: stops, roles, a number. */
	readonly expected?: string;
	readonly observed?: string;
	/** What else is known of it, each with a label of one word: `path`, `article`. Printed whatever the outcome. */
	readonly notes?: ReadonlyArray<readonly [label: string, text: string]>;
	readonly place?: Place;
	readonly durationMs?: number;
};

/** Cases that belong together: those of one rule set. */
export type ResultSuite = {
	/** Unique in its document. A suite whose only case has the same name is that case. */
	readonly name: string;
	/** A sentence that stands above its cases. */
	readonly about?: string;
	/** What it was run with: rules and environment. */
	readonly properties: Readonly<Record<string, string>>;
	readonly cases: readonly ResultCase[];
	/** What a reader may have overlooked; decides nothing. */
	readonly hints?: readonly string[];
	readonly durationMs: number;
};

/** A whole document. */
export type Results = {
	/** What was asked for, in a word or two: `testbed run`. */
	readonly name: string;
	readonly suites: readonly ResultSuite[];
	readonly durationMs: number;
};

/** How all cases ended. What is unavailable is not counted. */
export function summarizeResults({suites}: Pick<Results, 'suites'>): Tally {
	const kinds = suites.flatMap(({cases}) => cases.map(({outcome}) => outcome.kind));
	const count = (wanted: CaseOutcome['kind']) => kinds.filter(kind => kind === wanted).length;
	return {passed: count('pass'), failed: count('fail'), inconclusive: count('inconclusive')};
}

/** The exit status that these results ask for: a failure is certain, so it goes first; nothing that passed has shown nothing. */
export function exitStatusOfResults(results: Pick<Results, 'suites'>): ExitStatus {
	return exitStatus(summarizeResults(results));
}

/** A summary in words. */
export function printSummary({passed, failed, inconclusive}: Tally): string {
	return `${passed} passed, ${failed} failed, ${inconclusive} inconclusive`;
}

/** Results in which nothing was asked, or nothing could be, get a case that says so: a consumer that looks for failures would take an empty document for a success. */
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

/** Whether a suite is nothing but its only case. */
export function isSingle({name, cases}: ResultSuite): boolean {
	return cases.length === 1 && cases[0]!.name === name;
}
