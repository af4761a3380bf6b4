/** Invalid packets by the prober: nat skips them, rules that match the state do not, and only the extra check shows that they were invalid. */

import test from 'ava';
import {backends, type Backend} from '../../src/netfilter/types.js';
import {TestbedError} from '../../testbed/errors.js';
import type {ProbeAnswer} from '../../testbed/prober/prober.js';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import {traceTable} from '../../testbed/sandbox/own-table.js';
import {
	gapsIn, request, pathOf, withProber,
} from './_prober.js';

const pod = {ipv4: '10.244.1.10', ipv6: '2001:db8:1::10'} as const;
const remote = {ipv4: '10.244.1.20', ipv6: '2001:db8:1::20'} as const;
const invalid = (id: string, other: Partial<ProbeRequest>): ProbeRequest => request(id, {packet: 'invalid', ...other});
const hitsOf = ({leg}: ProbeAnswer): readonly string[] => leg?.traversals.flatMap(({hits}) => hits.map(({table, chain, number}) => `${table} ${chain}#${number}`)) ?? [];

for (const backend of backends) {
	test.serial(`${backend}: an invalid packet meets no nat rule, in either direction, and its sender is known`, async t => {
		await withProber({backend, families: ['ipv4', 'ipv6'], hasInvalid: true}, async prober => {
			const answers = await prober.probe((['ipv4', 'ipv6'] as const).flatMap(family => [
				invalid(`in ${family}`, {from: 'remote', to: {address: pod[family], port: 8080}}),
				invalid(`out ${family}`, {uid: 1234, gid: 5678, to: {address: remote[family], port: 8080}}),
				invalid(`out ${family} from a port of its own, marked`, {sourcePort: 41_000, mark: 7, to: {address: remote[family], port: 8080}}),
				invalid(`within ${family}`, {to: {address: pod[family], port: 8080}}),
				request(`in ${family}, as it should be`, {from: 'remote', to: {address: pod[family], port: 8080}}),
			]));
			t.deepEqual(gapsIn(answers), []);
			for (const answer of answers) {
				t.is(answer.leg?.end.kind, 'refused', answer.id);
				t.is(hitsOf(answer).length > 0, answer.id.endsWith('as it should be'), answer.id);
				t.is(answer.leg?.deliveredTo?.port, answer.id.endsWith('as it should be') ? 15_006 : 8080, answer.id);
			}

			t.deepEqual(answers[1]!.leg?.socket, {uid: 1234, gid: 5678});
			t.is(answers[2]!.leg?.from.port, 41_000);
		});
	});
}

const mangle = '*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n';

for (const backend of ['iptables-nft', 'iptables-legacy'] satisfies readonly Backend[]) {
	test.serial(`${backend}: a rule for the state INVALID drops it; a packet that leaves the pod can get no answer`, async t => {
		await withProber({backend, rules: mangle, hasInvalid: true}, async prober => {
			const answers = await prober.probe([
				invalid('in', {from: 'remote', to: {address: pod.ipv4, port: 8080}}),
				invalid('within', {to: {address: pod.ipv4, port: 8080}}),
				invalid('out', {}),
				request('in as it should be', {from: 'remote', to: {address: pod.ipv4, port: 8080}}),
			]);
			t.deepEqual(gapsIn(answers), []);
			t.deepEqual(answers.map(answer => `${answer.leg?.end.kind} ${hitsOf(answer).join(' ')}`.trim()), ['dropped mangle PREROUTING#1', 'dropped mangle PREROUTING#1', 'unknown', 'refused']);
			t.is(pathOf(answers[0]!), 'remote > mangle:PREROUTING#1 > dropped by mangle:PREROUTING#1');
		});
	});
}

test.serial('a packet that should be invalid and is not, or that no rule saw as invalid, is a gap', async t => {
	const untracked = '*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -p tcp -j CT --notrack\nCOMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j REDIRECT --to-ports 1\nCOMMIT\n';
	const kindsOf = (answers: readonly ProbeAnswer[]): readonly string[] => [...new Set(answers.flatMap(({gaps}) => gaps.map(({kind}) => kind)))];
	const inbound = invalid('in', {from: 'remote', to: {address: pod.ipv4, port: 8080}});
	await withProber({rules: untracked, hasInvalid: true}, async prober => {
		// The same way, of a packet that is none: what was found whole before must not vouch for it.
		t.deepEqual(kindsOf(await prober.probe([request('untracked', {from: 'remote', to: inbound.to})])), []);
		t.deepEqual(kindsOf(await prober.probe([inbound])), ['unwitnessed']);
	});
	await withProber({hasInvalid: true}, async (prober, {sandbox}) => {
		t.deepEqual(kindsOf(await prober.probe([inbound])), []);
		await sandbox.pod.run('nft', ['-f', '-'], {input: `flush chain inet ${traceTable} invalid-received\n`});
		t.deepEqual(kindsOf(await prober.probe([inbound])), ['unwitnessed', 'not-traced']);
	});
});

test.serial('many at once, and a prober that was not created for them', async t => {
	await withProber({hasInvalid: true}, async prober => {
		const answers = await prober.probe(Array.from({length: 2000}, (_, index) => invalid(String(index), index % 2 === 0 ? {uid: 10_000 + index} : {from: 'remote', to: {address: pod.ipv4, port: 8080}})));
		t.deepEqual(gapsIn(answers), []);
		t.true(answers.every(({leg}) => leg?.end.kind === 'refused'));
	});
	await withProber({}, async prober => {
		await t.throwsAsync(prober.probe([invalid('x', {})]), {instanceOf: TestbedError, code: 'INPUT', message: 'Probe x cannot be sent: this prober was not created for invalid packets.'});
	});
});
