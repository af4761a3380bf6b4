/**
The messages between the testbed and an actor's process, as JSON over the channel that Node opens between them.
*/

import type {Endpoint} from '../../src/netfilter/path.js';
import type {ActorPlan} from '../../src/mesh/actor-set.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {SocketRecord} from '../../src/trace/sockets.js';

/** What an actor runs as, and what it does. */
export type ActorSpec = Omit<ActorPlan, 'namespace'> & {
	/** The endpoint for each `address port` of a service: what the proxy resolves a virtual address to. */
	readonly services: Readonly<Record<string, Endpoint>>;
	/** The source of connections forwarded from an `inbound` listener. */
	readonly passthroughSource: Readonly<Record<AddressFamily, string>>;
	/** The addresses of its namespace. UDP listeners get a socket on each, to answer from the address that was queried. */
	readonly addresses: readonly string[];
	/** Under TPROXY and in ambient mode: its capturing listeners are transparent, and forwarded inbound connections have the client's address and this mark; forwarded outbound connections have the mark if `marksOutbound` is set. */
	readonly transparent?: {readonly mark: number; readonly marksOutbound: boolean};
	/** Longest wait for a connection or its answer. */
	readonly timeoutMs: number;
};

/** Messages to a process. All of its actors are started at once, and have the same user. */
export type ToActor =
	| {readonly type: 'start'; readonly specs: readonly ActorSpec[]}
	| {readonly type: 'send-invalid'; readonly actor: string; readonly id: string; readonly to: Endpoint; readonly source: string | undefined}
	| {readonly type: 'flush' | 'until-idle'; readonly number: number};

/** Messages from a process; `actor` is the name of one of its actors. `done` answers `send-invalid`: the packet was refused, or timed out. */
export type FromActor =
	| {readonly type: 'ready'}
	| {readonly type: 'socket'; readonly actor: string; readonly record: SocketRecord}
	| {readonly type: 'done'; readonly id: string; readonly answered: boolean; readonly reason: string}
	/** Answers `flush` and `until-idle`. */
	| {readonly type: 'heard'; readonly number: number}
	/** A problem with one connection that its records do not show. */
	| {readonly type: 'trouble'; readonly actor: string; readonly message: string}
	/** The process is of no use. `actor` is the one that could not start or send, if it was one. */
	| {readonly type: 'failed'; readonly actor?: string; readonly message: string};
