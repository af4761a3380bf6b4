/**
The properties of a packet at a chain: what the trace shows there, who sent it, and the marks that earlier rules have set.
*/

import {baseChainOf, findTable} from '../../netfilter/lookup.js';
import type {Endpoint, Leg, Traversal} from '../../netfilter/path.js';
import type {
	AddressFamily, Rule, RuleSet, Target,
} from '../../netfilter/types.js';
import {transparencyOf} from '../../mesh/intent.js';
import type {Credentials, Intent} from '../../mesh/traffic.js';

/** What is known about a packet at one rule. An undefined `socket`, `mark`, `connmark` or `states` is not known. */
export type PacketFacts = {
	readonly family: AddressFamily;
	readonly protocol: Leg['protocol'];
	readonly source: Endpoint;
	readonly destination: Endpoint;
	/** Undefined if there is none: a packet that is being sent has no input interface. */
	readonly inInterface: string | undefined;
	readonly outInterface: string | undefined;
	/** `none` if no socket of this namespace sent the packet. */
	readonly socket: Credentials | 'none' | undefined;
	readonly mark: number | undefined;
	/** `none` while the packet belongs to no connection. */
	readonly connmark: number | 'none' | undefined;
	/** The values that `--ctstate` compares with; several, because a translated connection is SNAT or DNAT in addition to its state. */
	readonly states: readonly string[] | undefined;
};

/** The conntrack status of the packet: conntrack runs after the table raw, which may choose a zone (a template then stands in for the connection) or exempt the packet. */
type Tracking = 'before' | 'template' | 'untracked' | 'tracked';

/** What a packet carries from chain to chain besides its addresses. */
export type PacketState = {
	readonly mark: number | undefined;
	readonly connmark: PacketFacts['connmark'];
	readonly tracking: Tracking;
	/** TPROXY has assigned the packet to a listener, which is its socket from then on. */
	readonly isGiven: boolean;
};

/** The priority at which conntrack processes packets in PREROUTING and OUTPUT (NF_IP_PRI_CONNTRACK in linux/netfilter_ipv4.h). */
const conntrackPriority = -200;

/** An unprocessed packet with the mark of its socket. */
export function freshPacket(mark: number): PacketState {
	return {
		mark, connmark: 'none', tracking: 'before', isGiven: false,
	};
}

/** The state in which a packet enters a base chain: after conntrack's priority it belongs to a connection, and a new one has no mark. Over `lo` it keeps its connection (`nf_conntrack_in`, "previously seen"). */
export function enterChain(state: PacketState, {family, table, chain, hook}: Pick<Traversal, 'family' | 'table' | 'chain' | 'hook'>, ruleSet: RuleSet): PacketState {
	const found = findTable(ruleSet, {family, table});
	const placed = found?.chains.find(({name}) => name === chain);
	const priority = found === undefined || placed === undefined ? 0 : baseChainOf(found, placed)?.priority ?? 0;
	const isBehind = (hook !== 'prerouting' && hook !== 'output') || priority > conntrackPriority;
	return isBehind && (state.tracking === 'before' || state.tracking === 'template') ? {...state, tracking: 'tracked', connmark: 0} : state;
}

/** The facts about the packet of a leg in a base chain. */
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

/** An incoming packet has no socket yet, not even over `lo`, because the device removes it. In INPUT it has one if TPROXY assigned it, or if UDP finds its connection early. */
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

/** Clears the bits of `mask`, then flips those of `value`: every way of marking amounts to that (iptables-extensions(8), MARK). */
function change(mark: number, {value, mask}: {readonly value: number; readonly mask: number}): number {
	return ((mark & ~mask) ^ value) >>> 0;
}

/** The state of a packet after a rule that matched it. If a marking is not understood, the mark becomes unknown. */
export function applyRule(state: PacketState, {target, matches}: Rule): PacketState {
	const changed = applyTarget(state, target);
	// Of several acting statements in an nft rule, only the last is the target.
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

/** A mark of which all bits are set is known again. */
function wholly({value, mask}: {readonly value: number; readonly mask: number}): number | undefined {
	return mask === 0xFF_FF_FF_FF ? value : undefined;
}

/** Targets without a field that affect a mark or conntrack (iptables-extensions(8), nft(8)); no others do. */
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

/** The mark with which a leg's socket was opened: a transparent proxy marks the connections that it opens for its inbound listener, ztunnel all of them (see `transparencyOf`). All other sockets have none. */
export function socketMarkOf(legs: readonly Leg[], index: number, intent: Intent): number {
	const transparency = transparencyOf(intent);
	const before = legs[index - 1]?.end;
	if (transparency === undefined || before?.kind !== 'accepted') {
		return 0;
	}

	const isInbound = before.stop === `proxy:${intent.inboundCapturePort}`;
	return isInbound || transparency.marksOutbound ? transparency.mark : 0;
}
