/**
Aligns the rules of two chains: a rule is kept in place, changed in place, or moved. As many as possible are kept, so that one moved rule is one change, not a change of every number after it.
*/

/** What the comparison needs of a rule. Rules with the same `key` are equal; rules of the same `kind` can be changed versions of each other. */
export type Item = {readonly key: string; readonly kind: string};

/** Indexes in the two chains, from 0. `inPlace` is increasing in both. */
export type Pair = {readonly from: number; readonly to: number};

/** The pairs of two chains. A rule without a pair was removed or added. */
export type Alignment = {readonly inPlace: readonly Pair[]; readonly moved: readonly Pair[]};

type Chains = {readonly from: readonly Item[]; readonly to: readonly Item[]};

/** A section of both chains; `end` is exclusive. */
type Section = {readonly fromStart: number; readonly fromEnd: number; readonly toStart: number; readonly toEnd: number};

/** The most pairs that are weighed one by one; longer chains are first split into sections. */
const weighedMax = 4_000_000;

/** Aligns two chains. */
export function align(from: readonly Item[], to: readonly Item[]): Alignment {
	const surplus = new Map<string, number>();
	for (const {key} of from) {
		surplus.set(key, (surplus.get(key) ?? 0) + 1);
	}

	for (const {key} of to) {
		surplus.set(key, (surplus.get(key) ?? 0) - 1);
	}

	// A rule that occurs unchanged in the other chain is not a changed version of another one.
	const canChange = (one: Item, other: Item): boolean => one.kind === other.kind && (surplus.get(one.key) ?? 0) > 0 && (surplus.get(other.key) ?? 0) < 0;
	const inPlace = alignSection({from, to}, {
		fromStart: 0, fromEnd: from.length, toStart: 0, toEnd: to.length,
	}, canChange);
	return {inPlace, moved: pairLeftovers({from, to}, inPlace)};
}

type CanChange = (one: Item, other: Item) => boolean;

function alignSection({from, to}: Chains, section: Section, canChange: CanChange): readonly Pair[] {
	let {fromStart, fromEnd, toStart, toEnd} = section;
	const head: Pair[] = [];
	const tail: Pair[] = [];
	while (fromStart < fromEnd && toStart < toEnd && from[fromStart]?.key === to[toStart]?.key) {
		head.push({from: fromStart++, to: toStart++});
	}

	while (fromStart < fromEnd && toStart < toEnd && from[fromEnd - 1]?.key === to[toEnd - 1]?.key) {
		tail.push({from: --fromEnd, to: --toEnd});
	}

	const middle: Section = {
		fromStart, fromEnd, toStart, toEnd,
	};
	const isSmall = (fromEnd - fromStart) * (toEnd - toStart) <= weighedMax;
	return [...head, ...(isSmall ? weigh({from, to}, middle, canChange) : alignByAnchors({from, to}, middle, canChange)), ...tail.toReversed()];
}

/** The pairs of greatest weight that are increasing in both chains. A kept rule outweighs all changes. */
function weigh({from, to}: Chains, {fromStart, fromEnd, toStart, toEnd}: Section, canChange: CanChange): readonly Pair[] {
	const [height, width] = [fromEnd - fromStart, toEnd - toStart];
	const keptWeight = Math.min(height, width) + 1;
	const weightOf = (one: Item | undefined, other: Item | undefined): number => {
		if (one === undefined || other === undefined) {
			return 0;
		}

		return one.key === other.key ? keptWeight : Number(canChange(one, other));
	};

	const row = width + 1;
	const best = new Float64Array((height + 1) * row);
	const at = (index: number): number => best[index] ?? 0;
	for (let i = height - 1; i >= 0; i--) {
		for (let j = width - 1; j >= 0; j--) {
			const weight = weightOf(from[fromStart + i], to[toStart + j]);
			const paired = weight === 0 ? 0 : weight + at(((i + 1) * row) + j + 1);
			best[(i * row) + j] = Math.max(paired, at(((i + 1) * row) + j), at((i * row) + j + 1));
		}
	}

	const pairs: Pair[] = [];
	let [i, j] = [0, 0];
	while (i < height && j < width) {
		const weight = weightOf(from[fromStart + i], to[toStart + j]);
		const here = at((i * row) + j);
		if (weight > 0 && here === weight + at(((i + 1) * row) + j + 1)) {
			pairs.push({from: fromStart + i, to: toStart + j});
			i++;
			j++;
		} else if (here === at(((i + 1) * row) + j)) {
			i++;
		} else {
			j++;
		}
	}

	return pairs;
}

/** For long chains: equal rules that are increasing in both are anchors, and only the sections between them are weighed. */
function alignByAnchors(chains: Chains, section: Section, canChange: CanChange): readonly Pair[] {
	const anchors = longestRising(pairEqual(chains, section));
	const pairs: Pair[] = [];
	let [fromStart, toStart] = [section.fromStart, section.toStart];
	for (const anchor of [...anchors, {from: section.fromEnd, to: section.toEnd}]) {
		const gap: Section = {
			fromStart, fromEnd: anchor.from, toStart, toEnd: anchor.to,
		};
		if ((gap.fromEnd - gap.fromStart) * (gap.toEnd - gap.toStart) <= weighedMax) {
			for (const pair of weigh(chains, gap, canChange)) {
				pairs.push(pair);
			}
		}

		if (anchor.from < section.fromEnd) {
			pairs.push(anchor);
		}

		[fromStart, toStart] = [anchor.from + 1, anchor.to + 1];
	}

	return pairs;
}

/** Equal rules, the first with the first, the second with the second, in the order of `from`. */
function pairEqual({from, to}: Chains, {fromStart, fromEnd, toStart, toEnd}: Section, isFree: (side: 'from' | 'to', index: number) => boolean = () => true): readonly Pair[] {
	const places = new Map<string, number[]>();
	for (let index = toEnd - 1; index >= toStart; index--) {
		const key = to[index]?.key;
		if (key !== undefined && isFree('to', index)) {
			const own = places.get(key);
			if (own === undefined) {
				places.set(key, [index]);
			} else {
				own.push(index);
			}
		}
	}

	const pairs: Pair[] = [];
	for (let index = fromStart; index < fromEnd; index++) {
		const key = from[index]?.key;
		const place = key !== undefined && isFree('from', index) ? places.get(key)?.pop() : undefined;
		if (place !== undefined) {
			pairs.push({from: index, to: place});
		}
	}

	return pairs;
}

/** The longest subsequence of the pairs that is increasing in both: patience sorting. */
function longestRising(pairs: readonly Pair[]): readonly Pair[] {
	const ends: number[] = [];
	const before = new Map<number, number | undefined>();
	for (const [index, {to}] of pairs.entries()) {
		let [low, high] = [0, ends.length];
		while (low < high) {
			const middle = (low + high) >> 1;
			const end = pairs[ends[middle] ?? 0];
			if (end !== undefined && end.to < to) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}

		before.set(index, ends[low - 1]);
		ends[low] = index;
	}

	const rising: Pair[] = [];
	for (let index = ends.at(-1); index !== undefined; index = before.get(index)) {
		const pair = pairs[index];
		if (pair !== undefined) {
			rising.push(pair);
		}
	}

	return rising.toReversed();
}

/** Rules that are in both chains, but in a different order relative to the others. */
function pairLeftovers(chains: Chains, inPlace: readonly Pair[]): readonly Pair[] {
	const taken = {from: new Set(inPlace.map(({from}) => from)), to: new Set(inPlace.map(({to}) => to))};
	return pairEqual(chains, {
		fromStart: 0, fromEnd: chains.from.length, toStart: 0, toEnd: chains.to.length,
	}, (side, index) => !taken[side].has(index));
}
