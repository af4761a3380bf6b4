/** A comparison as it is printed: what moved first, how much was compared always. */

import test from 'ava';
import type {RuleSet} from '../../../../src/netfilter/types.js';
import {comparisonToJson} from '../../../../src/report/comparison/json.js';
import {printComparison} from '../../../../src/report/comparison/text.js';
import type {ComparisonReport} from '../../../../src/report/comparison/types.js';
import {
	describeChange, describeExtent, describeLeftOut, summaryOf,
} from '../../../../src/report/comparison/describe.js';
import {addressFamilies} from '../../../../src/mesh/topology.js';
import {rulesOfRelease, rulesOfTable} from '../../../helpers/class-sets.js';
import {compareSets} from '../../../helpers/probe-results.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {plainIdentity} from '../../../helpers/reports.js';

const newest = 'release:1.30';

function reportOf(sources: readonly [string, string], sides: readonly [RuleSet, RuleSet], change: Partial<ComparisonReport> = {}): ComparisonReport {
	const [from, to] = sources.map(source => ({
		source, release: '1.30', backend: 'iptables-nft', identity: plainIdentity, sha256: '0123456789abcdef0123456789abcdef', notes: [],
	} as const));
	const arePathsCompared = change.arePathsCompared ?? false;
	return {
		...compareSets(...sides, {families: addressFamilies, arePathsCompared}), environment: {
			kernel: '6.18.0', iptables: '1.8.9 (nf_tables)', nft: '1.0.6', node: '20.20.2',
		}, from: from!, to: to!, arePathsCompared, replayWith: {from: [], to: []}, hints: [], durationMs: 1234, ...change,
	};
}

function compareReleases(from: string, to: string, change: Partial<ComparisonReport> = {}): ComparisonReport {
	return reportOf([from, to], [rulesOfRelease(from), rulesOfRelease(to)], change);
}

const nat = (...lines: readonly string[]): RuleSet => rulesOfTable('nat', lines.map(line => `-A OUTPUT ${line}`));
const redirect = '-p tcp -o eth0 -j REDIRECT --to-ports 15001';

/** The names are those of the goldens. */
const reports: Readonly<Record<string, ComparisonReport>> = {
	moved: compareReleases(newest, `${newest} -o 9090 -x 10.96.0.0/12`),
	equal: compareReleases(newest, newest, {hints: ['The option --istio-service-cidr is given twice; the last one counts.']}),
	inconclusive: compareReleases(newest, newest, {outcome: 'inconclusive', gaps: [{kind: 'lost-events', message: 'The trace socket overflowed 3 times: events are lost.'}]}),
	'moved-and-gap': reportOf(['old.rules', 'new.rules'], [nat('-p icmp -j RETURN', '-p tcp -m tcp --sport 40000:50000 -j RETURN', '-m owner --uid-owner 1337 -j RETURN', redirect), nat('-m owner --uid-owner 1337 -j RETURN', redirect)]),
	paths: reportOf(['old.rules', 'new.rules'], [nat('-m owner --uid-owner 1337 -j RETURN', redirect), nat('-m owner --uid-owner 1337 -j RETURN', '-p tcp -m tcp --dport 80 -o eth0 -j REDIRECT --to-ports 15001', redirect)], {arePathsCompared: true}),
};

for (const [name, report] of Object.entries(reports)) {
	test(`text: ${name}`, t => {
		const text = printComparison(report, {color: false, verbose: name === 'moved', width: 80});
		compareWithGolden(t, `comparison/${name}.txt`, text);
		t.deepEqual(text.split('\n').filter(line => line.length > 80 && !/^ {4}(?:testbed probe|echo) /u.test(line)), []);
		t.is(text.split('\n').filter(line => line.includes('testbed probe')).length, report.statements.length * 2, 'a command is a line');
		t.true(text.includes(describeExtent(report).slice(0, 20)), 'how much was compared');
		t.is(report.outcome, name.startsWith('moved') || name === 'paths' ? 'moved' : report.outcome);
	});

	test(`JSON: ${name}`, t => {
		const json = JSON.stringify(comparisonToJson(report), undefined, '\t');
		compareWithGolden(t, `comparison/${name}.json`, `${json}\n`);
	});
}

test('the most severe comes first in the text as well', t => {
	const text = printComparison(reports['moved']!, {color: false, verbose: false, width: 200});
	t.regex(text, /now bypasses the sidecar/u);
	t.true(text.indexOf('now bypasses') < text.lastIndexOf('✖'));
	t.notRegex(text, /left out/u);
	t.regex(printComparison(reports['moved']!, {color: false, verbose: true, width: 200}), /left out\s+\d+ cannot occur/u);
});

test('color changes no word', t => {
	const report = reports['moved']!;
	const plain = printComparison(report, {color: false, verbose: false, width: 80});
	const colored = printComparison(report, {color: true, verbose: false, width: 80});
	t.not(colored, plain);
	t.is(colored.replaceAll(/\u001B\[\d+m/gu, ''), plain); // eslint-disable-line no-control-regex -- Colors are control characters.
});

test('sentences for each kind of move', t => {
	t.is(describeChange({severity: 'bypass', from: ['proxy:15001', 'direct'], to: ['direct']}), 'was proxy:15001 > direct, is direct');
	t.is(describeChange({severity: 'path', from: ['direct'], to: ['direct']}), 'was and is direct');
	const family = {
		family: 'ipv4', classes: 3, probes: 5, fields: [], leftOut: [{kind: 'cannot-occur', because: 'of this', classes: 2}, {kind: 'cannot-be-sent', because: 'of that', classes: 1}],
	} as const;
	t.is(describeExtent({families: [family]}), '3 packet classes in IPv4, 5 probes on each side, over every field that a rule looks at (none)');
	t.is(describeExtent({families: [{...family, fields: ['uid']}, {...family, family: 'ipv6', fields: ['uid', 'mark']}]}), '3 packet classes in IPv4 and 3 packet classes in IPv6, 10 probes on each side, over every field that a rule looks at (user, mark)');
	t.deepEqual(describeLeftOut({families: [family, {...family, family: 'ipv6'}]}), ['4 cannot occur: of this', '2 cannot be sent: of that']);
});

test('the numbers of the summary', t => {
	const {statements, families} = reports['moved']!;
	const gap = {kind: 'no-end', message: 'It did not end.'} as const;
	const all = families.reduce((sum, {classes}) => sum + classes, 0);
	t.is(summaryOf({
		outcome: 'moved', statements: [{...statements[0]!, classes: 2}], families, gaps: [],
	}), `Moved: 2 of ${all} packet classes, in 1 statement.`);
	t.is(summaryOf({
		outcome: 'moved', statements: [{...statements[0]!, classes: 2}, {...statements[0]!, classes: 3}], families, gaps: [gap, gap],
	}), `Moved: 5 of ${all} packet classes, in 2 statements; 2 gaps.`);
	t.is(summaryOf({
		outcome: 'moved', statements: [{...statements[0]!, classes: 2}], families, gaps: [gap],
	}), `Moved: 2 of ${all} packet classes, in 1 statement; 1 gap.`);
	t.is(summaryOf({
		outcome: 'equal', statements: [], families, gaps: [],
	}), 'Equal: every packet class takes the same path.');
	t.is(summaryOf({
		outcome: 'inconclusive', statements: [], families, gaps: [gap],
	}), 'Inconclusive: nothing moved in what could be compared, but there is a gap.');
	t.is(summaryOf({
		outcome: 'inconclusive', statements: [], families, gaps: [gap, gap],
	}), 'Inconclusive: nothing moved in what could be compared, but there are 2 gaps.');
});
