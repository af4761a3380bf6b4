/** The prober on the kernel: complete paths on every back end, equal to those of the reference decoder for the same bytes, and nothing lost silently. */

import test from 'ava';
import type {LegEnd} from '../../src/netfilter/path.js';
import {backends} from '../../src/netfilter/types.js';
import type {TraceEvent} from '../../src/trace/decode/event.js';
import {Joiner} from '../../src/trace/legs.js';
import {createLookup} from '../../src/trace/lookup.js';
import {decodeNftTrace} from '../../src/trace/decode/nft-trace.js';
import {assemblePackets} from '../../src/trace/packets.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import {TestbedError} from '../../testbed/errors.js';
import {loadCounts} from '../../testbed/prober/counters.js';
import {proberTableText} from '../../testbed/prober/trace-table.js';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import {closeDescriptor} from '../../testbed/syscalls/netns.js';
import {joinNetlinkGroup, openNetfilterSocket, receiveNow} from '../../testbed/syscalls/netlink-socket.js';
import {traceTable} from '../../testbed/sandbox/own-table.js';
import {
	gapsIn, request, pathOf, withProber,
} from './_prober.js';

/** A port that the kernel gives to no other probe (the sandbox's ip_local_port_range begins at 32768): one that got it as well would be sent twice. */
const ownPort = 21_000;

/** What is asked, the nat rules that it meets (by number, as iptables has them), and where it is delivered. */
const packets: ReadonlyArray<{readonly title: string; readonly probe: Partial<ProbeRequest>; readonly rules: readonly string[]; readonly deliveredTo: string | undefined; readonly end?: LegEnd['kind']}> = [
	{title: 'app → remote', probe: {}, rules: ['output#1', 'istio-output#9', 'istio-redirect#1'], deliveredTo: '127.0.0.1:15001'},
	{title: 'proxy → remote', probe: {uid: 1337, gid: 1337}, rules: ['output#1', 'istio-output#4'], deliveredTo: '10.244.1.20:8080'},
	{title: 'remote → pod', probe: {from: 'remote', to: {address: '10.244.1.10', port: 8080}}, rules: ['prerouting#1', 'istio-inbound#5', 'istio-in-redirect#1'], deliveredTo: '10.244.1.10:15006'},
	{title: 'remote → metrics', probe: {from: 'remote', to: {address: '10.244.1.10', port: 15_090}}, rules: ['prerouting#1', 'istio-inbound#2'], deliveredTo: '10.244.1.10:15090'},
	{title: 'app → localhost', probe: {to: {address: '127.0.0.1', port: 80}}, rules: ['output#1', 'istio-output#3'], deliveredTo: '127.0.0.1:80'},
	{title: 'app → localhost from another device', probe: {to: {address: '127.0.0.1', port: 80}, bindDevice: 'eth0'}, rules: ['output#1', 'istio-output#8'], deliveredTo: undefined, end: 'lost'},
	{title: 'proxy → its own pod', probe: {uid: 1337, gid: 1337, to: {address: '10.244.1.10', port: 8080}}, rules: ['output#1', 'istio-output#2', 'istio-in-redirect#1'], deliveredTo: '127.0.0.1:15006'},
	{title: 'proxy → app, from 127.0.0.6', probe: {uid: 1337, gid: 1337, to: {address: '10.244.1.10', port: 8080}, source: '127.0.0.6'}, rules: ['output#1', 'istio-output#1'], deliveredTo: '10.244.1.10:8080'},
	{title: 'app → remote from a port of its own, marked', probe: {sourcePort: ownPort, mark: 0x5_39}, rules: ['output#1', 'istio-output#9', 'istio-redirect#1'], deliveredTo: '127.0.0.1:15001'},
	{title: 'a user beyond 31 bits', probe: {uid: 4_000_000_000, gid: 3_000_000_000}, rules: ['output#1', 'istio-output#9', 'istio-redirect#1'], deliveredTo: '127.0.0.1:15001'},
	{title: 'IPv6, app → remote', probe: {to: {address: '2001:db8:1::20', port: 8080}}, rules: ['output#1', 'istio-output#9', 'istio-redirect#1'], deliveredTo: '::1:15001'},
	{title: 'IPv6, remote → pod', probe: {from: 'remote', to: {address: '2001:db8:1::10', port: 8080}}, rules: ['prerouting#1', 'istio-inbound#5', 'istio-in-redirect#1'], deliveredTo: '2001:db8:1::10:15006'},
	{title: 'an address that is nobody\'s, into the pod', probe: {from: 'remote', source: '192.0.2.7', to: {address: '10.244.1.10', port: 8080}}, rules: ['prerouting#1', 'istio-inbound#5', 'istio-in-redirect#1'], deliveredTo: '10.244.1.10:15006', end: 'unknown'},
	{title: 'a neighbour that is not there', probe: {uid: 1337, gid: 1337, to: {address: '10.244.1.99', port: 80}}, rules: ['output#1', 'istio-output#4'], deliveredTo: undefined, end: 'unreachable'},
];

for (const backend of backends) {
	test.serial(`${backend}: each probe has its complete path, its owner and its target`, async t => {
		await withProber({backend, families: ['ipv4', 'ipv6']}, async prober => {
			const answers = await prober.probe(packets.map(({title, probe}) => request(title, probe)));
			t.deepEqual(answers.map(({id}) => id), packets.map(({title}) => title), 'in the order of the requests');
			for (const [index, {title, probe, rules, deliveredTo, end = 'refused'}] of packets.entries()) {
				const {leg, gaps} = answers[index]!;
				const hits = leg!.traversals.flatMap(({hits: some}) => some.map(({chain, number}) => `${chain.toLowerCase().replaceAll('_', '-')}#${number}`));
				// Native rules have numbers of their own: there the chains must agree.
				const shown = (steps: readonly string[]) => backend === 'nftables' ? steps.map(step => step.split('#')[0]) : steps;
				t.deepEqual(shown(hits), shown(rules), title);
				t.is(leg!.end.kind, end, title);
				t.is(leg!.deliveredTo === undefined ? undefined : `${leg!.deliveredTo.address}:${leg!.deliveredTo.port}`, deliveredTo, title);
				t.deepEqual(leg!.socket, probe.from === 'remote' ? undefined : {uid: probe.uid ?? 1000, gid: probe.gid ?? 1000}, title);
				t.deepEqual(gaps.map(({kind}) => kind), [], title);
			}

			t.is(answers[8]!.leg!.from.port, ownPort);
		});
	});
}

test.serial('UDP: refused, accepted and dropped', async t => {
	const rules = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -m udp --dport 9 -j DROP\n-A OUTPUT -p tcp -m tcp --dport 9 -j DROP\n-A OUTPUT -p tcp -m tcp --dport 10 -j REJECT --reject-with tcp-reset\nCOMMIT\n';
	for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
		await withProber({backend, rules}, async prober => { // eslint-disable-line no-await-in-loop -- One sandbox at a time.
			const port = (number: number) => ({address: '10.244.1.20', port: number});
			const many = Array.from({length: 300}, (_, index) => request(`u${index}`, {protocol: 'udp', to: port(100 + index)}));
			const answers = await prober.probe([request('drop', {to: port(9)}), request('udp drop', {protocol: 'udp', to: port(9)}), request('reject', {to: port(10)}), ...many]);
			t.is(prober.unanswered, 0, 'nobody waits for the end of what the rules dropped');
			t.deepEqual(answers.slice(0, 4).map(answer => pathOf(answer)), [
				'pod > filter:OUTPUT#2 > dropped by filter:OUTPUT#2',
				'pod > filter:OUTPUT#1 > dropped by filter:OUTPUT#1',
				'pod > filter:OUTPUT#3 > dropped by filter:OUTPUT#3', 'pod > filter:OUTPUT > refused',
			]);
			t.deepEqual(gapsIn(answers), []);
			t.true(answers.slice(3).every(({leg}) => leg!.end.kind === 'refused'));
		});
	}
});

test.serial('a native rule without a counter is no gap, also in a table of one family', async t => {
	const rules = 'table ip own {\n\tchain out {\n\t\ttype nat hook output priority -100; policy accept;\n\t\tmeta l4proto tcp redirect to :15001\n\t}\n}\n';
	await withProber({backend: 'nftables', rules}, async prober => {
		const [answer] = await prober.probe([request(1)]);
		t.deepEqual(gapsIn([answer!]), []);
		t.regex(pathOf(answer!), /own:out#1/u);
	});
});

test.serial('from the same bytes, the reference decoder makes the same legs', async t => {
	await withProber({families: ['ipv4', 'ipv6']}, async (prober, {sandbox, ruleSet}) => {
		// The trace is sent to all who listen: a second socket gets the very messages.
		const fd = sandbox.pod.enter(() => openNetfilterSocket(64 << 20));
		joinNetlinkGroup(fd, 9);
		const probes = packets.filter(({end}) => end === undefined).flatMap(({probe: {sourcePort, ...probe}}) => [1, 2, 3].map(turn => ({
			...probe, ...(sourcePort === undefined ? {} : {sourcePort: sourcePort + turn}),
		})));
		const answers = await prober.probe(probes.map((probe, index) => request(index, probe)));
		const events: TraceEvent[] = [];
		const buffer = new Uint8Array(8192);
		for (let length = receiveNow(fd, buffer); length > 0; length = receiveNow(fd, buffer)) {
			events.push(...decodeNftTrace(buffer.subarray(0, length)).events);
		}

		closeDescriptor(fd);
		const {rules: loaded} = await loadCounts(sandbox.pod, {backend: 'iptables-nft', families: ['ipv4', 'ipv6'], lockFile: '/dev/null'});
		const {packets: assembled, orphans} = assemblePackets(events, createLookup({
			ruleSet, loaded, interfaces: sandbox.pod.interfaces(), traceTable,
		}));
		t.is(orphans, 0);
		t.is(assembled.length, probes.length);
		const sockets = answers.flatMap(({id, leg}): SocketRecord[] => [
			{
				kind: 'opened', id, parent: undefined, actor: leg!.actor, family: leg!.family, from: leg!.from, to: leg!.to,
			},
			{
				kind: 'ended', id, result: 'refused', reason: '',
			},
		]);
		const joiner = new Joiner({
			sockets, packets: assembled, owners: [], ruleSet,
		});
		for (const {id, leg} of answers) {
			const {path, gaps} = joiner.join(id);
			t.deepEqual(gaps, []);
			const {deliveredTo, arrivedBy, socket, ...rest} = leg!;
			t.truthy(deliveredTo);
			t.truthy(arrivedBy);
			t.deepEqual({...path.legs[0]!, socket}, {...rest, socket});
		}
	});
});

test.serial('thousands at once: each is complete and has its own answer', async t => {
	await withProber({batchSize: 1000}, async prober => {
		const requests = Array.from({length: 5000}, (_, index) => request(index, {uid: 10_000 + index, gid: 20_000 + index, ...packets[index % 5]!.probe}));
		const answers = await prober.probe(requests);
		t.deepEqual(gapsIn(answers), []);
		for (const [index, {id, leg}] of answers.entries()) {
			const {rules, probe} = packets[index % 5]!;
			const hits = leg!.traversals.flatMap(({hits: some}) => some.map(({chain, number}) => `${chain.toLowerCase().replaceAll('_', '-')}#${number}`));
			if (id !== String(index) || hits.join(' ') !== rules.join(' ') || (probe.from === undefined && leg!.socket!.uid !== (probe.uid ?? 10_000 + index))) {
				t.fail(`${id} met ${hits.join(' ')} as ${leg!.socket?.uid}`);
			}
		}
	});
});

test.serial('a trace buffer that is too small: the batches are repeated and become smaller until all are complete', async t => {
	await withProber({bufferBytes: 96 << 10}, async prober => {
		const answers = await prober.probe(Array.from({length: 256}, (_, index) => request(index)));
		t.true(prober.repeated > 0);
		t.deepEqual(gapsIn(answers), []);
		t.true(answers.every(answer => pathOf(answer) === 'pod > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > POSTROUTING > refused'));
	});
});

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test.serial(`a trace buffer that holds nothing, ${backend}: every answer reports lost events`, async t => {
		await withProber({backend, bufferBytes: 1}, async prober => {
			const answers = await prober.probe(Array.from({length: 40}, (_, index) => request(index)));
			t.true(answers.every(({gaps}) => gaps.some(({kind}) => kind === 'lost-events')), JSON.stringify(answers[0]!.gaps));
		});
	});
}

/** Ways to remove evidence, after the prober has started. */
const switchRules = 'tcp flags & (fin|syn|rst|ack) == syn';
for (const {title, nft, kinds} of [
	{title: 'no owner is counted', nft: `flush chain inet ${traceTable} output\nadd rule inet ${traceTable} output ${switchRules} meta nftrace set 1 accept`, kinds: ['credentials']},
	{title: 'nothing is traced, and counters go on', nft: `flush chain inet ${traceTable} output`, kinds: ['counter-mismatch', 'not-traced']},
	{title: 'no chain shows where packets arrive', nft: `delete chain inet ${traceTable} sent\ndelete chain inet ${traceTable} arrived`, kinds: ['not-traced']},
	{title: 'a rule was added meanwhile', nft: 'add rule ip nat OUTPUT counter', kinds: ['rules-differ']},
]) {
	test.serial(`missing evidence is a gap: ${title}`, async t => {
		await withProber({}, async (prober, {sandbox}) => {
			const [first] = await prober.probe([request('before')]);
			t.deepEqual(first!.gaps, []);
			await sandbox.pod.run('nft', ['-f', '-'], {input: `${nft}\n`});
			const [after] = await prober.probe([request('after')]);
			for (const kind of kinds) {
				t.true(after!.gaps.some(gap => gap.kind === kind), `${kind}: ${JSON.stringify(after!.gaps)}`);
			}

			t.true(proberTableText().includes('sent'));
		});
	});
}

test.serial('an impossible request is refused before anything is sent', async t => {
	await withProber({}, async prober => {
		await t.throwsAsync(prober.probe([request('good'), request('bad', {uid: 0xFF_FF_FF_FF})]), {instanceOf: TestbedError, code: 'INPUT', message: /Probe bad cannot be sent: its uid is 4294967295/u});
		await t.throwsAsync(prober.probe([request('no device', {bindDevice: 'eth7'})]), {instanceOf: TestbedError, code: 'INPUT', message: /Probe no device cannot be sent: its bindDevice is "eth7"; it must be one of lo, eth0/u});
	});
});

/** The inbound rule of TPROXY alone, and what makes the kernel deliver what it marks. */
const toPort15099 = '*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j TPROXY --on-port 15099 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff\n-A PREROUTING -i eth0 -p udp -m udp --dport 80 -j TPROXY --on-port 15099 --on-ip 0.0.0.0 --tproxy-mark 0x539/0xffffffff\nCOMMIT\n';

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test.serial(`${backend}: TPROXY finds the socket that listens, drops packets if there is none, and nothing accumulates`, async t => {
		const listening = [{protocol: 'tcp', port: 15_099}, {protocol: 'udp', port: 15_099}] as const;
		await withProber({backend, rules: toPort15099, listening, timeoutMs: 5000}, async (prober, {sandbox, ruleSet}) => {
			const requests = (count: number) => Array.from({length: count}, (_, index) => request(index, {from: 'remote', protocol: index % 2 === 0 ? 'tcp' : 'udp', to: {address: '10.244.1.10', port: 80}}));
			const taken = await prober.probe(requests(4000));
			t.deepEqual(gapsIn(taken), []);
			t.true(taken.every(({leg}) => leg!.deliveredTo?.port === 15_099 && leg!.arrivedBy === 'input' && leg!.end.kind === 'refused'));
			t.is(prober.repeated, 0);
			const queues = await sandbox.pod.run('ss', ['-Hatun']);
			t.true(queues.split('\n').filter(line => line !== '').every(line => /(?:LISTEN|UNCONN)\s+0\s/u.test(line)), queues);

			await prober.renew({ruleSet, listening: [{protocol: 'tcp', port: 15_006}]});
			const lost = await prober.probe(requests(4));
			t.is(prober.unanswered, 0, 'what is dropped is not waited for');
			t.deepEqual(gapsIn(lost), []);
			t.deepEqual(lost.map(({leg}) => [leg!.end.kind, leg!.end.kind === 'dropped' ? leg!.end.by?.text : undefined]), [0, 1, 0, 1].map(index => ['dropped', ruleSet.tables[0]!.chains[0]!.rules[index]!.text]));

			await prober.renew({ruleSet, listening});
			const again = await prober.probe(requests(4));
			t.true(again.every(({leg}) => leg!.deliveredTo?.port === 15_099));
			t.is(prober.repeated, 0, 'other rules are no loss');
		});
	});
}
