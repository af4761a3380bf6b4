/**
An index of a chain for sets of packets: which of its rules affects a set. Most rules do not, which for most of them shows by comparing two pairs of numbers, so that a narrow set skips thousands of rules quickly.

Measured with 1,000 ranges of addresses that are compared with themselves: testing each condition for each cut of its field took 60 % of the time, and copying a set's state for each rule most of the rest. Decision diagrams would share more, but their classes are different from those of the rule-by-rule walk, and the classes determine which probes are sent.
*/

import type {Chain, Match} from '../netfilter/types.js';
import type {MatchAnswer} from '../judge/explain/match-rule.js';
import type {ConditionSet, ConditionSets} from './condition-sets.js';
import {fieldNames} from './fields.js';
import type {PacketSet} from './packet-set.js';

/** For each field the first and the last cut that a set may contain, consecutively, in the order of {@link fieldNames}. It may contain fewer. */
export type Bounds = readonly number[];

/** A set as a chain tests it. `asSent`: a bit for each field that still has its sent value; `answer` tests other conditions. */
export type Passing = {readonly packetSet: PacketSet; readonly bounds: Bounds; readonly asSent: number; readonly answer: (match: Match) => MatchAnswer};

const kinds = {other: 0, plain: 1, negated: 2} as const;

/** The rules of one chain. */
export class ChainIndex {
	readonly chain: Chain;
	/** Where the conditions of each rule begin, and after the last rule where they end. */
	readonly #starts: Int32Array;
	readonly #matches: readonly Match[];
	readonly #sets: ReadonlyArray<ConditionSet | undefined>;
	readonly #kinds: Uint8Array;
	readonly #fields: Uint8Array;
	readonly #solid: Uint8Array;
	readonly #lows: Int32Array;
	readonly #highs: Int32Array;
	/** For each rule, where the bounds of its first condition's field are, if that is not negated; otherwise bounds that overlap everything. */
	readonly #heads: Uint8Array;
	readonly #headLows: Int32Array;
	readonly #headHighs: Int32Array;

	constructor(chain: Chain, conditionSets: ConditionSets) {
		this.chain = chain;
		const starts = [0];
		const matches: Match[] = [];
		for (const rule of chain.rules) {
			matches.push(...rule.matches.filter(({kind}) => kind !== 'comment'));
			starts.push(matches.length);
		}

		const sets = matches.map(match => conditionSets.of(match));
		this.#starts = Int32Array.from(starts);
		this.#matches = matches;
		this.#sets = sets;
		this.#kinds = Uint8Array.from(sets, set => set === undefined ? kinds.other : (set.isNegated ? kinds.negated : kinds.plain));
		this.#fields = Uint8Array.from(sets, set => set?.fieldIndex ?? 0);
		this.#solid = Uint8Array.from(sets, set => Number(set?.isSolid ?? false));
		this.#lows = Int32Array.from(sets, set => set?.low ?? 0);
		this.#highs = Int32Array.from(sets, set => set?.high ?? 0);
		const heads = chain.rules.map((_, place) => starts[place]! < starts[place + 1]! ? sets[starts[place]!] : undefined).map(set => set?.isNegated === false ? set : undefined);
		this.#heads = Uint8Array.from(heads, set => 2 * (set?.fieldIndex ?? fieldNames.length));
		this.#headLows = Int32Array.from(heads, set => set?.low ?? 0);
		this.#headHighs = Int32Array.from(heads, set => set?.high ?? 0);
	}

	/** The first rule from an index on that may split a set, or that all of it matches; the number of rules if there is none. */
	nextTouched(from: number, passing: Passing): number {
		const count = this.chain.rules.length;
		const [heads, lows, highs, edges] = [this.#heads, this.#headLows, this.#headHighs, edgesAsSent(passing)];
		for (let place = from; place < count; place++) {
			const head = heads[place]!;
			const isApart = edges[head + 1]! < lows[place]! || edges[head]! > highs[place]!;
			if (!isApart && this.#touches(place, passing)) {
				return place;
			}
		}

		return count;
	}

	#touches(place: number, {packetSet, bounds, asSent, answer}: Passing): boolean {
		const end = this.#starts[place + 1]!;
		for (let index = this.#starts[place]!; index < end; index++) {
			const kind = this.#kinds[index]!;
			const field = this.#fields[index]!;
			if (kind === kinds.other || (asSent & (1 << field)) === 0) {
				if (answer(this.#matches[index]!) === false) {
					return false;
				}

				continue;
			}

			const [first, last, low, high] = [bounds[2 * field]!, bounds[(2 * field) + 1]!, this.#lows[index]!, this.#highs[index]!];
			const isApart = last < low || first > high;
			const isInside = low <= first && last <= high && this.#solid[index] === 1;
			if (isApart || isInside) {
				if (isApart === (kind === kinds.plain)) {
					return false;
				}

				continue;
			}

			const own = packetSet[fieldNames[field]!];
			const common = own & this.#sets[index]!.set;
			if (common === 0n) {
				return false;
			}

			if (common !== own) {
				return true;
			}
		}

		return true;
	}
}

/** The bounds of the fields that have their sent values; unknown ones overlap everything. */
function edgesAsSent({bounds, asSent}: Passing): Int32Array {
	const edges = new Int32Array(bounds.length + 2);
	for (let place = 0; place < edges.length; place += 2) {
		const isKnown = place < bounds.length && (asSent & (1 << (place / 2))) !== 0;
		edges[place] = isKnown ? bounds[place]! : -1;
		edges[place + 1] = isKnown ? bounds[place + 1]! : 0x7F_FF_FF_FF;
	}

	return edges;
}

/** The bounds of a set. */
export function boundsOf(packetSet: PacketSet): Bounds {
	return fieldNames.flatMap(name => edgesOf(packetSet[name]));
}

/** The first and the last bit of a number. */
function edgesOf(set: bigint): readonly [number, number] {
	if (set < 0x1_00_00_00_00n) {
		const small = Number(set);
		return [31 - Math.clz32((small & -small) >>> 0), 31 - Math.clz32(small)];
	}

	const digits = set.toString(16);
	let zeros = 0;
	while (digits[digits.length - 1 - zeros] === '0') {
		zeros++;
	}

	const [top, bottom] = [Number.parseInt(digits[0]!, 16), Number.parseInt(digits[digits.length - 1 - zeros]!, 16)];
	return [(4 * zeros) + 31 - Math.clz32(bottom & -bottom), (4 * (digits.length - 1)) + 31 - Math.clz32(top)];
}

/** The bounds of the part of a set that satisfies a condition. */
export function boundsWithin(bounds: Bounds, conditionSet: ConditionSet): Bounds {
	return conditionSet.isNegated ? withoutRange(bounds, conditionSet) : withinRange(bounds, conditionSet);
}

/** The bounds of the part that does not. */
export function boundsWithout(bounds: Bounds, conditionSet: ConditionSet): Bounds {
	return conditionSet.isNegated ? withinRange(bounds, conditionSet) : withoutRange(bounds, conditionSet);
}

function withinRange(bounds: Bounds, {fieldIndex, low, high}: ConditionSet): Bounds {
	return withField(bounds, fieldIndex, Math.max(bounds[2 * fieldIndex]!, low), Math.min(bounds[(2 * fieldIndex) + 1]!, high));
}

// Only values removed at an end make a range shorter.
function withoutRange(bounds: Bounds, {fieldIndex, isSolid, low, high}: ConditionSet): Bounds {
	const [first, last] = [bounds[2 * fieldIndex]!, bounds[(2 * fieldIndex) + 1]!];
	return isSolid ? withField(bounds, fieldIndex, low <= first ? Math.max(first, high + 1) : first, last <= high ? Math.min(last, low - 1) : last) : bounds;
}

/** The same with other bounds of one field. */
export function withField(bounds: Bounds, fieldIndex: number, first: number, last: number): Bounds {
	const changed = [...bounds];
	changed[2 * fieldIndex] = first;
	changed[(2 * fieldIndex) + 1] = last;
	return changed;
}
