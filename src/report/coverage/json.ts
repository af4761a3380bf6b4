/**
Rule coverage as JSON (version 1), and as results for machines.
*/

import type {RuleCoverage} from '../../judge/rule-coverage.js';
import {withDoubt, type CaseOutcome, type ResultCase, type Results} from '../formats/results.js';
import {pictureOfExample} from '../pictures/pictures.js';
import {
	isDoubtful, missingCases, type CoverageReport,
} from './types.js';
import type {CoverageDocument} from './schema.js';
import {describeRule, describeUnreached} from './describe.js';

/** The document, ready for `JSON.stringify`. */
export function coverageToJson(report: CoverageReport): CoverageDocument {
	const {environment, rules, families, cases, classes, coverage, required, gaps, hints, durationMs} = report;
	return {
		version: 1,
		environment,
		rules,
		families,
		cases,
		classes,
		required,
		coverage: coverage.map(each => ({
			family: each.family,
			place: each.place,
			role: each.role,
			rule: each.rule.text,
			reach: each.reach,
			unreached: each.unreached === null ? null : {...each.unreached, because: describeUnreached(each.unreached, each)},
			missing: missingCases(report, each),
		})),
		gaps,
		hints,
		summary: {rules: coverage.length, reachable: coverage.filter(({unreached}) => unreached === null).length},
		durationMs,
	};
}

/** One case per rule. A rule that nothing can reach decides nothing unless it was required. */
export function resultsOfCoverage(report: CoverageReport): Results {
	const {environment, rules: {source, release, backend, sha256, notes}, coverage, hints, durationMs} = report;
	return withDoubt({
		name: 'testbed coverage',
		suites: [{
			name: `${source}, ${backend}`,
			properties: {
				rules: source, ...(release === null ? {} : {release}), backend, sha256, ...environment,
			},
			cases: coverage.map(rule => caseOf(rule, report)),
			hints: [...notes, ...hints],
			durationMs,
		}],
		durationMs,
	});
}

function caseOf(rule: RuleCoverage, report: CoverageReport): ResultCase {
	const place = report.places.get(rule.rule);
	const example = report.examples.get(rule.rule);
	return {
		name: `${rule.family} ${describeRule(rule)}`,
		outcome: outcomeOf(rule, report),
		notes: Object.entries(rule.reach).map(([name, {hits, decided}]) => [name, `${hits} hits, decided ${decided}`] as const),
		...(place === undefined ? {} : {place}),
		...(example === undefined ? {} : {pictures: () => pictureOfExample(example)}),
	};
}

function outcomeOf(rule: RuleCoverage, report: CoverageReport): CaseOutcome {
	const why = rule.unreached === null ? undefined : describeUnreached(rule.unreached, rule);
	if (isDoubtful(report, rule)) {
		return {kind: 'inconclusive', message: `Not reached, but the evidence has a gap: ${report.gaps[0]!.message}`, reasons: report.gaps.map(({message}) => message)};
	}

	const missing = missingCases(report, rule);
	if (missing.length > 0) {
		const message = `Not reached by ${missing.join(', ')}${why === undefined ? '' : `: ${why}`}.`;
		return {kind: 'fail', message, reasons: [message]};
	}

	return why === undefined ? {kind: 'pass'} : {kind: 'unavailable', message: `It cannot matter in this topology: ${why}.`};
}
