/**
Who sends what, and what is expected. No results.
*/

import type {AddressFamily} from '../netfilter/types.js';
import type {Intent} from './intent.js';
import type {PublishedTypeId} from './published.js';
import type {Role} from './roles.js';
import type {Topology} from './topology.js';

export type {Intent} from './intent.js';

/** The actors of the default topology. The first three are in the pod, the others in the remote namespace. */
export type ActorName = 'app' | 'proxy' | 'agent' | 'remote' | 'istiod' | 'prometheus';

/** The user and the group that a process runs as. */
export type Credentials = {readonly uid: number; readonly gid: number};

/** The credentials of all actors. */
export type ActorCredentials = Readonly<Record<ActorName, Credentials>>;

/** A type of traffic, by its name among those of its mesh: `1`, `4b`. Only the mesh itself knows its types. */
export type TypeId = string;

/** One expected leg: the roles of all rules that should match, in order (null if none are expected), and the listener that should accept, or the outcome: `refused`, `dropped`, `unreachable`. */
export type ExpectedLeg = {readonly actor: string; readonly roles: readonly Role[] | null; readonly stop: string} & {
	/** The address that it comes from, and the conntrack zone of the connection and of its answer, if these are expected. */
	readonly source?: string;
	readonly zone?: number;
};

/** One leg as the mesh's intent predicts it. The roles are open only for rules that no mesh recognizes. */
export type ExpectedRoleLeg = Omit<ExpectedLeg, 'actor'> & {readonly actor: ActorName};

/** A path as the mesh's intent predicts it. */
export type ExpectedRolePath = {readonly legs: readonly ExpectedRoleLeg[]; readonly closed?: true};

/** An expected path: a claim, never an observation. */
export type ExpectedPath = {
	readonly legs: readonly ExpectedLeg[];
	/** The same step by step, in the testbed's notation, if it is expected by numbers. */
	readonly path?: readonly string[];
	/** Present if the flow should loop; the legs are then those before it comes back. */
	readonly loop?: true;
	/** Present if the last listener should close the connection instead of answering or opening the next leg. */
	readonly closed?: true;
};

/** One connection to attempt. */
export type Probe = {
	readonly actor: string;
	readonly family: AddressFamily;
	readonly protocol: 'tcp' | 'udp';
	/** The address to send from; by default the route's, or the actor's own. */
	readonly source?: string;
	readonly destination: {readonly address: string; readonly port: number};
	/** Present if no connection is opened: one packet is sent that conntrack considers invalid. */
	readonly packet?: 'invalid';
	/** The device that the socket is bound to (SO_BINDTODEVICE), if any. */
	readonly bindDevice?: string;
};

/** A known fault of the rules that a user's file documents: the expectation is what the kernel does, and `intended` are the intended stops. */
export type KnownFault = {readonly because: string; readonly intended: readonly string[]};

/** One probe with its expectations. */
export type TrafficCase = {
	/** The id of a type, or the number of a user's probe. Unique within a family. */
	readonly id: string;
	/** The corresponding published type, if there is one. */
	readonly article: PublishedTypeId | null;
	/** `remote-to-local`. */
	readonly name: string;
	readonly probe: Probe;
	readonly expected: ExpectedPath;
	readonly fault?: KnownFault;
	/** The line of the user's file that has the expectation, if there is one. */
	readonly line?: number;
};

/** One of the types, with its expectation. */
export type TypeCase = Omit<TrafficCase, 'id' | 'probe' | 'expected'> & {readonly id: TypeId; readonly probe: Probe & {readonly actor: ActorName}; readonly expected: ExpectedRolePath};

/** One leg to predict: who connects, from where (undefined: the route chooses), with which mark on the socket (0: none), to where. */
export type Connection = {
	readonly actor: ActorName;
	readonly source: string | undefined;
	readonly mark: number;
	/** Whether the proxy opened it for a connection that it accepted. */
	readonly isProxysOwn: boolean;
	/** TCP by default. */
	readonly protocol?: 'tcp' | 'udp';
	readonly destination: {readonly address: string; readonly port: number};
};

/** What a path depends on besides the connection. */
export type ExpectationContext = {readonly intent: Intent; readonly actors: ActorCredentials; readonly topology: Topology; readonly family: AddressFamily};
