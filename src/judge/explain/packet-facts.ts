/**
What a packet is where a chain asks: what the trace shows of it there, who sent it, and the marks that the rules before have left on it.
*/

import {baseChainOf, findTable} from '../../netfilter/lookup.js';
import type {Endpoint, Leg, Traversal} from '../../netfilter/path.js';
import type {
	AddressFamily, Rule, RuleSet, Target,
} from '../../netfilter/types.js';
import {transparencyOf} from '../../mesh/intent.js';
import type {Credentials, Intent} from '../../scenario/types.js';

/** What is known of a packet at one rule. `undefined` of `socket`, `mark`, `connmark` and `states` means that it is not known. */
export type PacketFacts = {
	readonly family: AddressFamily;
	readonly protocol: Leg['protocol'];
	readonly source: Endpoint;
	readonly destination: Endpoint;
	/** Undefined where there is none: a packet that is sent comes in by no interface. */
	readonly inInterface: string | undefined;
	readonly outInterface: string | undefined;
	/** `none` where no socket of this namespace has sent the packet. */
	readonly socket: Credentials | 'none' | undefined;
	readonly mark: number | undefined;
	/** `none` as long as the packet belongs to no connection. */
	readonly connmark: number | 'none' | undefined;
	/** What `--ctstate` compares with; several, because a translated connection is SNAT or DNAT beside its state. */
	readonly states: readonly string[] | undefined;
};

/** How far conntrack is with the packet: it comes after the table raw, which may choose a zone (a template stands in for the connection then) or exempt the packet. */
type Tracking = 'before' | 'template' | 'untracked' | 'tracked';

/** What a packet carries from chain to chain beside its addresses. */
export type PacketState = {
	readonly mark: number | undefined;
	readonly connmark: PacketFacts['connmark'];
	readonly tracking: Tracking;
	/** TPROXY has given the packet to a listener: from then on that is its socket. */
	readonly isGiven: boolean;
};

/** The priority at which conntrack looks at packets in PREROUTING and OUTPUT (NF_IP_PRI_CONNTRACK in linux/netfilter_ipv4.h). */
const conntrackPriority = -200;

/** A packet that nobody has touched, with the mark of its socket. */
export function freshPacket(mark: number): PacketState {
	return {
		mark, connmark: 'none', tracking: 'before', isGiven: false,
	};
}

/** The state in which a packet enters a base chain: behind conntrack's own priority it belongs to a connection, and a new one has no mark. Over `lo` it keeps its connection (`nf_conntrack_in`, "previously seen"). */
export function enterChain(state: PacketState, {family, table, chain, hook}: Pick<Traversal, 'family' | 'table' | 'chain' | 'hook'>, ruleSet: RuleSet): PacketState {
	const found = findTable(ruleSet, {family, table});
	const placed = found?.chains.find(({name}) => name === chain);
	const priority = found === undefined || placed === undefined ? 0 : baseChainOf(found, placed)?.priority ?? 0;
	const isBehind = (hook !== 'prerouting' && hook !== 'output') || priority > conntrackPriority;
	return isBehind && (state.tracking === 'before' || state.tracking === 'template') ? {...state, tracking: 'tracked', connmark: 0} : state;
}

/** What the packet of a leg is in a base chain. */
export function factsAt(leg: Leg, traversal: Traversal, state: PacketState): PacketFacts {
	const {source, destination, inInterface, outInterface} = traversal;
	return {
		family: leg.family,
		protocol: leg.protocol,
		source,
		destination,
		inInterface,
		outInterface,
		socket: socketAt(leg, traversal, state),
		mark: state.mark,
		connmark: state.connmark,
		states: statesAt(leg, traversal, state),
	};
}

/** A packet that comes in has no socket yet, over `lo` neither: the device takes it off. In INPUT it has one where TPROXY gave it one, or where UDP knows its connection early. */
function socketAt({socket, protocol}: Leg, {hook, inInterface}: Traversal, {isGiven}: PacketState): PacketFacts['socket'] {
	switch (hook) {
		case 'output':
		case 'postrouting': {
			return inInterface === undefined ? socket : 'none';
		}

		case 'input': {
			return isGiven || protocol === 'udp' ? undefined : 'none';
		}

		case 'prerouting':
		case 'forward': {
			return 'none';
		}
	}
}

function statesAt({from, to}: Leg, {source, destination}: Traversal, {tracking}: PacketState): readonly string[] | undefined {
	switch (tracking) {
		case 'before': {
			// Without a connection the match sees INVALID (`conntrack_mt` in net/netfilter/xt_conntrack.c; `nft_ct_get_eval`).
			return ['INVALID'];
		}

		case 'template': {
			return undefined;
		}

		case 'untracked': {
			return ['UNTRACKED'];
		}

		case 'tracked': {
			return ['NEW', ...(isSame(from, source) ? [] : ['SNAT']), ...(isSame(to, destination) ? [] : ['DNAT'])];
		}
	}
}

function isSame(one: Endpoint, other: Endpoint): boolean {
	return one.address === other.address && one.port === other.port;
}

/** Clears the bits of `mask`, then flips those of `value`: what every way of marking comes to (iptables-extensions(8), MARK). */
function change(mark: number, {value, mask}: {readonly value: number; readonly mask: number}): number {
	return ((mark & ~mask) ^ value) >>> 0;
}

/** The state of a packet behind a rule that matched it. What is not understood of a mark makes it unknown. */
export function applyRule(state: PacketState, {target, matches}: Rule): PacketState {
	const changed = applyTarget(state, target);
	// Of several acting statements in a rule of nft only the last is the target.
	const words = matches.flatMap(match => match.kind === 'opaque' ? [match.text] : []);
	return {
		...changed,
		mark: words.some(text => /^meta mark set\b/u.test(text)) ? undefined : changed.mark,
		connmark: words.some(text => /^ct mark set\b/u.test(text)) ? undefined : changed.connmark,
	};
}

function applyTarget(state: PacketState, target: Target): PacketState {
	const {mark, connmark, tracking} = state;
	switch (target.kind) {
		case 'set-mark': {
			return {...state, mark: mark === undefined ? wholly(target) : change(mark, target)};
		}

		case 'tproxy': {
			const setting = {value: target.mark, mask: target.mask};
			return {...state, mark: mark === undefined ? wholly(setting) : change(mark, setting), isGiven: true};
		}

		case 'set-connmark': {
			return {...state, connmark: connmark === undefined ? wholly(target) : (connmark === 'none' ? 'none' : change(connmark, target))};
		}

		case 'save-mark': {
			return {...state, connmark: connmark === 'none' ? 'none' : mark};
		}

		case 'restore-mark': {
			return {...state, mark: connmark === 'none' ? mark : connmark};
		}

		case 'ct-zone': {
			return {...state, tracking: tracking === 'before' ? 'template' : tracking};
		}

		case 'extension': {
			return applyExtension(state, target);
		}

		case 'verdict':
		case 'jump':
		case 'goto':
		case 'redirect':
		case 'none': {
			return state;
		}
	}
}

/** A mark that is set in all its bits is known again. */
function wholly({value, mask}: {readonly value: number; readonly mask: number}): number | undefined {
	return mask === 0xFF_FF_FF_FF ? value : undefined;
}

/** Targets without a field of their own that reach a mark or conntrack (iptables-extensions(8), nft(8)); no other does. */
function applyExtension(state: PacketState, {name, options}: Extract<Target, {kind: 'extension'}>): PacketState {
	switch (name) {
		case 'MARK':
		case 'HMARK':
		case 'SET': {
			return {...state, mark: undefined};
		}

		case 'TPROXY':
		case 'tproxy': {
			return {...state, mark: undefined, isGiven: true};
		}

		case 'CONNMARK': {
			return {...state, mark: options.startsWith('--restore-mark') ? undefined : state.mark, connmark: options.startsWith('--restore-mark') ? state.connmark : undefined};
		}

		case 'meta': {
			return options.startsWith('mark ') ? {...state, mark: undefined} : state;
		}

		case 'ct': {
			return options.startsWith('mark ') ? {...state, connmark: undefined} : state;
		}

		case 'CT':
		case 'NOTRACK':
		case 'notrack': {
			if (state.tracking !== 'before') {
				return state;
			}

			return {...state, tracking: name === 'CT' && options !== '--notrack' ? 'template' : 'untracked'};
		}

		default: {
			return state;
		}
	}
}

/** The mark with which a leg's socket was opened: a transparent proxy marks what it carries on from its inbound listener, ztunnel everything (see `transparencyOf`). Every other socket has none. */
export function socketMarkOf(legs: readonly Leg[], index: number, intent: Intent): number {
	const transparency = transparencyOf(intent);
	const before = legs[index - 1]?.end;
	if (transparency === undefined || before?.kind !== 'accepted') {
		return 0;
	}

	const isInbound = before.stop === `proxy:${intent.inboundCapturePort}`;
	return isInbound || transparency.marksOutbound ? transparency.mark : 0;
}
