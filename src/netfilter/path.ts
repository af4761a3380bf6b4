/**
What a packet met on its path, as plain data that all rooms share. The types do not say where a path comes from: an observed one is branded in `trace/`, an expected one is in `scenario/`.
*/

import type {
	AddressFamily, Family, Hook, Verdict,
} from './types.js';

/** An address with its port. IPv6 addresses are written in their short form. */
export type Endpoint = {readonly address: string; readonly port: number};

/** An endpoint as text; the brackets of IPv6 separate its colons from that of the port (RFC 3986, 3.2.2). */
export function printEndpoint({address, port}: Endpoint): string {
	return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A rule that matched a packet. */
export type RuleHit = {
	readonly family: Family;
	readonly table: string;
	readonly chain: string;
	/** 1-based position in the chain; undefined if the kernel named a rule that is not in the installed set. */
	readonly number: number | undefined;
	/** The handle that nft assigns to a rule for life; undefined on iptables-legacy, which has none. */
	readonly handle: number | undefined;
	/** The rule as `iptables-save` prints it, without `-A CHAIN`; undefined if `number` is. */
	readonly text: string | undefined;
	/** The verdict that the kernel reported; undefined on iptables-legacy, whose trace does not include it. */
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
	/** What ended the path through this base chain. `open` means that the trace does not say, which is a gap. */
	readonly end: {readonly by: 'rule' | 'policy'; readonly verdict: Verdict | undefined} | {readonly by: 'open'};
	readonly inInterface: string | undefined;
	readonly outInterface: string | undefined;
	/** The addresses as the packet had them when it entered this chain. */
	readonly source: Endpoint;
	readonly destination: Endpoint;
};

/** Why a proxy closed a connection that it had accepted, without opening the next leg: it was addressed to the proxy's own port, or the next leg could not have the source address that it should have. */
export type Closing = 'own-port' | 'no-source';

/** How the attempt to open a connection ended. */
export type LegEnd =
	| {
		readonly kind: 'accepted';
		readonly stop: string;
		/** The listener of the same process that was given the connection, because it was addressed to that listener's port. No rule shows that. */
		readonly handedTo?: string;
		/** Present if the flow ends here and no next leg is opened. */
		readonly closed?: Closing;
	}
	| {readonly kind: 'refused'}
	| {readonly kind: 'unreachable'; readonly reason: string}
	| {readonly kind: 'dropped'; readonly by: RuleHit | undefined}
	| LostEnd
	| {readonly kind: 'unknown'; readonly reason: string};

/**
A connection that failed for a reason that the evidence shows:
- `nowhere`: a rule gave it a new destination where it cannot arrive: an address that no host has here, or, if it came from outside, one that is not the pod's;
- `lost`: it left by the device to which its socket is bound, with a loopback address as its destination, so it is neither captured nor bypassed;
- `answer-dropped`: it arrived, and the rules dropped the answer.
*/
export type LostEnd = {
	readonly kind: 'nowhere' | 'lost' | 'answer-dropped';
	/** Its destination where it was lost, after every translation. */
	readonly at: Endpoint;
	/** The rule that set this destination, or that dropped the answer; undefined if none did. */
	readonly by: RuleHit | undefined;
	readonly reason: string;
};

/** One socket pair: who opened it, its destination, what the packet met, where it arrived. */
export type Leg = {
	/** The actor that opened the socket: `app`, `proxy` … */
	readonly actor: string;
	readonly family: AddressFamily;
	readonly protocol: 'tcp' | 'udp';
	readonly from: Endpoint;
	readonly to: Endpoint;
	/** The credentials that the kernel saw on the socket; undefined if the packet did not leave a socket under trace. */
	readonly socket: {readonly uid: number; readonly gid: number} | undefined;
	readonly traversals: readonly Traversal[];
	readonly end: LegEnd;
	/** The conntrack entry; absent if there is none, or more than one. */
	readonly flow?: {readonly zone: number; readonly isReplied: boolean};
};

/** All legs of one probe, in order. */
export type Path = {readonly legs: readonly Leg[]};

/** The steps of one traversal in the testbed's notation: `OUTPUT#1`, `ISTIO_OUTPUT#9`, `mangle:PREROUTING`. */
export function stepsOfTraversal({table, chain, hits}: Traversal): readonly string[] {
	if (hits.length === 0) {
		return [printStep(table, chain)];
	}

	// The base chain needs no step of its own if a rule in another chain matched, because the path there begins with a jump from the base chain.
	const steps = knownSteps.get(hits) ?? hits.map(hit => printHitPlace(hit));
	knownSteps.set(hits, steps);
	return steps;
}

/** Thousands of probes share the hits of their traversals. */
const knownSteps = new WeakMap<Traversal['hits'], readonly string[]>();

/** The steps of a whole path: the first actor, then per leg its traversals and the listener that accepted it. A leg that was not accepted ends with what happened to it; one that the listener's own process closed, with `closed`. */
export function stepsOfPath({legs}: Path): readonly string[] {
	const steps: string[] = [];
	for (const leg of legs) {
		if (steps.length === 0) {
			steps.push(leg.actor);
		}

		for (const traversal of leg.traversals) {
			steps.push(...stepsOfTraversal(traversal));
		}

		steps.push(printLegEnd(leg.end));
		if (closingOf(leg) !== undefined) {
			steps.push('closed');
		}
	}

	return steps;
}

/** The actor that listens at a stop: `proxy` for `proxy:15001`. */
export function actorOfStop(stop: string): string {
	return stop.split(':')[0]!;
}

/** Why the process that accepted a leg closed it; undefined if it did not. */
export function closingOf({end}: Pick<Leg, 'end'>): Closing | undefined {
	return end.kind === 'accepted' ? end.closed : undefined;
}

/** The listeners that accepted a connection, in order: `proxy:15001`, `remote:8080`. */
export function stopsOfPath(path: Path): readonly string[] {
	return path.legs.flatMap(({end}) => end.kind === 'accepted' ? [end.stop] : []);
}

/** A step as text. The table is named unless it is nat; the number is omitted if no rule matched. */
export function printStep(table: string, chain: string, number?: number | string): string {
	const name = table === 'nat' ? chain : `${table}:${chain}`;
	return number === undefined ? name : `${name}#${number}`;
}

/** A rule that matched, as a step. */
export function printHitPlace({table, chain, number}: RuleHit): string {
	return printStep(table, chain, number ?? '?');
}

/** How a leg ended, as the last step of a path. */
export function printLegEnd(end: LegEnd): string {
	switch (end.kind) {
		case 'accepted': {
			return end.stop;
		}

		case 'dropped': {
			return end.by === undefined ? 'dropped' : `dropped by ${printHitPlace(end.by)}`;
		}

		case 'nowhere':
		case 'lost': {
			return `${end.kind} (${printEndpoint(end.at)})`;
		}

		case 'answer-dropped': {
			return end.by === undefined ? end.kind : `${end.kind} by ${printHitPlace(end.by)}`;
		}

		case 'refused':
		case 'unreachable':
		case 'unknown': {
			return end.kind;
		}
	}
}
