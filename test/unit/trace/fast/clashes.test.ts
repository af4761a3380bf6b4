/** Packets of one batch that may have met each other's connection. */

import test from 'ava';
import {addressBytes} from '../../../../src/netfilter/address.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {Clashes, seesSourcePorts} from '../../../../src/trace/fast/clashes.js';
import {facts, layout} from '../../../../src/trace/fast/packed-packet.js';

type End = readonly [address: string, port: number];
type Pair = {readonly from: End; readonly to: End};
type Packet = Pair & {readonly after?: Pair; readonly protocol?: number; readonly hasArrived?: boolean; readonly hasTraversal?: boolean};

function put(words: Int32Array, at: number, address: string): void {
	words.set(new Int32Array(Uint8Array.from(addressBytes(address)).buffer), at);
}

/** A row with one traversal, which shows the packet as it was afterwards. */
function row({from, to, after = {from, to}, protocol = 17, hasArrived = true, hasTraversal = true}: Packet): Int32Array {
	const words = new Int32Array(layout.traversals + (hasTraversal ? layout.traversalWords : 0));
	const ports = (after.from[1] << 16) | after.to[1];
	words[layout.facts] = protocol | (from[0].includes(':') ? facts.ipv6 : 0) | (hasArrived ? facts.arrivedInput : 0);
	words[layout.ports] = (from[1] << 16) | to[1];
	put(words, layout.source, from[0]);
	put(words, layout.destination, to[0]);
	if (hasArrived) {
		words[layout.arrivalPorts] = ports;
		put(words, layout.arrival, after.to[0]);
	}

	if (hasTraversal) {
		words[layout.count] = 1;
		words[layout.traversals + layout.traversalPorts] = ports;
		put(words, layout.traversals + layout.traversalSource, after.from[0]);
		put(words, layout.traversals + layout.traversalDestination, after.to[0]);
	}

	return words;
}

/** For each packet, whether it is a clash. */
function clashesOf(packets: readonly Packet[], isPortSeen = true): readonly boolean[] {
	const each = packets.map(packet => row(packet));
	const rows = Int32Array.from(each.flatMap(words => [...words]));
	const clashes = new Clashes(rows, {isPortSeen});
	const places = each.map((_, index) => each.slice(0, index).reduce((sum, {length}) => sum + length, 0));
	for (const place of places) {
		clashes.add(place);
	}

	return places.map(place => clashes.isClash(place));
}

const local = '127.0.0.1';
const captured = {from: [local, 53], to: [local, 15_053]} as const;
const query: Packet = {from: [local, 53], to: [local, 53], after: captured};
const renumbered: Packet = {from: [local, 53], to: ['127.0.0.2', 53], after: {from: [local, 900], to: [local, 15_053]}};
const fromCapture: Packet = {from: [local, 15_053], to: [local, 53]};

for (const [title, packets, wanted] of [
	['one alone', [query], [false]],
	['one alone whose port a rule changed', [renumbered], [false]],
	['its port was taken by a packet that was led to the same place', [query, renumbered], [false, true]],
	['its port was taken by a packet with that tuple', [fromCapture, renumbered], [false, true]],
	['it has the tuple of the answers to one that was led elsewhere', [query, fromCapture], [false, true]],
	['of another protocol', [query, {...renumbered, protocol: 6}], [false, false]],
	['the tuple of the answers, of another protocol', [query, {...fromCapture, protocol: 6}], [false, false]],
	['the same packet sent again', [renumbered, renumbered], [false, false]],
	['another port that was free', [query, {...renumbered, after: {from: [local, 900], to: [local, 15_054]}}], [false, false]],
	['one that is only answered by the other', [{from: ['10.0.0.1', 53], to: ['10.0.0.2', 80]}, {from: ['10.0.0.2', 80], to: ['10.0.0.1', 53]}], [false, false]],
	['shown by a traversal only', [{...query, hasArrived: false}, {...renumbered, hasArrived: false}], [false, true]],
	['shown by nothing', [query, {...renumbered, hasArrived: false, hasTraversal: false}], [false, false]],
	['IPv6', [
		{from: ['::1', 53], to: ['::1', 53], after: {from: ['::1', 53], to: ['::1', 15_053]}},
		{from: ['::1', 53], to: ['2001:db8::1', 53], after: {from: ['::1', 900], to: ['::1', 15_053]}},
		{from: ['::1', 15_053], to: ['::1', 53]},
		{from: ['0:0:0:1::', 15_053], to: ['::1', 53]},
	], [false, true, true, false]],
] as const satisfies ReadonlyArray<readonly [string, readonly Packet[], readonly boolean[]]>) {
	test(title, t => {
		t.deepEqual(clashesOf(packets), wanted);
	});
}

test('where no rule looks at source ports, another one changes nothing, but passing for an answer does', t => {
	t.deepEqual(clashesOf([query, renumbered], false), [false, false]);
	t.deepEqual(clashesOf([query, fromCapture], false), [false, true]);
});

test('a rule looks at source ports if it tests one, or something that is not understood', t => {
	const sees = (rule: string): boolean => seesSourcePorts(parseSave(`*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING ${rule}\nCOMMIT\n`, 'ipv4'));
	t.true(sees('-p udp -m udp --sport 53'));
	t.true(sees('-m statistic --mode nth --every 2 --packet 0'));
	t.false(sees('-p udp -m udp --dport 53 -j ACCEPT'));
});
