/** Answers that the rules drop, as the prober sees them: on every back end the end of the connection, with the rule; and nothing of the kind where evidence is missing. */

import test from 'ava';
import {printLegEnd} from '../../src/netfilter/path.js';
import {tableFamily} from '../../src/netfilter/lookup.js';
import {backends, type Backend} from '../../src/netfilter/types.js';
import type {ProbeAnswer} from '../../testbed/prober/prober.js';
import {gapsIn, request, withProber} from './_prober.js';

type Drop = {readonly hook: 'INPUT' | 'OUTPUT'; readonly iptables: string; readonly nft: string};

/** One rule that drops, and one of the other hook that every packet passes. */
function dropping({hook, iptables, nft}: Drop, backend: Backend): string {
	if (backend === 'nftables') {
		return `table ${tableFamily('ipv4')} filter {\n\tchain ${hook} {\n\t\ttype filter hook ${hook.toLowerCase()} priority 0; policy accept;\n\t\t${nft}\n\t}\n}\n`;
	}

	return ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', `-A ${hook} ${iptables}`, 'COMMIT', ''].join('\n');
}

const fromPort8080 = (hook: Drop['hook']): Drop => ({hook, iptables: '-p tcp -m tcp --sport 8080 -j DROP', nft: 'tcp sport 8080 counter drop'});
const pod = {address: '10.244.1.10', port: 8080};

function endsOf(answers: readonly ProbeAnswer[]): readonly string[] {
	return answers.map(({leg}) => leg === undefined ? 'not sent' : printLegEnd(leg.end));
}

for (const backend of backends) {
	test.serial(`${backend}: in INPUT, from another host and over lo; another port is not touched`, async t => {
		await withProber({backend, rules: dropping(fromPort8080('INPUT'), backend)}, async prober => {
			const answers = await prober.probe([
				request('remote'), request('other port', {to: {address: '10.244.1.20', port: 8081}}), request('pod', {to: pod}), request('localhost', {to: {address: '127.0.0.1', port: 8080}}), request('from outside', {from: 'remote', to: pod}),
			]);
			t.deepEqual(endsOf(answers), ['answer-dropped by filter:INPUT#1', 'refused', 'answer-dropped by filter:INPUT#1', 'answer-dropped by filter:INPUT#1', 'refused']);
			t.deepEqual(gapsIn(answers), []);
			t.like(answers[0]!.leg!.end, {kind: 'answer-dropped', at: {address: '10.244.1.20', port: 8080}});
			t.is(prober.repeated, 3, 'only what has no answer is sent again');
			t.deepEqual(endsOf(await prober.probe([request('again', {to: {address: '10.244.1.20', port: 8081}})])), ['refused']);
		});
	});

	test.serial(`${backend}: in OUTPUT, to another host`, async t => {
		await withProber({backend, rules: dropping(fromPort8080('OUTPUT'), backend)}, async prober => {
			const answers = await prober.probe([request('from outside', {from: 'remote', to: pod}), request('out'), request('over lo', {to: pod})]);
			t.deepEqual(endsOf(answers), ['answer-dropped by filter:OUTPUT#1', 'refused', 'answer-dropped by filter:OUTPUT#1']);
			t.deepEqual(gapsIn(answers), []);
		});
	});

	test.serial(`${backend}: many at once: each its own`, async t => {
		await withProber({backend, rules: dropping(fromPort8080('INPUT'), backend)}, async prober => {
			const answers = await prober.probe(Array.from({length: 600}, (_, index) => request(index, {to: {address: index % 2 === 0 ? '10.244.1.20' : '10.244.1.10', port: 8080 + (index % 3)}})));
			t.deepEqual(gapsIn(answers), []);
			t.deepEqual(endsOf(answers), answers.map((_, index) => index % 3 === 0 ? 'answer-dropped by filter:INPUT#1' : 'refused'));
		});
	});

	test.serial(`${backend}: goes red: a rule that looks at flags may let another answer through`, async t => {
		const rule: Drop = {hook: 'INPUT', iptables: '-p tcp -m tcp --sport 8080 --tcp-flags RST RST -j DROP', nft: 'tcp sport 8080 tcp flags & rst == rst counter drop'};
		await withProber({backend, rules: dropping(rule, backend)}, async prober => {
			const answers = await prober.probe([request('remote')]);
			t.deepEqual(endsOf(answers), ['unknown']);
			t.deepEqual(answers[0]!.gaps.map(({kind}) => kind), ['no-end']);
		});
	});
}

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test.serial(`${backend}: goes red: events are lost, so nothing is known`, async t => {
		await withProber({backend, bufferBytes: 1, rules: dropping(fromPort8080('INPUT'), backend)}, async prober => {
			const [answer] = await prober.probe([request('remote')]);
			t.not(answer!.leg!.end.kind, 'answer-dropped');
			t.true(answer!.gaps.some(({kind}) => kind === 'lost-events'), gapsIn([answer!]).join('; '));
		});
	});
}

test.serial('goes red: without the rule\'s message, the trace of the answer shows no end', async t => {
	await withProber({rules: dropping(fromPort8080('INPUT'), 'iptables-nft')}, async (prober, {sandbox}) => {
		// Another table takes the answer's trace off before the rule drops it.
		await sandbox.pod.run('nft', ['-f', '-'], {input: 'table inet other {\n\tchain untraced {\n\t\ttype filter hook input priority -10;\n\t\ttcp flags & rst == rst meta nftrace set 0\n\t}\n}\n'});
		const [answer] = await prober.probe([request('remote')]);
		t.is(answer!.leg!.end.kind, 'unknown');
		t.true(answer!.gaps.some(({kind}) => kind === 'no-end'));
	});
});
