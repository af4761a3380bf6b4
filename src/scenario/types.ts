/**
Who sends what, and what is expected of it. No result.
*/

import type {AddressFamily} from '../netfilter/types.js';
import type {Role} from '../istio/role.js';
import type {PublishedTypeId} from '../istio/published.js';

/** The actors of the default topology. The first three live in the pod, the others in the remote namespace. */
export type ActorName = 'app' | 'proxy' | 'agent' | 'remote' | 'istiod' | 'prometheus';

/** The user and the group that a process runs as. */
export type Credentials = {readonly uid: number; readonly gid: number};

/** Everybody's credentials. */
export type ActorCredentials = Readonly<Record<ActorName, Credentials>>;

/** A type of sidecar traffic: the article's six, and `4b` (app → its own pod's address). */
export type TypeId = PublishedTypeId | '4b';

/** One leg as it should be: the roles of all rules that should match, in order, and the listener that should accept. */
export type ExpectedLeg = {readonly actor: ActorName; readonly roles: readonly Role[]; readonly stop: string};

/** A path as it should be. Somebody's claim, never an observation. */
export type ExpectedPath = {readonly legs: readonly ExpectedLeg[]};

/** One connection to attempt. */
export type Probe = {
	readonly actor: ActorName;
	readonly family: AddressFamily;
	readonly protocol: 'tcp';
	readonly destination: {readonly address: string; readonly port: number};
};

/** One probe with its expectations. */
export type TrafficCase = {
	readonly id: TypeId;
	/** `remote-to-local`. */
	readonly name: string;
	readonly probe: Probe;
	readonly expected: ExpectedPath;
};

/** What the rules are meant to do, as far as the cases depend on it: by the options of a release, or read off the roles of a dump. */
export type Intent = {
	readonly proxyPort: number;
	readonly inboundCapturePort: number;
	readonly inboundTunnelPort: number;
	readonly proxyUids: readonly number[];
	readonly proxyGids: readonly number[];
	readonly inboundPortsInclude: '*' | readonly string[];
	readonly inboundPortsExclude: readonly string[];
	readonly outboundPortsInclude: readonly string[];
	readonly outboundPortsExclude: readonly string[];
	readonly outboundIpRangesInclude: '*' | readonly string[];
	readonly outboundIpRangesExclude: readonly string[];
};
