/**
Comparisons as results for machines: one case per pair of rule sets, which passes if the two are equal.
*/

import {familyNames} from '../../netfilter/address.js';
import type {Statement} from '../../comparison/moves.js';
import {printReplay} from '../terminal/probe-command.js';
import {withDoubt, type CaseOutcome, type ResultCase, type Results} from '../formats/results.js';
import {picturesOfMoves} from '../pictures/pictures.js';
import {exitStatusOfComparison, type ComparisonReport} from './types.js';
import {
	describeChange, describeExtent, printArrivals, severityWords, summaryOf,
} from './describe.js';

/** The pairs that were compared together, and those that could not be compared, with the reason. */
export type ComparisonSuite = {readonly name: string; readonly reports: readonly ComparisonReport[]; readonly missing: ReadonlyArray<{readonly name: string; readonly reason: string}>};

/** The results of all suites. `program` is how a shell calls the testbed in the printed commands. */
export function resultsOfComparisons(suites: readonly ComparisonSuite[], program?: string): Results {
	const durationOf = ({reports}: ComparisonSuite): number => reports.reduce((sum, {durationMs}) => sum + durationMs, 0);
	return withDoubt({
		name: 'testbed diff',
		suites: suites.map(suite => ({
			name: suite.name,
			properties: {...suite.reports[0]?.environment},
			cases: [...suite.reports.map(report => caseOf(report, program)), ...suite.missing.map(({name, reason}): ResultCase => ({name, outcome: {kind: 'unavailable', message: reason}}))],
			hints: [...new Set(suite.reports.flatMap(({from, to}) => [...from.notes, ...to.notes]))],
			durationMs: durationOf(suite),
		})),
		durationMs: suites.reduce((sum, suite) => sum + durationOf(suite), 0),
	});
}

/** The name of a pair: `1.17 → 1.18` for releases with the same options. */
export function nameOfPair({from, to}: Pick<ComparisonReport, 'from' | 'to'>): string {
	const [one, other] = [from, to].map(({source, release}) => release ?? source) as [string, string];
	const names = one === other ? [from.source, to.source] : [one, other];
	return from.backend === to.backend ? names.join(' → ') : `${names[0]!}, ${from.backend} → ${names[1]!}, ${to.backend}`;
}

function caseOf(report: ComparisonReport, program: string | undefined): ResultCase {
	const {statements} = report;
	const [first] = statements;
	return {
		name: nameOfPair(report),
		outcome: outcomeOf(report),
		...(first === undefined ? {} : {expected: printArrivals(first.from), observed: printArrivals(first.to)}),
		notes: [
			['compared', describeExtent(report)],
			...statements.flatMap(({example}): ReadonlyArray<readonly [string, string]> => [['before', printReplay(example, report.from, {more: report.replayWith.from, program})], ['after', printReplay(example, report.to, {more: report.replayWith.to, program})]]),
		],
		pictures: () => picturesOfMoves(statements),
		durationMs: report.durationMs,
	};
}

function outcomeOf(report: ComparisonReport): CaseOutcome {
	const {statements, gaps} = report;
	switch (exitStatusOfComparison(report)) {
		case 0: {
			return {kind: 'pass'};
		}

		case 1: {
			return {kind: 'fail', message: `${statements.length === 1 ? '' : `${statements.length} moves, the most severe: `}${describeStatement(statements[0]!)}`, reasons: [...statements.map(statement => describeStatement(statement)), ...gaps.map(({message}) => message)]};
		}

		case 3: {
			return {kind: 'inconclusive', message: gaps[0]?.message ?? summaryOf(report), reasons: gaps.map(({message}) => message)};
		}
	}
}

/** One statement as a sentence. */
export function describeStatement(statement: Statement): string {
	const {traffic, severity, families, cause} = statement;
	return `${traffic.join('; and ')}: ${describeChange(statement)} (${severityWords[severity]}; ${families.map(family => familyNames[family]).join(' and ')}), because ${cause.text}.`;
}
