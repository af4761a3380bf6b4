/**
The fields of a sent packet, divided into the values that rules can distinguish. All values of one cut are equivalent to all given rules: none of their conditions separates them.
*/

import {addressBits, parseRange} from '../netfilter/address.js';
import {rulesOf, tablesOf} from '../netfilter/lookup.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import {divideMarks, type MarkCondition} from './mark-partition.js';
import type {Interval} from './interval.js';

export type {Interval} from './interval.js';

/** What a sender chooses. Interfaces, the type of an address and conntrack's state follow from it: see `packet-space.ts`. */
export const fieldNames = ['protocol', 'source', 'source-port', 'destination', 'destination-port', 'uid', 'gid', 'mark', 'packet'] as const;

/** One of them. */
export type FieldName = typeof fieldNames[number];

/** The cuts of each field, in order; `markCutOf` finds the cut of a mark, which is not an interval. A set of values is a number with one bit for each cut: see `packet-set.ts`. */
export type Fields = {
	readonly family: AddressFamily;
	readonly protocols: readonly string[];
	readonly intervals: Readonly<Record<FieldName, readonly Interval[]>>;
	readonly markIntervalOf: (mark: bigint) => number | undefined;
	/** Whether some rule tests conntrack's state, and so can distinguish an invalid packet. */
	readonly asksForState: boolean;
};

/** What a packet can be to conntrack: the first of a connection, or one that belongs to none (INVALID). */
export const packetKinds = ['first', 'invalid'] as const;

/** Protocols that a probe can have; they are always distinguished. */
export const sentProtocols = ['tcp', 'udp'] as const;

/** The only user that can send invalid packets, if they matter: see `packet-space.ts`. */
const root: Interval = {first: 0n, last: 0n};
const portMax = 0xFF_FFn;
const idMax = 0xFF_FF_FF_FEn; // 4294967295 is "no such id" (`uid_valid` in linux/uidgid.h).

/**
Divides the fields at every value where some rule of some set begins or ceases to match, at the ends of `ranges` (addresses that the topology distinguishes), and by `routed` (marks that have a route of their own).

@throws {InputError} as {@link cutMarks}.
*/
export function divideFields(ruleSets: readonly RuleSet[], {family, ranges, routed}: {
	readonly family: AddressFamily; readonly ranges: readonly Interval[]; readonly routed: readonly MarkCondition[];
}): Fields {
	const rules = ruleSets.flatMap(ruleSet => [...rulesOf({tables: tablesOf(ruleSet, family)})].map(({rule}) => rule));
	const matches = rules.flatMap(rule => rule.matches);
	const asksForState = matches.some(({kind}) => kind === 'conntrack-state');
	const protocols = [...new Set([...sentProtocols, ...matches.flatMap(match => match.kind === 'protocol' ? [match.protocol] : [])])];
	const addressMax = (1n << BigInt(addressBits[family])) - 1n;
	const addresses = (kind: 'source' | 'destination'): readonly Interval[] => boundaryAt(addressMax, [...ranges, ...matches.flatMap(match => match.kind === kind ? (parseRange(match.address, family) ?? []) : [])]);
	const ports = (kind: 'source-port' | 'destination-port'): readonly Interval[] => boundaryAt(portMax, matches.flatMap(match => match.kind === kind ? match.ranges.map(({from, to}) => interval(from, to)) : []), 1n);
	const ids = (kind: 'uid' | 'gid'): readonly Interval[] => boundaryAt(idMax, [...(kind === 'uid' && asksForState ? [root] : []), ...matches.flatMap(match => match.kind === kind ? [interval(match.from, match.to)] : [])]);
	const marks = divideMarks(rules, routed);
	return {
		family,
		protocols,
		markIntervalOf: marks.intervalOf,
		asksForState,
		intervals: {
			protocol: protocols.map((_, index) => interval(index, index)),
			source: addresses('source'),
			'source-port': ports('source-port'),
			destination: addresses('destination'),
			'destination-port': ports('destination-port'),
			uid: ids('uid'),
			gid: ids('gid'),
			mark: marks.intervals,
			packet: packetKinds.map((_, index) => interval(index, index)),
		},
	};
}

function interval(first: number, last: number): Interval {
	return {first: BigInt(first), last: BigInt(last)};
}

/** The domain from `min` to `max` in pieces that no range divides any further. */
function boundaryAt(max: bigint, ranges: readonly Interval[], min = 0n): readonly Interval[] {
	// Not a Set: V8 hashes big numbers by their lowest 64 bits, which are 0 in all networks of IPv6.
	const starts = [min, ...ranges.flatMap(({first, last}) => [first, last + 1n]).filter(start => start > min && start <= max)].toSorted((one, other) => (one < other ? -1 : Number(one > other)));
	const sorted = starts.filter((start, index) => start !== starts[index - 1]);
	return sorted.map((first, index) => ({first, last: index + 1 < sorted.length ? sorted[index + 1]! - 1n : max}));
}

/** The index of the cut that contains a value. Undefined if the domain ends before it, and for a mark, whose cuts contain one value each. */
export function intervalOf(intervals: readonly Interval[], value: bigint): number | undefined {
	let [low, high] = [0, intervals.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (intervals[middle]!.last < value) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}

	const found = intervals[low];
	return found === undefined || value < found.first ? undefined : low;
}
