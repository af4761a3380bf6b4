/**
The socket that TPROXY gave a packet: the packet keeps its addresses, so only the rule tells who got it.
*/

import {findRule} from '../netfilter/lookup.js';
import type {Endpoint, RuleHit, Traversal} from '../netfilter/path.js';
import type {RuleSet} from '../netfilter/types.js';

/** Sockets that wait for packets that TPROXY gives them: one for each family. */
export type Listening = {readonly protocol: 'tcp' | 'udp'; readonly port: number};

/** A rule that gave a packet to a socket. `port` is undefined where the rule's way of doing that is not understood; `isLast` tells that the trace shows nothing behind it. */
export type GivenSocket = {readonly hit: RuleHit; readonly port: number | undefined; readonly isLast: boolean};

/** The last such rule on a packet's way: a later one takes the packet from the socket of an earlier one (`nf_tproxy_assign_sock`). */
export function givenSocketOf(traversals: readonly Traversal[], ruleSet: RuleSet): GivenSocket | undefined {
	for (const [index, {hits, destination}] of [...traversals.entries()].reverse()) {
		for (const hit of hits.toReversed()) {
			const target = hit.number === undefined ? undefined : findRule(ruleSet, {...hit, number: hit.number})?.target;
			if (target?.kind === 'tproxy') {
				// Port 0 is the packet's own (iptables-extensions(8)).
				return {hit, port: target.onPort === 0 ? destination.port : target.onPort, isLast: index === traversals.length - 1};
			}

			if (target?.kind === 'extension' && target.name.toLowerCase() === 'tproxy') {
				return {hit, port: undefined, isLast: index === traversals.length - 1};
			}
		}
	}

	return undefined;
}

/** Whether a rule led a packet away from what it asked for. It can come to the same address and port all the same: to the proxy's own port, or under TPROXY, which leaves both as they are. */
export function isLedAway(traversals: readonly Traversal[], ruleSet: RuleSet): boolean {
	return traversals.some(({hits}) => hits.some(hit => {
		const target = hit.number === undefined ? undefined : findRule(ruleSet, {...hit, number: hit.number})?.target;
		return target !== undefined && (target.kind === 'redirect' || target.kind === 'tproxy' || (target.kind === 'extension' && leading.has(target.name.toUpperCase())));
	}));
}

/** Targets of the same kind that are not read any further. */
const leading: ReadonlySet<string> = new Set(['DNAT', 'NETMAP', 'REDIRECT', 'TPROXY']);

/** Where a packet was delivered that a rule gave to a socket. */
export function deliveredBy(given: GivenSocket | undefined, arrival: {readonly hook: 'input' | 'postrouting'; readonly destination: Endpoint} | undefined): Endpoint | undefined {
	return arrival?.hook === 'input' && given?.port !== undefined ? {address: arrival.destination.address, port: given.port} : arrival?.destination;
}
