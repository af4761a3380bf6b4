/**
What the conductor and an actor's process say to each other, as JSON over the channel that Node opens between them.
*/

import type {Endpoint} from '../../src/netfilter/path.js';
import type {ActorPlan} from '../../src/scenario/actor-set.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {SocketRecord} from '../../src/trace/sockets.js';

/** Who the process is and what it does. */
export type ActorSpec = Omit<ActorPlan, 'namespace'> & {
	/** Endpoint by `address port` of a service: what the proxy resolves a virtual address to. */
	readonly services: Readonly<Record<string, Endpoint>>;
	/** Source of connections carried on from an `inbound` listener. */
	readonly passthroughSource: Readonly<Record<AddressFamily, string>>;
	/** The addresses of its namespace: each gets a socket of its own where one has to answer from the address that it was asked at. */
	readonly addresses: readonly string[];
	/** Under TPROXY and in ambient mode: its capturing listeners are transparent, and what it carries on inbound has the client's address and this mark; what it carries on outbound has the mark where it is asked for. */
	readonly transparent?: {readonly mark: number; readonly marksOutbound: boolean};
	/** Longest wait for a connection or its answer. */
	readonly timeoutMs: number;
};

/** To an actor. */
export type ToActor =
	| {readonly type: 'start'; readonly spec: ActorSpec}
	| {readonly type: 'send-invalid'; readonly id: string; readonly to: Endpoint; readonly source: string | undefined}
	| {readonly type: 'flush'; readonly number: number};

/** From an actor. `done` ends a `send-invalid`: the packet was refused, or given up. */
export type FromActor =
	| {readonly type: 'ready'}
	| {readonly type: 'socket'; readonly record: SocketRecord}
	| {readonly type: 'done'; readonly id: string; readonly answered: boolean; readonly reason: string}
	| {readonly type: 'flushed'; readonly number: number}
	/** Something went wrong with one connection, beyond what its records say. */
	| {readonly type: 'trouble'; readonly message: string}
	| {readonly type: 'failed'; readonly message: string};
