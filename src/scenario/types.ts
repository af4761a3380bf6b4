/**
Who sends what, and what is expected of it. No result.
*/

import type {AddressFamily} from '../netfilter/types.js';
import type {Intent} from '../mesh/intent.js';
import type {PublishedTypeId} from '../mesh/published.js';
import type {Role} from '../mesh/roles.js';
import type {Topology} from './topology.js';

export type {Intent} from '../mesh/intent.js';

/** The actors of the default topology. The first three live in the pod, the others in the remote namespace. */
export type ActorName = 'app' | 'proxy' | 'agent' | 'remote' | 'istiod' | 'prometheus';

/** The user and the group that a process runs as. */
export type Credentials = {readonly uid: number; readonly gid: number};

/** Everybody's credentials. */
export type ActorCredentials = Readonly<Record<ActorName, Credentials>>;

/** A type of sidecar traffic: the article's six, and `4b` (app → its own pod's address). */
export type TypeId = PublishedTypeId | '4b';

/** One leg as it should be: the roles of all rules that should match, in order (null where nobody claims any), and the listener that should accept, or what becomes of it: `refused`, `dropped`, `unreachable`. */
export type ExpectedLeg = {readonly actor: string; readonly roles: readonly Role[] | null; readonly stop: string} & {
	/** The address that it comes from, and the zone of conntrack in which it goes and its answer comes back, where somebody claims them. */
	readonly source?: string;
	readonly zone?: number;
};

/** One leg as the options of the sidecar foretell it: nothing of it is left open. */
export type ExpectedRoleLeg = Omit<ExpectedLeg, 'actor' | 'roles'> & {readonly actor: ActorName; readonly roles: readonly Role[]};

/** A path as the options of the sidecar foretell it. */
export type ExpectedRolePath = {readonly legs: readonly ExpectedRoleLeg[]};

/** A path as it should be. Somebody's claim, never an observation. */
export type ExpectedPath = {
	readonly legs: readonly ExpectedLeg[];
	/** The same step by step, in the notation of the testbed, where somebody claims it by numbers. */
	readonly path?: readonly string[];
	/** There where the flow should go round; the legs are then those before it comes back. */
	readonly loop?: true;
};

/** One connection to attempt. */
export type Probe = {
	readonly actor: string;
	readonly family: AddressFamily;
	readonly protocol: 'tcp' | 'udp';
	/** The address to send from; without it the route's, or the actor's own. */
	readonly source?: string;
	readonly destination: {readonly address: string; readonly port: number};
	/** There where no connection is opened: one packet is sent that conntrack calls invalid. */
	readonly packet?: 'invalid';
};

/** A fault of the rules that is known, and that a user's file holds fast: the expectation is what the kernel does, `intended` the stops that were meant. */
export type KnownFault = {readonly because: string; readonly intended: readonly string[]};

/** One probe with its expectations. */
export type TrafficCase = {
	/** Of a type `1` to `6` or `4b`; of a user's probe its number. Unique within a family. */
	readonly id: string;
	/** The type of the article that it is, if it is one. */
	readonly article: PublishedTypeId | null;
	/** `remote-to-local`. */
	readonly name: string;
	readonly probe: Probe;
	readonly expected: ExpectedPath;
	readonly fault?: KnownFault;
	/** The line of the user's file that claims it, where there is one. */
	readonly line?: number;
};

/** One of the types, with what is expected of it. */
export type TypeCase = Omit<TrafficCase, 'id' | 'probe' | 'expected'> & {readonly id: TypeId; readonly probe: Probe & {readonly actor: ActorName}; readonly expected: ExpectedRolePath};

/** One leg to foretell: who connects, from where (undefined is "whatever the route says"), with which mark on the socket (0 is none), to where. */
export type Connection = {
	readonly actor: ActorName;
	readonly source: string | undefined;
	readonly mark: number;
	/** Whether the proxy opened it to carry on one that it accepted. */
	readonly isProxysOwn: boolean;
	readonly destination: {readonly address: string; readonly port: number};
};

/** What a path depends on beside the connection. */
export type ExpectationContext = {readonly intent: Intent; readonly actors: ActorCredentials; readonly topology: Topology; readonly family: AddressFamily};
