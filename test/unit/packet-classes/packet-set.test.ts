/** Sets of packets: what is cut off, kept and merged is always the same packets. */

import test from 'ava';
import fc from 'fast-check';
import {
	common, intervalsIn, everyInterval, intervalsOf, mergePacketSets, setOf, within, without, type PacketSet,
} from '../../../src/packet-classes/packet-set.js';
import {fieldNames, type Interval} from '../../../src/packet-classes/fields.js';

/** The only cut of each field. */
const point = Object.fromEntries(fieldNames.map(name => [name, 1n])) as PacketSet;

/** Boxes of up to three cuts in three fields; the others have one. */
const anyPacketSet: fc.Arbitrary<PacketSet> = fc.tuple(fc.bigInt(1n, 7n), fc.bigInt(1n, 7n), fc.bigInt(1n, 3n)).map(([source, destination, uid]) => ({
	...point, source, destination, uid,
}));

/** A box as its packets: a combination of cuts each. */
function packetsOf(packetSet: PacketSet): readonly string[] {
	let packets = [''];
	for (const name of fieldNames) {
		packets = packets.flatMap(packet => intervalsIn(packetSet[name]).map(place => `${packet} ${name}=${place}`));
	}

	return packets;
}

function setOfPackets(packetSets: ReadonlyArray<PacketSet | undefined>): readonly string[] {
	return [...new Set(packetSets.flatMap(packetSet => packetSet === undefined ? [] : packetsOf(packetSet)))].toSorted();
}

test('merged boxes hold the same packets, and are never more', t => {
	let merges = 0;
	fc.assert(fc.property(fc.array(anyPacketSet, {maxLength: 12}), packetSets => {
		const merged = mergePacketSets(packetSets);
		t.deepEqual(setOfPackets(merged), setOfPackets(packetSets));
		t.true(merged.length <= packetSets.length);
		t.true(merged.every(packetSet => fieldNames.every(name => packetSet[name] !== 0n)));
		merges += Number(merged.length < packetSets.length);
	}), {seed: 6});
	t.true(merges > 10, 'something was merged');
});

test('boxes without an overlap stay without one', t => {
	const all = setOfPackets([{
		...point, source: 7n, destination: 7n, uid: 3n,
	}]);
	fc.assert(fc.property(fc.uniqueArray(fc.constantFrom(...all), {minLength: 1}), packets => {
		const packetSets = packets.map(packet => Object.fromEntries(packet.trim().split(' ').map(part => part.split('=')).map(([name, place]) => [name, 1n << BigInt(place!)])) as PacketSet);
		const merged = mergePacketSets(packetSets).flatMap(packetSet => packetsOf(packetSet));
		t.is(new Set(merged).size, merged.length);
		t.is(merged.length, packets.length);
	}), {seed: 6});
});

test('within and without part a box; what is common is in both', t => {
	fc.assert(fc.property(anyPacketSet, anyPacketSet, (packetSet, other) => {
		const parts = [within(packetSet, 'source', other.source), without(packetSet, 'source', other.source)];
		t.deepEqual(setOfPackets(parts), setOfPackets([packetSet]));
		t.is(parts.flatMap(part => part === undefined ? [] : packetsOf(part)).length, packetsOf(packetSet).length);
		const [mine, theirs] = [new Set(packetsOf(packetSet)), new Set(packetsOf(other))];
		t.deepEqual(setOfPackets([common(packetSet, other)]), [...mine].filter(packet => theirs.has(packet)).toSorted());
	}), {seed: 6});
});

test('a set of cuts is what lies in the ranges; its intervals join what touches', t => {
	const intervals: readonly Interval[] = [{first: 0n, last: 9n}, {first: 10n, last: 19n}, {first: 20n, last: 20n}, {first: 21n, last: 99n}];
	t.is(everyInterval(intervals), 0b1111n);
	t.is(everyInterval([]), 0n);
	t.is(setOf(intervals, [{first: 10n, last: 20n}]), 0b0110n);
	t.is(setOf(intervals, [{first: 0n, last: 9n}, {first: 21n, last: 99n}]), 0b1001n);
	t.is(setOf(intervals, []), 0n);
	t.deepEqual(intervalsOf(intervals, 0b0111n), [{first: 0n, last: 20n}]);
	t.deepEqual(intervalsOf(intervals, 0b1011n), [{first: 0n, last: 19n}, {first: 21n, last: 99n}]);
	t.deepEqual(intervalsOf(intervals, 0n), []);
	t.deepEqual(intervalsIn(0b1_0000_0000_0000_0000_0000_0000_0000_0000_0101n), [0, 2, 36]);
});
