/** Ambient mode: ztunnel's stub and the agent's rules in the pod, by every back end. */

import test from 'ava';
import {parseSave, printSave} from '../../src/netfilter/iptables/save.js';
import {backends} from '../../src/netfilter/types.js';
import {typeIds} from '../../src/istio/traffic/six-types.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {runMany} from '../../testbed/run/run-many.js';
import {
	inputOf, optionsOf, outcomesOf, replace, resultOf, run, stopsOf,
} from './_run.js';

const families = ['ipv4', 'ipv6'] as const;
const ztunnel = {uid: 0, gid: 1337};

for (const backend of backends) {
	test(`the types pass as the options say, ${backend}`, async t => {
		const sources = ['', '--ingress', '--redirect-dns=false', '--reroute-virtual-interfaces eth0', '--reroute-virtual-interfaces vm0'].map(options => `ambient:1.30 ${options}`.trim());
		const entries = await runMany(sources.map(source => optionsOf({
			rules: loadRuleInput({source, families, backend}), families, types: typeIds, credentials: {proxy: ztunnel},
		})), {jobs: 2});
		for (const [index, entry] of entries.entries()) {
			t.is(entry.kind, 'report');
			const outcomes = entry.kind === 'report' ? outcomesOf(entry.report) : {};
			t.deepEqual(Object.entries(outcomes).filter(([, outcome]) => outcome !== 'pass'), [], sources[index]);
			t.is(Object.keys(outcomes).length, typeIds.length * 2);
		}
	});
}

test('the app sees the client, and what ztunnel sends is not captured again', async t => {
	const report = await run({rules: loadRuleInput({source: 'ambient:1.30', families: ['ipv4']}), credentials: {proxy: ztunnel}});
	const [, toApp] = resultOf(report, '1').legs;
	t.is(toApp?.from.address, '10.244.1.20');
	t.is(stopsOf(report, '2'), 'proxy:15001 → remote:8080');
	t.true(report.types.every(({published}) => published === null), 'the article treats sidecars');
});

test('goes red: without the exception for packets that ztunnel marked, the connection loops', async t => {
	const rules = loadRuleInput({source: 'ambient:1.30', families: ['ipv4']});
	const dump = replace(printSave(rules.ruleSet, 'ipv4'), '-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -p tcp -m mark ! --mark 0x539/0xfff -j REDIRECT --to-ports 15001', '-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -p tcp -j REDIRECT --to-ports 15001');
	const report = await run({rules: {...rules, ruleSet: parseSave(dump, 'ipv4')}, credentials: {proxy: ztunnel}, types: ['2']});
	t.is(resultOf(report, '2').outcome.kind, 'fail');
	t.true(resultOf(report, '2').loop);
});

test('a dump of ambient rules is recognized, and its routes are set up', async t => {
	const {ruleSet, routing} = loadRuleInput({source: 'ambient:1.30', families: ['ipv4']});
	const rules = await inputOf(printSave(ruleSet, 'ipv4'));
	t.deepEqual(rules.routing, routing);
	t.truthy(rules.intent.ambient);
	const report = await run({rules, credentials: {proxy: ztunnel}});
	t.deepEqual(Object.values(outcomesOf(report)).filter(outcome => outcome !== 'pass'), []);
	t.deepEqual(report.ruleNotes.filter(({kind}) => kind !== 'not-reached'), []);
});
