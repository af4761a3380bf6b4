/**
The input of a drawing: one connection with all its legs, the rules tested for each packet, and the installed rules. Plain data; the code that creates it chooses all words.
*/

import type {Family, Hook} from '../netfilter/types.js';

/** What happened at a rule that a packet reached: it did not match, it matched, or it decided. */
export type AskedState = 'missed' | 'matched' | 'decided';

/** One rule that was tested for a packet, in the kernel's order. */
export type AskedStep = {
	readonly chain: string;
	/** 1-based number in its chain; null for a rule that is not in the loaded set. */
	readonly number: number | null;
	readonly text: string;
	/** The purpose of the rule, as one sentence; null for a rule without a known role. */
	readonly purpose: string | null;
	readonly state: AskedState;
	/** What it did, or which condition failed. */
	readonly because: string;
	/** The chain that it sent the packet to. */
	readonly jump: string | null;
};

/** One packet through one base chain. */
export type Visit = {
	readonly hook: Hook;
	readonly family: Family;
	readonly table: string;
	/** The base chain. */
	readonly chain: string;
	readonly asked: readonly AskedStep[];
	/** How it was left: by a rule, or by the chain's policy (`ACCEPT`). Null if the trace does not say. */
	readonly left: {readonly by: 'rule'} | {readonly by: 'policy'} | null;
	/** Addresses that the packet had before this chain but not after it. */
	readonly rewrites: readonly Rewrite[];
};

/** What NAT did: `10.96.1.10:8080` → `127.0.0.1:15001`. */
export type Rewrite = {readonly what: 'source' | 'destination'; readonly from: string; readonly to: string};

/** The actor that opened a leg, or received it. An outcome without a process (`refused`) is not an actor. */
export type Terminal = {
	/** `app`, `proxy`, `remote`; the outcome if nobody received it. */
	readonly name: string;
	/** Details in smaller type: its user and group, or the requested address. */
	readonly about: string | null;
	readonly isInPod: boolean;
};

/** How a leg ended: at a listener, without one, dropped by a rule, or not shown by the trace. */
export type DrawnEnd =
	| {readonly kind: 'accepted' | 'nobody' | 'unknown'; readonly terminal: Terminal; /** `:15001`, next to the arrow. */ readonly label: string | null}
	| {readonly kind: 'dropped'};

/** One leg. */
export type DrawnLeg = {
	readonly sender: Terminal;
	/** Where it was sent. */
	readonly to: string;
	readonly visits: readonly Visit[];
	readonly end: DrawnEnd;
	/** The end in one word, for texts: `proxy:15001`, `dropped by OUTPUT#1`. */
	readonly endName: string;
};

/** A chain as installed in the kernel. */
export type DrawnChain = {
	readonly family: Family;
	readonly table: string;
	readonly name: string;
	/** The policy of a base chain; null for other chains. */
	readonly policy: string | null;
	/** The position of a base chain among those of its hook: the lowest comes first. */
	readonly priority: number;
	readonly rules: ReadonlyArray<{readonly number: number; readonly text: string; readonly purpose: string | null}>;
};

/** A connection to draw. */
export type Connection = {
	/** `2 local-to-remote, IPv4`. */
	readonly title: string;
	/** `app → proxy:15001 → remote:8080`. */
	readonly summary: string;
	readonly legs: readonly DrawnLeg[];
	/** All chains that its packets could have met. */
	readonly chains: readonly DrawnChain[];
	/** Remarks: a loop, legs that are left out, gaps of the evidence. */
	readonly notes: readonly string[];
};

/** The name of a place in a chain: `ISTIO_OUTPUT#9`, with the table unless it is nat. */
export function nameOfStep(table: string, {chain, number}: Pick<AskedStep, 'chain' | 'number'>): string {
	return `${table === 'nat' ? '' : `${table}:`}${chain}#${number ?? '?'}`;
}
