/**
The fields of a packet as it is sent, cut into the values that rules can tell apart. All values of one cut are the same to every rule that was given: none of its conditions separates them.
*/

import {addressBits, parseRange} from '../netfilter/address.js';
import {rulesOf, tablesOf} from '../netfilter/lookup.js';
import type {AddressFamily, RuleSet} from '../netfilter/types.js';
import {cutMarks, type MarkCondition} from './mark-partition.js';
import type {Cut} from './interval.js';

export type {Cut} from './interval.js';

/** What a sender chooses. Interfaces, the type of an address and conntrack's state follow from it: see `world.ts`. */
export const fieldNames = ['protocol', 'source', 'source-port', 'destination', 'destination-port', 'uid', 'gid', 'mark', 'packet'] as const;

/** One of them. */
export type FieldName = typeof fieldNames[number];

/** Per field its cuts, in order; `markCutOf` finds the cut of a mark, which is no interval. A set of values is a number with one bit for each cut: see `packet-set.ts`. */
export type Fields = {
	readonly family: AddressFamily;
	readonly protocols: readonly string[];
	readonly cuts: Readonly<Record<FieldName, readonly Cut[]>>;
	readonly markCutOf: (mark: bigint) => number | undefined;
	/** Whether some rule asks for conntrack's state, and so can tell an invalid packet. */
	readonly asksForState: boolean;
};

/** What a packet can be to conntrack: the first of a connection, or one that belongs to none (INVALID). */
export const packetKinds = ['first', 'invalid'] as const;

/** Protocols that a probe can be of; they are always told apart. */
export const sentProtocols = ['tcp', 'udp'] as const;

/** Who alone can send invalid packets, where they matter: see `world.ts`. */
const root: Cut = {first: 0n, last: 0n};
const portMax = 0xFF_FFn;
const idMax = 0xFF_FF_FF_FEn; // 4294967295 is "no such id" (`uid_valid` in linux/uidgid.h).

/**
Cuts the fields at every value where some rule of some set begins or ceases to match, at the ends of `ranges` (addresses that the world tells apart), and by `routed` (marks that have a route of their own).

@throws {InputError} as {@link cutMarks}.
*/
export function cutFields(ruleSets: readonly RuleSet[], {family, ranges, routed}: {
	readonly family: AddressFamily; readonly ranges: readonly Cut[]; readonly routed: readonly MarkCondition[];
}): Fields {
	const rules = ruleSets.flatMap(ruleSet => [...rulesOf({tables: tablesOf(ruleSet, family)})].map(({rule}) => rule));
	const matches = rules.flatMap(rule => rule.matches);
	const asksForState = matches.some(({kind}) => kind === 'conntrack-state');
	const protocols = [...new Set([...sentProtocols, ...matches.flatMap(match => match.kind === 'protocol' ? [match.protocol] : [])])];
	const addressMax = (1n << BigInt(addressBits[family])) - 1n;
	const addresses = (kind: 'source' | 'destination'): readonly Cut[] => cutAt(addressMax, [...ranges, ...matches.flatMap(match => match.kind === kind ? (parseRange(match.address, family) ?? []) : [])]);
	const ports = (kind: 'source-port' | 'destination-port'): readonly Cut[] => cutAt(portMax, matches.flatMap(match => match.kind === kind ? match.ranges.map(({from, to}) => cut(from, to)) : []), 1n);
	const ids = (kind: 'uid' | 'gid'): readonly Cut[] => cutAt(idMax, [...(kind === 'uid' && asksForState ? [root] : []), ...matches.flatMap(match => match.kind === kind ? [cut(match.from, match.to)] : [])]);
	const marks = cutMarks(rules, routed);
	return {
		family,
		protocols,
		markCutOf: marks.cutOf,
		asksForState,
		cuts: {
			protocol: protocols.map((_, index) => cut(index, index)),
			source: addresses('source'),
			'source-port': ports('source-port'),
			destination: addresses('destination'),
			'destination-port': ports('destination-port'),
			uid: ids('uid'),
			gid: ids('gid'),
			mark: marks.cuts,
			packet: packetKinds.map((_, index) => cut(index, index)),
		},
	};
}

function cut(first: number, last: number): Cut {
	return {first: BigInt(first), last: BigInt(last)};
}

/** The domain from `min` to `max` in pieces that no range cuts any further. */
function cutAt(max: bigint, ranges: readonly Cut[], min = 0n): readonly Cut[] {
	const starts = new Set([min]);
	for (const {first, last} of ranges) {
		for (const start of [first, last + 1n]) {
			if (start > min && start <= max) {
				starts.add(start);
			}
		}
	}

	const sorted = [...starts].toSorted((one, other) => (one < other ? -1 : 1));
	return sorted.map((first, index) => ({first, last: index + 1 < sorted.length ? sorted[index + 1]! - 1n : max}));
}

/** The place of the cut that holds a value. Undefined where the domain ends before it, and for a mark, whose cuts hold one value each. */
export function cutOf(cuts: readonly Cut[], value: bigint): number | undefined {
	const index = cuts.findIndex(({first, last}) => first <= value && value <= last);
	return index === -1 ? undefined : index;
}
