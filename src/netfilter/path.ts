/**
What a packet met on its way, as plain data that every room shares. Nothing here says who made a path: an observed one is branded in `trace/`, an expected one lives in `scenario/`.
*/

import type {
	AddressFamily, Family, Hook, Verdict,
} from './types.js';

/** An address with its port. IPv6 addresses are written in their short form. */
export type Endpoint = {readonly address: string; readonly port: number};

/** An endpoint as text; the brackets of IPv6 keep its colons from the port's (RFC 3986, 3.2.2). */
export function printEndpoint({address, port}: Endpoint): string {
	return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A rule that matched a packet. */
export type RuleHit = {
	readonly family: Family;
	readonly table: string;
	readonly chain: string;
	/** 1-based place in the chain; undefined when the kernel named a rule that the loaded set does not hold. */
	readonly number: number | undefined;
	/** The number that nft gives a rule for life; undefined on iptables-legacy, which has none. */
	readonly handle: number | undefined;
	/** The rule as `iptables-save` prints it, without `-A CHAIN`; undefined when `number` is. */
	readonly text: string | undefined;
	/** What the kernel said the rule did; undefined on iptables-legacy, whose trace does not tell. */
	readonly verdict: Verdict | undefined;
};

/** One packet through one base chain at one hook, with the rules that matched there and in the chains it jumped to. */
export type Traversal = {
	readonly hook: Hook;
	readonly family: Family;
	readonly table: string;
	/** The built-in chain: `PREROUTING`, `OUTPUT` … */
	readonly chain: string;
	readonly hits: readonly RuleHit[];
	/** Who ended the way through this base chain. `open` means that the trace does not say: a gap. */
	readonly end: {readonly by: 'rule' | 'policy'; readonly verdict: Verdict | undefined} | {readonly by: 'open'};
	readonly inInterface: string | undefined;
	readonly outInterface: string | undefined;
	/** The addresses as the packet carried them when it entered this chain. */
	readonly source: Endpoint;
	readonly destination: Endpoint;
};

/** How the attempt to open a connection ended. */
export type LegEnd =
	| {readonly kind: 'accepted'; readonly stop: string}
	| {readonly kind: 'refused'}
	| {readonly kind: 'unreachable'; readonly reason: string}
	| {readonly kind: 'dropped'; readonly by: RuleHit | undefined}
	| {readonly kind: 'unknown'; readonly reason: string};

/** One socket pair: who opened it, where it wanted to go, what the packet met, where it arrived. */
export type Leg = {
	/** The actor that opened the socket: `app`, `proxy` … */
	readonly actor: string;
	readonly family: AddressFamily;
	readonly protocol: 'tcp' | 'udp';
	readonly from: Endpoint;
	readonly to: Endpoint;
	/** The credentials that the kernel saw on the socket; undefined where the packet did not leave a socket under trace. */
	readonly socket: {readonly uid: number; readonly gid: number} | undefined;
	readonly traversals: readonly Traversal[];
	readonly end: LegEnd;
	/** What conntrack holds of it; not there where conntrack has no entry of it, or more than one. */
	readonly flow?: {readonly zone: number; readonly isReplied: boolean};
};

/** All legs of one probe, in order. */
export type Path = {readonly legs: readonly Leg[]};

/** The steps of one traversal in the notation of the testbed: `OUTPUT#1`, `ISTIO_OUTPUT#9`, `mangle:PREROUTING`. */
export function stepsOfTraversal(traversal: Traversal): readonly string[] {
	if (traversal.hits.length === 0) {
		return [printStep(traversal.table, traversal.chain)];
	}

	const steps = traversal.hits.map(hit => printStep(hit.table, hit.chain, hit.number ?? '?'));
	// A base chain is named even when only a later part of its way is a hit of another chain: it always begins with a jump of its own.
	return steps;
}

/** The steps of a whole path: the first actor, then per leg its traversals and the listener that accepted it. A leg that was not accepted ends with what happened to it. */
export function stepsOfPath(path: Path): readonly string[] {
	const [first] = path.legs;
	return first === undefined ? [] : [first.actor, ...path.legs.flatMap(leg => [...leg.traversals.flatMap(traversal => stepsOfTraversal(traversal)), printLegEnd(leg.end)])];
}

/** The listeners that accepted a connection, in order: `proxy:15001`, `remote:8080`. */
export function stopsOfPath(path: Path): readonly string[] {
	return path.legs.flatMap(({end}) => end.kind === 'accepted' ? [end.stop] : []);
}

/** A step as text. The table is named unless it is nat; the number is left out where no rule matched. */
export function printStep(table: string, chain: string, number?: number | string): string {
	const name = table === 'nat' ? chain : `${table}:${chain}`;
	return number === undefined ? name : `${name}#${number}`;
}

/** How a leg ended, as the last step of a path. */
export function printLegEnd(end: LegEnd): string {
	switch (end.kind) {
		case 'accepted': {
			return end.stop;
		}

		case 'dropped': {
			return end.by === undefined ? 'dropped' : `dropped by ${printStep(end.by.table, end.by.chain, end.by.number ?? '?')}`;
		}

		case 'refused':
		case 'unreachable':
		case 'unknown': {
			return end.kind;
		}
	}
}
