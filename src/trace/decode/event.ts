/**
One message of the kernel about one packet, whichever back end wrote it.
*/

import type {Family, Hook, Verdict} from '../../netfilter/types.js';
import type {PacketHeader} from './packet.js';

/** What a message tells: a rule matched, a user chain ended without a verdict, or a built-in chain's policy applied. */
export type TraceKind = 'rule' | 'return' | 'policy';

type EventBase = {
	readonly kind: TraceKind;
	readonly family: Family;
	readonly table: string;
	readonly chain: string;
	/** Index of the interface, 0 where there is none at this hook. */
	readonly inInterface: number;
	readonly outInterface: number;
};

/** From nftables (linux/netfilter/nf_tables.h, `enum nft_trace_attributes`). Only the first event of a base chain carries the packet. */
export type NftTraceEvent = EventBase & {
	readonly source: 'nft';
	/** The kernel's number of the packet, the same for all events while it is on its way. */
	readonly traceId: number;
	readonly handle: number | undefined;
	readonly verdict: Verdict;
	/** Where a jump or goto leads. */
	readonly target: string | undefined;
	readonly packet: PacketHeader | undefined;
};

/** From ip_tables by NFLOG (net/ipv4/netfilter/ip_tables.c, `trace_packet`). Every event carries the packet, and the owner of its socket. */
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

/** Any of the two. */
export type TraceEvent = NftTraceEvent | LogTraceEvent;

/** What decoding a datagram yields: the events, and what in it was not understood (each becomes a gap). */
export type Decoded = {readonly events: readonly TraceEvent[]; readonly notUnderstood: readonly string[]};
