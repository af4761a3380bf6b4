/** What a coverage is printed as: every reason why nothing reaches a rule, in text, JSON and results. */

import test from 'ava';
import type {RuleCoverage, Unreached} from '../../../../src/judge/rule-coverage.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {rulesOf} from '../../../../src/netfilter/lookup.js';
import type {Rule} from '../../../../src/netfilter/types.js';
import {coverageToJson, resultsOfCoverage} from '../../../../src/report/coverage/json.js';
import {printCoverage} from '../../../../src/report/coverage/text.js';
import {exitStatusOfCoverage, type CoverageReport} from '../../../../src/report/coverage/types.js';
import {exitStatusOfResults} from '../../../../src/report/formats/results.js';
import {holdDocument, printed} from '../../../helpers/json-schemas.js';
import {plainIdentity, sketchReport} from '../../../helpers/reports.js';

const [rule] = [...rulesOf(parseSave('*nat\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n', 'ipv4'))].map(placed => placed.rule) as [Rule];

const reasons: ReadonlyArray<readonly [unreached: Unreached, words: RegExp]> = [
	[{kind: 'shadowed', by: [{place: 'OUTPUT#1', role: 'outbound-jump', packets: 2}]}, /OUTPUT#1/u],
	[{kind: 'no-match', packets: 3, conditions: rule.matches.map(match => ({match, protocol: 'tcp' as const, packets: 3}))}, /--dport 80|-p tcp/u],
	[{kind: 'cut-off', packets: 4}, /4/u],
	[{kind: 'no-packet', from: ['OUTPUT#1']}, /OUTPUT#1/u],
	[{kind: 'no-hook'}, /hook/u],
];

function reportOf(change: Partial<CoverageReport> = {}): CoverageReport {
	const each = (unreached: Unreached | null, index: number): RuleCoverage => ({
		family: 'ip', place: `OUTPUT#${index + 1}`, role: null, rule, language: 'iptables', reach: {types: {hits: unreached === null ? 2 : 0, decided: unreached === null ? 1 : 0}}, unreached,
	});
	return {
		environment: {
			kernel: '6.18', iptables: '1.8.9', nft: '1.0.6', node: '20',
		},
		rules: {
			source: 'release:1.30', release: '1.30', backend: 'iptables-nft', identity: plainIdentity, sha256: '0123456789abcdef', notes: [],
		},
		families: ['ipv4'],
		cases: [{name: 'types', probes: 6}],
		classes: 19,
		coverage: [null, ...reasons.map(([unreached]) => unreached)].map((unreached, index) => each(unreached, index)),
		required: [],
		places: new Map(),
		examples: new Map(),
		gaps: [],
		hints: ['A hint.'],
		durationMs: 5,
		...change,
	};
}

test('the JSON is valid by its schema', t => {
	const report = reportOf({gaps: [{kind: 'no-end', message: 'It did not end.'}]});
	holdDocument(t, 'coverage', {document: printed(coverageToJson(report)), open: /^\.coverage\[\]\.reach\.types$/u});
});

for (const [index, [unreached, words]] of reasons.entries()) {
	test(`${unreached.kind}: the reason is in the JSON and in the text`, t => {
		const {because} = coverageToJson(reportOf()).coverage[index + 1]!.unreached!;
		t.regex(because, words);
		const text = printCoverage(reportOf(), {color: false, width: 500, verbose: true});
		t.true(text.includes(because), text);
	});
}

/** A rule that the complete probes reach, and the types do not. */
const missed: RuleCoverage = {
	family: 'ip', place: 'OUTPUT#1', role: null, rule, language: 'iptables', reach: {types: {hits: 0, decided: 0}}, unreached: null,
};

for (const [title, change, status] of [
	['known', {}, 0],
	['required cases reach every rule that can be reached', {required: ['types']}, 0],
	['required cases miss a rule', {required: ['types'], coverage: [missed]}, 1],
	['a gap, and rules that nothing was seen to reach', {gaps: [{kind: 'lost-events', message: 'One event was lost.'}]}, 3],
	['a rule that was missed for certain, and a gap', {required: ['types'], coverage: [missed], gaps: [{kind: 'lost-events', message: 'One event was lost.'}]}, 1],
	['no rule', {coverage: []}, 3],
] as const) {
	test(`exit status ${status}: ${title}`, t => {
		const report = reportOf(change);
		t.is(exitStatusOfCoverage(report), status);
		t.is(exitStatusOfResults(resultsOfCoverage(report)), status);
	});
}

test('a rule that the cases miss is drawn by a packet that reaches it', t => {
	const sketched = sketchReport({ids: ['2']});
	const shown = {to: {ruleSet: sketched.loaded!.rules, probeResult: {legs: sketched.types[0]!.legs, isLoop: false, gaps: []}}};
	const report = reportOf({examples: new Map([[rule, {shown, example: {family: 'ipv4', mark: undefined}}]])});
	const [first] = resultsOfCoverage(report).suites[0]!.cases;
	t.deepEqual(first!.pictures!().map(({connection: {title}}) => title), ['A packet that reaches it, IPv4']);
	t.is(resultsOfCoverage(reportOf()).suites[0]!.cases[0]!.pictures, undefined);
});
