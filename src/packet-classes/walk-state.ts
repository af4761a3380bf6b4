/**
The state of a set of packets in a rule set: where it is, and what it has met.
*/

import type {RuleHit} from '../netfilter/path.js';
import type {Hook} from '../netfilter/types.js';
import type {PacketState} from '../judge/explain/packet-facts.js';
import type {ChainInTable} from './base-chains.js';
import type {Bounds, ChainIndex} from './chain-index.js';
import type {Bound} from './condition-field.js';
import type {PacketSet} from './packet-set.js';

/** A rule by its place, as in a path. */
export type WalkedRule = Pick<RuleHit, 'family' | 'table' | 'chain'> & {readonly number: number; readonly text: string};

/** One packet class: what happens to all its packets, according to the model. */
export type PathCondition = {
	readonly packetSet: PacketSet;
	/** The rules that they meet, in order; undefined if a condition on the path is not understood. */
	readonly hits: readonly WalkedRule[] | undefined;
	/** Rules that these packets reach and that have a condition which is not understood. */
	readonly doubts: readonly WalkedRule[];
};

/** A stack of chains: when the upper one ends, the one below continues. */
export type Frame = {readonly rules: ChainIndex; readonly next: number; readonly below: Frame | undefined};
/** Rules, the last one first. Paths that diverge share their beginning. */
export type Rules = {readonly rule: WalkedRule; readonly before: Rules | undefined};
/** One set that continues. */
export type State = {
	readonly packetSet: PacketSet;
	readonly bounds: Bounds;
	readonly hook: Hook;
	/** How many base chains of the hook it has passed. */
	readonly chainsDone: number;
	readonly placed: ChainInTable | undefined;
	readonly frame: Frame | undefined;
	readonly packet: PacketState;
	/** Whether the mark is still the socket's. */
	readonly isMarkSent: boolean;
	readonly from: Bound;
	readonly to: Bound;
	readonly inInterface: string | undefined;
	readonly outInterface: string | undefined;
	/** The device that the socket is bound to. */
	readonly device: string | undefined;
	readonly hits: Rules | undefined;
	readonly isKnown: boolean;
	readonly doubts: Rules | undefined;
};

/** How far a set has got. */
export function pathConditionOf({packetSet, hits, isKnown, doubts}: State): PathCondition {
	return {packetSet, hits: isKnown ? inOrder(hits) : undefined, doubts: [...new Set(inOrder(doubts))]};
}

function inOrder(rules: Rules | undefined): readonly WalkedRule[] {
	const walked: WalkedRule[] = [];
	for (let rest = rules; rest !== undefined; rest = rest.before) {
		walked.push(rest.rule);
	}

	return walked.reverse();
}
