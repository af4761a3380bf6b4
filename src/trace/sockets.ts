/**
What the actors tell of their sockets: who opened what, who accepted what. Legs are joined by these, not by guesses.
*/

import type {Endpoint} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';

/** An actor opened a connection. `parent` is the id of the accepted socket that it carries on; undefined for the first leg of a probe. */
export type OpenedSocket = {
	readonly kind: 'opened';
	readonly id: string;
	/** TCP where it is not said. */
	readonly protocol?: 'tcp' | 'udp';
	readonly parent: string | undefined;
	readonly actor: string;
	readonly family: AddressFamily;
	readonly from: Endpoint;
	readonly to: Endpoint;
	/** There where no connection was opened: one packet was sent that conntrack is to call invalid. */
	readonly packet?: 'invalid';
};

/** A listener accepted a connection. */
export type AcceptedSocket = {
	readonly kind: 'accepted';
	readonly id: string;
	/** TCP where it is not said. */
	readonly protocol?: 'tcp' | 'udp';
	readonly actor: string;
	/** The listener, as a stop: `proxy:15001`. */
	readonly stop: string;
	readonly peer: Endpoint;
	readonly local: Endpoint;
	/** What SO_ORIGINAL_DST said; undefined for a listener that does not ask. */
	readonly originalDestination: Endpoint | undefined;
};

/** How the attempt to open a connection ended. */
export type EndedSocket = {
	readonly kind: 'ended';
	/** The id of the {@link OpenedSocket}. */
	readonly id: string;
	readonly result: 'connected' | 'refused' | 'unreachable' | 'timeout';
	readonly reason: string;
};

/** The proxy did not carry a connection on, because its flow had met too many stops. */
export type CutSocket = {
	readonly kind: 'cut';
	/** The id of the {@link AcceptedSocket}. */
	readonly id: string;
	readonly reason: 'loop';
};

/** An actor wanted to open a connection, and the kernel refused to send anything: no address of the source can go there, or no route leads there. */
export type UnsentSocket = {
	readonly kind: 'unsent';
	readonly id: string;
	readonly parent: string | undefined;
	readonly actor: string;
	readonly family: AddressFamily;
	/** The address that was bound; undefined where none was. */
	readonly source: string | undefined;
	readonly to: Endpoint;
	readonly reason: string;
};

/** Any of them. */
export type SocketRecord = OpenedSocket | AcceptedSocket | EndedSocket | CutSocket | UnsentSocket;

/** Stops after which a flow is a loop (design: more than 8). */
export const loopStops = 8;
