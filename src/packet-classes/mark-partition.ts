/**
Divides marks into those that rules and routes can distinguish. A condition on a mark compares some of its bits, so the marks for which it holds are not an interval; and a rule may change some bits before another one tests them.
*/

import {InputError} from '../parsing/input-error.js';
import type {Rule} from '../netfilter/types.js';
import type {Interval} from './interval.js';

/** Bits that a mark must have: `(mark & mask) === value`. */
export type MarkCondition = {readonly value: number; readonly mask: number};

/** A representative for each set of equivalent marks, and the representative of any mark. The first set is that of no mark. */
export type MarkPartition = {readonly intervals: readonly Interval[]; readonly intervalOf: (mark: bigint) => number | undefined};

/** A result with more sets would not be readable, and their number doubles with every bit that is tested separately. */
export const markIntervalsMax = 1024;

type Bits = {readonly value: bigint; readonly mask: bigint};
/** Marks with the same answers so far: all that have these bits. */
type Cube = Bits & {readonly answers: string};

/**
Divides the marks by the conditions of rules, and by `routed`, those of the routing rules.

@throws {InputError} if that makes more than {@link markIntervalsMax} sets.
*/
export function divideMarks(rules: readonly Rule[], routed: readonly MarkCondition[]): MarkPartition {
	const asked = conditionsOn(rules, routed);
	let cubes: readonly Cube[] = [{value: 0n, mask: 0n, answers: ''}];
	for (const condition of asked) {
		cubes = cubes.flatMap(cube => split(cube, condition));
		if (new Set(cubes.map(({answers}) => answers)).size > markIntervalsMax) {
			throw new InputError(`The rules distinguish more than ${markIntervalsMax} kinds of marks, which is more than can be compared. Use fewer rules with --mark, or fewer masks.`);
		}
	}

	const leastOf = new Map<string, bigint>();
	for (const {value, answers} of cubes) {
		const known = leastOf.get(answers);
		leastOf.set(answers, known === undefined || value < known ? value : known);
	}

	const sorted = [...leastOf].toSorted(([, one], [, other]) => (one < other ? -1 : 1));
	const places = new Map(sorted.map(([answers], place) => [answers, place]));
	return {
		intervals: sorted.map(([, value]) => ({first: value, last: value})),
		intervalOf: mark => places.get(asked.map(condition => holds(condition, mark) ? '1' : '0').join('')),
	};
}

function holds({value, mask}: Bits, mark: bigint): boolean {
	return (mark & mask) === value;
}

/** The marks of a cube that satisfy a condition, and those that do not: for each bit, those that differ there first. */
function split({value, mask, answers}: Cube, asked: Bits): readonly Cube[] {
	if (((value ^ asked.value) & mask & asked.mask) !== 0n) {
		return [{value, mask, answers: `${answers}0`}];
	}

	const parts: Cube[] = [];
	let [known, same] = [mask, value];
	for (let rest = asked.mask & ~mask; rest > 0n; rest &= rest - 1n) {
		const bit = rest & -rest;
		known |= bit;
		parts.push({value: same | (~asked.value & bit), mask: known, answers: `${answers}0`});
		same |= asked.value & bit;
	}

	return [{value: same, mask: known, answers: `${answers}1`}, ...parts];
}

/** All conditions on the sent mark: each condition itself, and its equivalent before every change of some bits. The mark of a connection is that of a packet if some rule saves it. */
function conditionsOn(rules: readonly Rule[], routed: readonly MarkCondition[]): readonly Bits[] {
	const isSaved = rules.some(({target}) => target.kind === 'save-mark');
	const changes = rules.flatMap(({target}) => target.kind === 'tproxy' ? [bitsOf({value: target.mark, mask: target.mask})] : (target.kind === 'set-mark' || (target.kind === 'set-connmark' && isSaved) ? [bitsOf(target)] : []));
	const matched = rules.flatMap(({matches}) => matches.flatMap(match => match.kind === 'mark' || (match.kind === 'connmark' && isSaved) ? [bitsOf(match)] : []));
	const found = new Map<string, Bits>();
	const open = [...routed.map(each => bitsOf(each)), ...matched];
	for (let bits = open.pop(); bits !== undefined; bits = open.pop()) {
		const {value, mask} = bits;
		const key = `${value}/${mask}`;
		// With a bit outside its mask it never holds; without a mask it always does.
		if (mask === 0n || (value & ~mask) !== 0n || found.has(key)) {
			continue;
		}

		found.set(key, bits);
		for (const change of changes) {
			// Bits under the change's mask are set by it; one outside is flipped if the change has it (MARK, `xor`).
			const isPossible = ((value ^ change.value) & mask & change.mask) === 0n;
			if (isPossible) {
				open.push({value: (value ^ change.value) & mask & ~change.mask, mask: mask & ~change.mask});
			}
		}
	}

	return [...found.values()];
}

function bitsOf({value, mask}: MarkCondition): Bits {
	return {value: BigInt(value), mask: BigInt(mask)};
}
