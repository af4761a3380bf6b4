/**
The sets of cuts for which conditions on a field hold, computed from the ends of their ranges. Each set is also kept as two numbers, the first and the last cut of its values, so that most rules are skipped without looking at the sets themselves.
*/

import {parseRange} from '../netfilter/address.js';
import type {Match} from '../netfilter/types.js';
import {fieldOf} from './condition-field.js';
import {everyInterval} from './packet-set.js';
import {fieldNames, type FieldName, type Fields} from './fields.js';
import type {Interval} from './interval.js';

/** A condition on a field. `set`: the cuts for which it holds. Without the negation, its values lie from cut `low` to cut `high`, and are all cuts in between if it `isSolid`. If it has no value, `low` is after `high`. */
export type ConditionSet = {
	readonly field: FieldName;
	/** The index of the field in {@link fieldNames}. */
	readonly fieldIndex: number;
	readonly set: bigint;
	readonly isNegated: boolean;
	readonly low: number;
	readonly high: number;
	readonly isSolid: boolean;
};

/** Adjacent cuts, by the indexes of the first and the last. */
type Run = readonly [first: number, last: number];

/** The sets of the conditions of one family, each computed once. */
export class ConditionSets {
	readonly #fields: Fields;
	readonly #known = new Map<Match, ConditionSet | undefined>();

	constructor(fields: Fields) {
		this.#fields = fields;
	}

	/** Undefined for a condition that tests none of the fields. */
	of(match: Match): ConditionSet | undefined {
		if (!this.#known.has(match)) {
			this.#known.set(match, this.#setOf(match));
		}

		return this.#known.get(match);
	}

	#setOf(match: Match): ConditionSet | undefined {
		const field = fieldOf[match.kind];
		if (field === undefined) {
			return undefined;
		}

		const places = this.#placesOf(match, field);
		// A value that cannot be parsed holds for nothing, negated or not.
		const isNegated = places !== undefined && 'negated' in match && match.negated;
		const runs = joined(places ?? []);
		let inside = 0n;
		for (const [first, last] of runs) {
			inside |= ((1n << BigInt(last - first + 1)) - 1n) << BigInt(first);
		}

		return {
			field,
			fieldIndex: fieldNames.indexOf(field),
			set: isNegated ? everyInterval(this.#fields.intervals[field]) & ~inside : inside,
			isNegated,
			low: runs[0]?.[0] ?? 1,
			high: runs.at(-1)?.[1] ?? 0,
			isSolid: runs.length === 1,
		};
	}

	/** The cuts with the values of a condition without its negation, as indexes from and to. */
	#placesOf(match: Match, field: FieldName): readonly Run[] | undefined {
		const {family, protocols, intervals} = this.#fields;
		const between = (first: bigint, last: bigint): readonly Run[] => {
			const [from, to] = [firstAtOrAfter(intervals[field], first), firstAtOrAfter(intervals[field], last + 1n) - 1];
			return from <= to ? [[from, to]] : [];
		};

		switch (match.kind) {
			case 'protocol': {
				const place = protocols.indexOf(match.protocol);
				return place === -1 ? [] : [[place, place]];
			}

			case 'source':
			case 'destination': {
				const range = parseRange(match.address);
				// An address implies a test of its family, before any negation.
				return range?.family === family ? between(range.first, range.last) : undefined;
			}

			case 'source-port':
			case 'destination-port': {
				return match.ranges.flatMap(({from, to}) => between(BigInt(from), BigInt(to)));
			}

			case 'uid':
			case 'gid': {
				return between(BigInt(match.from), BigInt(match.to));
			}

			case 'mark': {
				return intervals.mark.flatMap(({first}, place) => ((Number(first) & match.mask) >>> 0) === match.value ? [[place, place] as const] : []);
			}

			case 'in-interface':
			case 'out-interface':
			case 'socket-exists':
			case 'connmark':
			case 'conntrack-state':
			case 'comment':
			case 'opaque': {
				return [];
			}
		}
	}
}

/** The first index whose cut begins at or after a value. */
function firstAtOrAfter(intervals: readonly Interval[], value: bigint): number {
	let [low, high] = [0, intervals.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (intervals[middle]!.first < value) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}

	return low;
}

/** Runs of indexes in order, with overlapping and adjacent ones merged. */
function joined(runs: readonly Run[]): readonly Run[] {
	const all: Run[] = [];
	for (const [first, last] of runs.toSorted(([one], [other]) => one - other)) {
		const before = all.at(-1);
		if (before !== undefined && first <= before[1] + 1) {
			all[all.length - 1] = [before[0], Math.max(before[1], last)];
		} else {
			all.push([first, last]);
		}
	}

	return all;
}
