/**
What the actors report about their sockets: who opened what, who accepted what. Legs are joined by these reports, not by guesses.
*/

import type {Closing, Endpoint} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';

/** Both ends of a first packet, as its socket sent it: no rule has changed them yet. */
export type SentEnds = {readonly family: AddressFamily; readonly protocol?: 'tcp' | 'udp'; readonly from: Endpoint; readonly to: Endpoint};

/** One end of a packet whose owner is recorded. Recordings before version 4 have no address here. */
export type OwnedEnd = {readonly address?: string; readonly port: number};

/** The credentials of a socket, as the trace table read them from the socket of the packet. Both ends tell sockets apart, and nothing less does: the kernel gives one source port to several sockets if these have different destinations (`__inet_check_established` in net/ipv4/inet_hashtables.c). TCP by default. */
export type SocketOwner = Omit<SentEnds, 'from' | 'to'> & {readonly from: OwnedEnd; readonly to: OwnedEnd; readonly uid: number; readonly gid: number};

/** All owners that are recorded for the socket of a packet; more than one is a contradiction. */
export function ownersOf(owners: readonly SocketOwner[], {family, protocol = 'tcp', from, to}: SentEnds): readonly SocketOwner[] {
	const isEnd = (recorded: OwnedEnd, sent: Endpoint): boolean => recorded.port === sent.port && (recorded.address === undefined || recorded.address === sent.address);
	return owners.filter(owner => owner.family === family && (owner.protocol ?? 'tcp') === protocol && isEnd(owner.from, from) && isEnd(owner.to, to));
}

/** An actor opened a connection. `parent` is the id of the accepted socket for which it was opened; undefined for the first leg of a probe. */
export type OpenedSocket = {
	readonly kind: 'opened';
	readonly id: string;
	/** TCP by default. */
	readonly protocol?: 'tcp' | 'udp';
	readonly parent: string | undefined;
	readonly actor: string;
	readonly family: AddressFamily;
	readonly from: Endpoint;
	readonly to: Endpoint;
	/** Present if no connection was opened: one packet was sent that conntrack should consider invalid. */
	readonly packet?: 'invalid';
	/** The device that the socket is bound to, if any. */
	readonly device?: string;
};

/** A listener accepted a connection. */
export type AcceptedSocket = {
	readonly kind: 'accepted';
	readonly id: string;
	/** TCP by default. */
	readonly protocol?: 'tcp' | 'udp';
	readonly actor: string;
	/** The listener, as a stop: `proxy:15001`. */
	readonly stop: string;
	readonly peer: Endpoint;
	readonly local: Endpoint;
	/** The result of SO_ORIGINAL_DST; undefined for a listener that does not use it. */
	readonly originalDestination: Endpoint | undefined;
	/** The original destination, also for a listener that answers whatever it is: one source port can serve two destinations at once. */
	readonly wanted?: Endpoint;
	/** The stop of the listener that was given the connection, because it was addressed to that listener's port. */
	readonly handedTo?: string;
};

/** How the attempt to open a connection ended. */
export type EndedSocket = {
	readonly kind: 'ended';
	/** The id of the {@link OpenedSocket}. */
	readonly id: string;
	readonly result: 'connected' | 'refused' | 'unreachable' | 'timeout';
	readonly reason: string;
};

/** The proxy did not open the next leg: its flow had met too many stops (`loop`), or as {@link Closing} says. */
export type CutSocket = {
	readonly kind: 'cut';
	/** The id of the {@link AcceptedSocket}; for `no-source` that of the {@link OpenedSocket} which was given up at once, with what it was opened for. */
	readonly id: string;
	readonly reason: 'loop' | Closing;
};

/** An actor tried to open a connection, but the kernel refused to send anything: no address of the source can go there, or no route leads there. */
export type UnsentSocket = {
	readonly kind: 'unsent';
	readonly id: string;
	readonly parent: string | undefined;
	readonly actor: string;
	readonly family: AddressFamily;
	/** The address that was bound, if any. */
	readonly source: string | undefined;
	readonly to: Endpoint;
	readonly reason: string;
};

/** An actor tried to open a connection that failed, and does not know its own address and port. Only the kernel's trace can show them (`claims.ts`). */
export type AttemptedSocket = {
	readonly kind: 'attempted';
	readonly id: string;
	/** The id of the {@link AcceptedSocket} for which it was opened. */
	readonly parent: string;
	readonly actor: string;
	readonly family: AddressFamily;
	/** The address that it was to come from; undefined where the route decided that. */
	readonly source?: string;
	readonly to: Endpoint;
};

/** An actor whose process does not report every socket by itself: a first packet that this user sends in the pod, and that no record explains, is a gap. */
export type WatchedUser = {
	readonly kind: 'watched';
	readonly id: string;
	readonly actor: string;
	readonly uid: number;
	readonly gid: number;
};

/** Any of them. */
export type SocketRecord = OpenedSocket | AcceptedSocket | EndedSocket | CutSocket | UnsentSocket | AttemptedSocket | WatchedUser;

/** A flow with more stops than this is a loop. */
export const loopStops = 8;
