/** Answers in the trace of the prober: a connection whose every answer the rules dropped has that end, and none other has. */

import test from 'ava';
import {printLegEnd, type Traversal} from '../../../../src/netfilter/path.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {addressBytes} from '../../../../src/netfilter/address.js';
import {ProbeJoiner, type JoinedProbe} from '../../../../src/trace/fast/join-probes.js';
import {facts, layout} from '../../../../src/trace/fast/packed-packet.js';

const [syn, rst, ack, fin] = [2, 4, 16, 1];
const [pod, remote] = ['10.244.1.10', '10.244.1.20'];
const sequence = 0xFF_FF_FF_FF; // The number after it is 0.
const dump = (rule: string): string => `*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT ${rule}\nCOMMIT\n`;
const ruleSet = parseSave(dump('-p tcp -m tcp --sport 80 -j DROP'), 'ipv4');

function traversal(chain: 'INPUT' | 'OUTPUT', end: Traversal['end'], isHit = false): Traversal {
	return {
		hook: chain === 'INPUT' ? 'input' : 'output', family: 'ip', table: 'filter', chain, hits: isHit
			? [{
				family: 'ip', table: 'filter', chain, number: 1, handle: 1, text: '-p tcp -m tcp --sport 80 -j DROP', verdict: 'drop',
			}]
			: [],
		end, inInterface: undefined, outInterface: undefined, source: {address: pod, port: 1}, destination: {address: remote, port: 1},
	};
}

/** By their places: sent, an answer that a rule dropped, one that came through, one whose end is not known, one that the policy dropped. */
const shapes: readonly Traversal[] = [
	traversal('OUTPUT', {by: 'policy', verdict: 'accept'}), traversal('INPUT', {by: 'rule', verdict: 'drop'}, true), traversal('INPUT', {by: 'policy', verdict: 'accept'}), traversal('INPUT', {by: 'open'}), traversal('INPUT', {by: 'policy', verdict: 'drop'}),
];
const [wasSent, wasDropped, cameThrough, isOpen, byPolicy] = [0, 1, 2, 3, 4];

function word(address: string): number {
	return new Int32Array(Uint8Array.from(addressBytes(address)).buffer)[0]!;
}

type Row = {
	readonly flags: number; readonly number: number; readonly from: readonly [string, number]; readonly to: readonly [string, number];
	readonly shape: number; readonly known?: number; readonly arrived?: string; readonly protocol?: number;
};

function row({flags, number, from, to, shape, known = 0, arrived = '', protocol = 6}: Row): readonly number[] {
	const words = new Int32Array(layout.traversals + layout.traversalWords);
	const ports = (from[1] << 16) | to[1];
	words[layout.facts] = protocol | facts.seen | (protocol === 6 ? facts.sequence : 0) | known;
	words[layout.sequence] = number;
	words[layout.tcpFlags] = flags;
	words[layout.ports] = ports;
	words[layout.source] = word(from[0]);
	words[layout.destination] = word(to[0]);
	words[layout.count] = 1;
	if (arrived !== '') {
		words[layout.arrival] = word(arrived);
		words[layout.arrivalPorts] = ports;
	}

	words[layout.traversals] = shape;
	return [...words];
}

const port = 40_000;
const first = row({
	flags: syn, number: sequence, from: [pod, port], to: [remote, 80], shape: wasSent, known: facts.entryOutput | facts.arrivedPostrouting, arrived: remote,
});
const answer = (shape: number, number = sequence + 1, flags = rst | ack): readonly number[] => row({
	flags, number, from: [remote, 80], to: [pod, port], shape, known: facts.entryPrerouting,
});

const probe: JoinedProbe = {
	actor: 'app', family: 'ipv4', protocol: 'tcp', from: {address: pod, port}, to: {address: remote, port: 80}, asked: {uid: 1, gid: 1}, made: {uid: 1, gid: 1}, isLocal: true, hearsAnswer: true, end: {kind: 'quiet'},
	fromWords: Int32Array.of(word(pod)), fromAt: 0, toWords: Int32Array.of(word(remote)),
};

function joined(rows: ReadonlyArray<readonly number[]>, change: Partial<JoinedProbe> = {}, rules = ruleSet) {
	const joiner = new ProbeJoiner(rules);
	joiner.learn(shapes);
	const {sentPackets} = joiner.load(Int32Array.from(rows.flat()));
	const {leg, gaps, rows: found} = joiner.join({...probe, ...change});
	return {
		end: printLegEnd(leg.end), gaps: gaps.map(({kind}) => kind), isOver: joiner.isOver({...probe, ...change}), deliveredTo: leg.deliveredTo, sentPackets, found: found.length, leg,
	};
}

test('a dropped answer is the end, with the rule, and is not waited for', t => {
	const {leg, ...seen} = joined([first, answer(wasDropped)]);
	t.deepEqual(seen, {
		end: 'answer-dropped by filter:INPUT#1', gaps: [], isOver: true, deliveredTo: undefined, sentPackets: 1, found: 1,
	});
	t.like(leg.end, {kind: 'answer-dropped', at: {address: remote, port: 80}, reason: 'it arrived at 10.244.1.20:80, and filter:INPUT#1 dropped the answer (-p tcp -m tcp --sport 80 -j DROP)'});
	t.is(joined([first, answer(byPolicy)]).end, 'answer-dropped');
	t.is(joined([first, answer(wasDropped), answer(wasDropped)]).end, 'answer-dropped by filter:INPUT#1', 'sent again');
});

const unknown: ReadonlyArray<readonly [title: string, rows: ReadonlyArray<readonly number[]>, change?: Partial<JoinedProbe>, rules?: typeof ruleSet]> = [
	['no answer in the trace', [first]],
	['the answer\'s end is lost', [first, answer(isOpen)]],
	['another answer came through', [first, answer(wasDropped), answer(cameThrough)]],
	['the answer to another packet', [first, answer(wasDropped, sequence)]],
	['a packet that is no answer', [first, answer(wasDropped, sequence + 1, syn | fin | ack)]],
	['rules that tell resets from other answers', [first, answer(wasDropped)], {}, parseSave(dump('-p tcp -m tcp --tcp-flags RST RST -j DROP'), 'ipv4')],
];

for (const [title, rows, change, rules] of unknown) {
	test(`not known: ${title}`, t => {
		const {end, gaps, isOver} = joined(rows, change, rules);
		t.is(end, 'unknown');
		t.deepEqual(gaps, ['no-end']);
		t.false(isOver);
	});
}

test('a connection that was answered has the end that its socket says', t => {
	t.is(joined([first, answer(wasDropped)], {end: {kind: 'refused'}}).end, 'refused');
	t.is(joined([first, answer(wasDropped)], {end: {kind: 'connected'}}).end, `${remote}:80`);
});

test('what left by its device for a loopback address is not waited for', t => {
	const lost = row({
		flags: syn, number: 7, from: [pod, port], to: [remote, 80], shape: wasSent, known: facts.entryOutput | facts.arrivedPostrouting, arrived: '127.0.0.1',
	});
	t.true(joined([lost], {device: 'eth0'}).isOver);
	t.is(joined([lost], {device: 'eth0'}).end, 'lost (127.0.0.1:80)');
	t.false(joined([lost]).isOver);
	t.false(joined([first], {device: 'eth0'}).isOver);
});

test('a datagram that left by its device for a loopback address is lost, whatever one to another host with the same rules was', t => {
	const joiner = new ProbeJoiner(ruleSet);
	joiner.learn(shapes);
	const datagram = (address: string): readonly number[] => row({
		flags: 0, number: 0, from: [pod, port], to: [address, 53], shape: wasSent, known: facts.entryOutput | facts.arrivedPostrouting, arrived: address, protocol: 17,
	});
	joiner.load(Int32Array.from([...datagram(remote), ...datagram('127.0.0.2')]));
	const endOf = (address: string, device: string | undefined): string => printLegEnd(joiner.join({
		...probe, protocol: 'udp', device, to: {address, port: 53}, toWords: Int32Array.of(word(address)),
	}).leg.end);
	t.is(endOf(remote, 'eth0'), 'unknown');
	t.is(endOf('127.0.0.2', 'eth0'), 'lost (127.0.0.2:53)');
	t.is(endOf('127.0.0.2', undefined), 'unknown');
});
