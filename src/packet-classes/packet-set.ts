/**
Sets of packets: per field a set of its cuts, all combinations of them. A set of cuts is a whole number with a bit for each.
*/

import {fieldNames, type Cut, type FieldName, type Fields} from './fields.js';

/** Per field the cuts that it may be of. No field is ever empty: a set without packets is `undefined`. */
export type Box = Readonly<Record<FieldName, bigint>>;

/** All packets. */
export function wholeBox({cuts}: Fields): Box {
	return Object.fromEntries(fieldNames.map(name => [name, everyCut(cuts[name])])) as Record<FieldName, bigint>;
}

/** All cuts of a field. */
export function everyCut(cuts: readonly Cut[]): bigint {
	return (1n << BigInt(cuts.length)) - 1n;
}

/** The part of a box whose field is in a set; undefined when there is none. */
export function within(box: Box, field: FieldName, set: bigint): Box | undefined {
	const rest = box[field] & set;
	if (rest === box[field]) {
		return box;
	}

	return rest === 0n ? undefined : {...box, [field]: rest};
}

/** The part whose field is not in a set. */
export function without(box: Box, field: FieldName, set: bigint): Box | undefined {
	return within(box, field, ~set);
}

/** What both boxes hold. */
export function common(one: Box, other: Box): Box | undefined {
	let box: Box | undefined = one;
	for (const name of fieldNames) {
		box = box === undefined ? undefined : within(box, name, other[name]);
	}

	return box;
}

/** The places of the cuts in a set, in order. */
export function cutsIn(set: bigint): readonly number[] {
	const places: number[] = [];
	for (let rest = set, place = 0; rest > 0n; rest >>= 1n, place++) {
		if ((rest & 1n) === 1n) {
			places.push(place);
		}
	}

	return places;
}

/** The set of all cuts that lie in some of the ranges. Cuts are made at their ends, so none lies in half. */
export function setOf(cuts: readonly Cut[], ranges: readonly Cut[]): bigint {
	let set = 0n;
	for (const [place, {first, last}] of cuts.entries()) {
		if (ranges.some(range => range.first <= first && last <= range.last)) {
			set |= 1n << BigInt(place);
		}
	}

	return set;
}

/** A set as intervals: cuts that touch are one. */
export function intervalsOf(cuts: readonly Cut[], set: bigint): readonly Cut[] {
	const intervals: Array<{first: bigint; last: bigint}> = [];
	for (const place of cutsIn(set)) {
		const {first, last} = cuts[place]!;
		const before = intervals.at(-1);
		if (before !== undefined && before.last + 1n === first) {
			before.last = last;
		} else {
			intervals.push({first, last});
		}
	}

	return intervals;
}

/** Boxes of the same packets, fewer of them: two that differ in one field only become one. */
export function mergeBoxes(boxes: readonly Box[]): readonly Box[] {
	let merged = [...boxes];
	for (let isChanged = true; isChanged;) {
		isChanged = false;
		for (const field of fieldNames) {
			const byRest = new Map<string, Box>();
			for (const box of merged) {
				const rest = fieldNames.map(name => name === field ? '' : box[name].toString(36)).join(' ');
				const known = byRest.get(rest);
				byRest.set(rest, known === undefined ? box : {...known, [field]: known[field] | box[field]});
			}

			isChanged ||= byRest.size < merged.length;
			merged = [...byRest.values()];
		}
	}

	return merged;
}
