/**
A message of the kernel about a packet, from either back end.
*/

import type {Family, Hook, Verdict} from '../../netfilter/types.js';
import type {PacketHeader} from './packet.js';

/** The content of a message: a rule matched, a user chain ended without a verdict, or a built-in chain's policy applied. */
export type TraceKind = 'rule' | 'return' | 'policy';

type EventBase = {
	readonly kind: TraceKind;
	readonly family: Family;
	readonly table: string;
	readonly chain: string;
	/** Index of the interface, 0 if there is none at this hook. */
	readonly inInterface: number;
	readonly outInterface: number;
};

/** From nftables (linux/netfilter/nf_tables.h, `enum nft_trace_attributes`). Only the first event of a base chain includes the packet. */
export type NftTraceEvent = EventBase & {
	readonly source: 'nft';
	/** The kernel's number of the packet, the same for all events along its path. */
	readonly traceId: number;
	readonly handle: number | undefined;
	readonly verdict: Verdict;
	/** Where a jump or goto leads. */
	readonly target: string | undefined;
	readonly packet: PacketHeader | undefined;
};

/** From ip_tables by NFLOG (net/ipv4/netfilter/ip_tables.c, `trace_packet`). Every event includes the packet, and the owner of its socket. */
export type LogTraceEvent = EventBase & {
	readonly source: 'nflog';
	readonly hook: Hook;
	readonly number: number;
	readonly packet: PacketHeader;
	readonly uid: number | undefined;
	readonly gid: number | undefined;
	/** The kernel's count of messages on this socket: a hole in it is a lost event. */
	readonly sequence: number | undefined;
};

/** Either of the two. */
export type TraceEvent = NftTraceEvent | LogTraceEvent;

/** The result of decoding a datagram: the events, and what was not understood (each becomes a gap). */
export type Decoded = {readonly events: readonly TraceEvent[]; readonly notUnderstood: readonly string[]};
