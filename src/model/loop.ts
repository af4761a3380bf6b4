/**
Whether a flow is a loop, judged by its legs. What a proxy opens depends only on what it accepted, so if the kernel has done the same with the same packets in two rounds, one after the other, the next round is the first again. Without this, each probe that loops would be sent on until it has met as many stops as a flow may have (`loopStops`), and rules that redirect the proxy's own connections make a loop of each of their classes.
*/

import {ephemeralPorts} from '../mesh/topology.js';
import type {Endpoint, Leg, Traversal} from '../netfilter/path.js';
import {someMayCount} from '../netfilter/repeated-packets.js';
import type {Match, RuleSet} from '../netfilter/types.js';
import type {NextLeg} from './stub.js';

/** One leg of a flow: what was sent, and how it ended. */
export type FlowLeg = {readonly sent: NextLeg; readonly leg: Pick<Leg, 'end' | 'traversals'> & {readonly deliveredTo: Endpoint | undefined}};

/** Whether equal packets have equal paths under these rules. A match or target that is not understood may count packets (`statistic`, `limit`, `quota`), and a match of source ports may tell apart those that the kernel chooses. */
export function treatsAlike({tables}: RuleSet): boolean {
	return !someMayCount(tables) && tables.every(({chains}) => chains.every(({rules}) => rules.every(({matches}) => matches.every(match => isSteady(match)))));
}

function isSteady(match: Match): boolean {
	const {from: first, to: last} = ephemeralPorts;
	return match.kind !== 'source-port' || match.ranges.every(({from, to}) => to < first || from > last || (from <= first && to >= last));
}

/** Whether the last round of a flow was the same as the one before. */
export function isRoundRepeated(flow: readonly FlowLeg[]): boolean {
	for (let period = 1; period * 2 <= flow.length; period++) {
		const last = flow.slice(-period);
		if (last.every((each, index) => isSameLeg(each, flow.at(index - (period * 2))!))) {
			return true;
		}
	}

	return false;
}

function isSameLeg(one: FlowLeg, other: FlowLeg): boolean {
	return isSamePacket(one.sent, other.sent)
		&& isSameEnd(one.leg.end, other.leg.end)
		&& isSameEndpoint(one.leg.deliveredTo, other.leg.deliveredTo)
		&& one.leg.traversals.length === other.leg.traversals.length
		&& one.leg.traversals.every((each, index) => isSameTraversal(each, other.leg.traversals[index]!));
}

/** What rules can see of a packet, except for the source port if the kernel chooses it. */
const seen = ['from', 'uid', 'gid', 'protocol', 'source', 'sourcePort', 'mark', 'bindDevice', 'packet'] as const satisfies ReadonlyArray<keyof NextLeg>;

function isSamePacket(one: NextLeg, other: NextLeg): boolean {
	return seen.every(name => one[name] === other[name]) && isSameEndpoint(one.to, other.to);
}

function isSameEndpoint(one: Endpoint | undefined, other: Endpoint | undefined): boolean {
	return one?.address === other?.address && one?.port === other?.port;
}

function isSameEnd(one: Leg['end'], other: Leg['end']): boolean {
	return one.kind === 'accepted' && other.kind === 'accepted' && one.stop === other.stop && one.handedTo === other.handedTo && one.closed === other.closed;
}

function isSameTraversal(one: Traversal, other: Traversal): boolean {
	return one.hook === other.hook && one.family === other.family && one.table === other.table && one.chain === other.chain
		&& one.end.by === other.end.by && one.hits.length === other.hits.length
		&& one.hits.every((hit, index) => {
			const same = other.hits[index]!;
			return hit.table === same.table && hit.chain === same.chain && hit.number === same.number && hit.handle === same.handle && hit.verdict === same.verdict;
		});
}
