/** Sets of packets: what is cut off, kept and merged is always the same packets. */

import test from 'ava';
import fc from 'fast-check';
import {
	common, cutsIn, everyCut, intervalsOf, mergeBoxes, setOf, within, without, type Box,
} from '../../../src/packet-classes/packet-set.js';
import {fieldNames, type Cut} from '../../../src/packet-classes/fields.js';

/** The only cut of each field. */
const point = Object.fromEntries(fieldNames.map(name => [name, 1n])) as Box;

/** Boxes of up to three cuts in three fields; the others have one. */
const anyBox: fc.Arbitrary<Box> = fc.tuple(fc.bigInt(1n, 7n), fc.bigInt(1n, 7n), fc.bigInt(1n, 3n)).map(([source, destination, uid]) => ({
	...point, source, destination, uid,
}));

/** A box as its packets: a combination of cuts each. */
function packetsOf(box: Box): readonly string[] {
	let packets = [''];
	for (const name of fieldNames) {
		packets = packets.flatMap(packet => cutsIn(box[name]).map(place => `${packet} ${name}=${place}`));
	}

	return packets;
}

function setOfPackets(boxes: ReadonlyArray<Box | undefined>): readonly string[] {
	return [...new Set(boxes.flatMap(box => box === undefined ? [] : packetsOf(box)))].toSorted();
}

test('merged boxes hold the same packets, and are never more', t => {
	let merges = 0;
	fc.assert(fc.property(fc.array(anyBox, {maxLength: 12}), boxes => {
		const merged = mergeBoxes(boxes);
		t.deepEqual(setOfPackets(merged), setOfPackets(boxes));
		t.true(merged.length <= boxes.length);
		t.true(merged.every(box => fieldNames.every(name => box[name] !== 0n)));
		merges += Number(merged.length < boxes.length);
	}), {seed: 6});
	t.true(merges > 10, 'something was merged');
});

test('boxes without an overlap stay without one', t => {
	const all = setOfPackets([{
		...point, source: 7n, destination: 7n, uid: 3n,
	}]);
	fc.assert(fc.property(fc.uniqueArray(fc.constantFrom(...all), {minLength: 1}), packets => {
		const boxes = packets.map(packet => Object.fromEntries(packet.trim().split(' ').map(part => part.split('=')).map(([name, place]) => [name, 1n << BigInt(place!)])) as Box);
		const merged = mergeBoxes(boxes).flatMap(box => packetsOf(box));
		t.is(new Set(merged).size, merged.length);
		t.is(merged.length, packets.length);
	}), {seed: 6});
});

test('within and without part a box; what is common is in both', t => {
	fc.assert(fc.property(anyBox, anyBox, (box, other) => {
		const parts = [within(box, 'source', other.source), without(box, 'source', other.source)];
		t.deepEqual(setOfPackets(parts), setOfPackets([box]));
		t.is(parts.flatMap(part => part === undefined ? [] : packetsOf(part)).length, packetsOf(box).length);
		const [mine, theirs] = [new Set(packetsOf(box)), new Set(packetsOf(other))];
		t.deepEqual(setOfPackets([common(box, other)]), [...mine].filter(packet => theirs.has(packet)).toSorted());
	}), {seed: 6});
});

test('a set of cuts is what lies in the ranges; its intervals join what touches', t => {
	const cuts: readonly Cut[] = [{first: 0n, last: 9n}, {first: 10n, last: 19n}, {first: 20n, last: 20n}, {first: 21n, last: 99n}];
	t.is(everyCut(cuts), 0b1111n);
	t.is(everyCut([]), 0n);
	t.is(setOf(cuts, [{first: 10n, last: 20n}]), 0b0110n);
	t.is(setOf(cuts, [{first: 0n, last: 9n}, {first: 21n, last: 99n}]), 0b1001n);
	t.is(setOf(cuts, []), 0n);
	t.deepEqual(intervalsOf(cuts, 0b0111n), [{first: 0n, last: 20n}]);
	t.deepEqual(intervalsOf(cuts, 0b1011n), [{first: 0n, last: 19n}, {first: 21n, last: 99n}]);
	t.deepEqual(intervalsOf(cuts, 0n), []);
	t.deepEqual(cutsIn(0b1_0000_0000_0000_0000_0000_0000_0000_0000_0101n), [0, 2, 36]);
});
