/**
Sets of packets: a set of cuts for each field, in all combinations. A set of cuts is an integer with a bit for each.
*/

import {fieldNames, type Interval, type FieldName, type Fields} from './fields.js';

/** The possible cuts of each field. No field is ever empty: a set without packets is `undefined`. */
export type PacketSet = Readonly<Record<FieldName, bigint>>;

/** All packets. */
export function allPackets({intervals}: Fields): PacketSet {
	return Object.fromEntries(fieldNames.map(name => [name, everyInterval(intervals[name])])) as Record<FieldName, bigint>;
}

/** All cuts of a field. */
export function everyInterval(intervals: readonly Interval[]): bigint {
	return (1n << BigInt(intervals.length)) - 1n;
}

/** The packets of a set whose field is in the given cuts; undefined if there are none. */
export function within(packetSet: PacketSet, field: FieldName, set: bigint): PacketSet | undefined {
	const rest = packetSet[field] & set;
	if (rest === packetSet[field]) {
		return packetSet;
	}

	return rest === 0n ? undefined : {...packetSet, [field]: rest};
}

/** The packets whose field is not in the given cuts. */
export function without(packetSet: PacketSet, field: FieldName, set: bigint): PacketSet | undefined {
	return within(packetSet, field, ~set);
}

/** The intersection of two sets. */
export function common(one: PacketSet, other: PacketSet): PacketSet | undefined {
	let packetSet: PacketSet | undefined = one;
	for (const name of fieldNames) {
		packetSet = packetSet === undefined ? undefined : within(packetSet, name, other[name]);
	}

	return packetSet;
}

/** The packets of the first set that are not in the second, as sets that do not overlap. */
export function difference(one: PacketSet, other: PacketSet): readonly PacketSet[] {
	const rest: PacketSet[] = [];
	let inside: PacketSet | undefined = one;
	for (const name of fieldNames) {
		const outside = without(inside, name, other[name]);
		if (outside !== undefined) {
			rest.push(outside);
		}

		inside = within(inside, name, other[name]);
		if (inside === undefined) {
			return [one];
		}
	}

	return rest;
}

/** The indexes of the cuts in a set, in order. Uses its hexadecimal digits: shifting a number of thousands of bits by one costs as much as reading a thousand of them. */
export function intervalsIn(set: bigint): readonly number[] {
	const places: number[] = [];
	const digits = set.toString(16);
	for (let index = digits.length - 1, place = 0; index >= 0; index--, place += 4) {
		const code = digits.codePointAt(index)!;
		// `0` to `9` come before `a`.
		for (let rest = code < 97 ? code - 48 : code - 87, bit = place; rest > 0; rest >>= 1, bit++) {
			if ((rest & 1) === 1) {
				places.push(bit);
			}
		}
	}

	return places;
}

/** The set of all cuts in some of the ranges. Cuts are made at their ends, so none is partly inside. */
export function setOf(intervals: readonly Interval[], ranges: readonly Interval[]): bigint {
	const digits = intervals.map(({first, last}) => ranges.some(range => range.first <= first && last <= range.last) ? '1' : '0');
	return BigInt(`0b0${digits.reverse().join('')}`);
}

/** A set as intervals, with adjacent cuts merged. */
export function intervalsOf(intervals: readonly Interval[], set: bigint): readonly Interval[] {
	const joined: Array<{first: bigint; last: bigint}> = [];
	for (const place of intervalsIn(set)) {
		const {first, last} = intervals[place]!;
		const before = joined.at(-1);
		if (before !== undefined && before.last + 1n === first) {
			before.last = last;
		} else {
			joined.push({first, last});
		}
	}

	return joined;
}

/** Fewer sets with the same packets: two that differ in only one field are merged. */
export function mergePacketSets(packetSets: readonly PacketSet[]): readonly PacketSet[] {
	let merged = [...packetSets];
	for (let isChanged = true; isChanged;) {
		isChanged = false;
		for (const field of fieldNames) {
			const byRest = new Map<string, PacketSet>();
			for (const packetSet of merged) {
				const rest = fieldNames.map(name => name === field ? '' : packetSet[name].toString(36)).join(' ');
				const known = byRest.get(rest);
				byRest.set(rest, known === undefined ? packetSet : {...known, [field]: known[field] | packetSet[field]});
			}

			isChanged ||= byRest.size < merged.length;
			merged = [...byRest.values()];
		}
	}

	return merged;
}
