/**
The socket to which TPROXY assigned a packet: the packet keeps its addresses, so only the rule shows who received it.
*/

import {findRule} from '../netfilter/lookup.js';
import type {Endpoint, RuleHit, Traversal} from '../netfilter/path.js';
import type {RuleSet, Target} from '../netfilter/types.js';

/** Sockets to which TPROXY can assign packets: one for each family. */
export type Listening = {readonly protocol: 'tcp' | 'udp'; readonly port: number};

/** A rule that assigned a packet to a socket. `port` is undefined if it is not understood how the rule does that; `isLast`: the trace shows nothing after it. */
export type GivenSocket = {readonly hit: RuleHit; readonly port: number | undefined; readonly isLast: boolean};

/** The last such rule on a packet's path: a later one takes the packet from the socket of an earlier one (`nf_tproxy_assign_sock`). */
export function givenSocketOf(traversals: readonly Traversal[], ruleSet: RuleSet): GivenSocket | undefined {
	if (!mayGiveSockets(ruleSet)) {
		return undefined;
	}

	for (const [index, {hits, destination}] of [...traversals.entries()].reverse()) {
		for (const hit of hits.toReversed()) {
			const target = targetOf(hit, ruleSet);
			if (target?.kind === 'tproxy') {
				// Port 0 is the packet's own (iptables-extensions(8)).
				return {hit, port: target.onPort === 0 ? destination.port : target.onPort, isLast: index === traversals.length - 1};
			}

			if (isGiving(target)) {
				return {hit, port: undefined, isLast: index === traversals.length - 1};
			}
		}
	}

	return undefined;
}

/** Rule sets by whether any of their rules assigns packets to sockets: most have none, and every probe asks. */
const giving = new WeakMap<RuleSet, boolean>();

function mayGiveSockets(ruleSet: RuleSet): boolean {
	const known = giving.get(ruleSet) ?? ruleSet.tables.some(({chains}) => chains.some(({rules}) => rules.some(({target}) => isGiving(target))));
	giving.set(ruleSet, known);
	return known;
}

/** Whether a target assigns packets to sockets, even if it is not understood to which. */
function isGiving(target: Target | undefined): boolean {
	return target?.kind === 'tproxy' || isLeadingExtension(target, 'TPROXY');
}

/** Whether a rule redirected a packet. It can still arrive at the same address and port: at the proxy's own port, or under TPROXY, which changes neither. */
export function isLedAway(traversals: readonly Traversal[], ruleSet: RuleSet): boolean {
	return traversals.some(({hits}) => hits.some(hit => isTranslating(hit, ruleSet) || isGiving(targetOf(hit, ruleSet))));
}

/** Whether a rule sets a new destination. */
export function isTranslating(hit: RuleHit, ruleSet: RuleSet): boolean {
	const target = targetOf(hit, ruleSet);
	return target?.kind === 'redirect' || isLeadingExtension(target, 'DNAT', 'NETMAP', 'REDIRECT');
}

function targetOf(hit: RuleHit, ruleSet: RuleSet): Target | undefined {
	return hit.number === undefined ? undefined : findRule(ruleSet, {...hit, number: hit.number})?.target;
}

/** Targets of the same kind that are not interpreted any further. */
function isLeadingExtension(target: Target | undefined, ...names: readonly string[]): boolean {
	return target?.kind === 'extension' && names.includes(target.name.toUpperCase());
}

/** Where a packet was delivered that a rule assigned to a socket. */
export function deliveredBy(given: GivenSocket | undefined, arrival: {readonly hook: 'input' | 'postrouting'; readonly destination: Endpoint} | undefined): Endpoint | undefined {
	return arrival?.hook === 'input' && given?.port !== undefined ? {address: arrival.destination.address, port: given.port} : arrival?.destination;
}
