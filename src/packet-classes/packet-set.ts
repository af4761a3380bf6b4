/**
Sets of packets: per field a set of its cuts, all combinations of them. A set of cuts is a whole number with a bit for each.
*/

import {fieldNames, type Interval, type FieldName, type Fields} from './fields.js';

/** Per field the cuts that it may be of. No field is ever empty: a set without packets is `undefined`. */
export type PacketSet = Readonly<Record<FieldName, bigint>>;

/** All packets. */
export function allPackets({intervals}: Fields): PacketSet {
	return Object.fromEntries(fieldNames.map(name => [name, everyInterval(intervals[name])])) as Record<FieldName, bigint>;
}

/** All cuts of a field. */
export function everyInterval(intervals: readonly Interval[]): bigint {
	return (1n << BigInt(intervals.length)) - 1n;
}

/** The part of a box whose field is in a set; undefined when there is none. */
export function within(packetSet: PacketSet, field: FieldName, set: bigint): PacketSet | undefined {
	const rest = packetSet[field] & set;
	if (rest === packetSet[field]) {
		return packetSet;
	}

	return rest === 0n ? undefined : {...packetSet, [field]: rest};
}

/** The part whose field is not in a set. */
export function without(packetSet: PacketSet, field: FieldName, set: bigint): PacketSet | undefined {
	return within(packetSet, field, ~set);
}

/** What both boxes hold. */
export function common(one: PacketSet, other: PacketSet): PacketSet | undefined {
	let packetSet: PacketSet | undefined = one;
	for (const name of fieldNames) {
		packetSet = packetSet === undefined ? undefined : within(packetSet, name, other[name]);
	}

	return packetSet;
}

/** The places of the cuts in a set, in order. */
export function intervalsIn(set: bigint): readonly number[] {
	const places: number[] = [];
	for (let rest = set, place = 0; rest > 0n; rest >>= 1n, place++) {
		if ((rest & 1n) === 1n) {
			places.push(place);
		}
	}

	return places;
}

/** The set of all cuts that lie in some of the ranges. Cuts are made at their ends, so none lies in half. */
export function setOf(intervals: readonly Interval[], ranges: readonly Interval[]): bigint {
	let set = 0n;
	for (const [place, {first, last}] of intervals.entries()) {
		if (ranges.some(range => range.first <= first && last <= range.last)) {
			set |= 1n << BigInt(place);
		}
	}

	return set;
}

/** A set as intervals: cuts that touch are one. */
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

/** Boxes of the same packets, fewer of them: two that differ in one field only become one. */
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
