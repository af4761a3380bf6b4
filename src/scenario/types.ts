/**
Who sends what, and what is expected of it. No result.
*/

import type {AddressFamily} from '../netfilter/types.js';
import type {AmbientOptions} from '../istio/ambient-options.js';
import type {Role} from '../istio/role.js';
import type {SidecarOptions} from '../istio/options.js';
import type {PublishedTypeId} from '../istio/published.js';
import type {Topology} from './topology.js';

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
export type World = {readonly intent: Intent; readonly actors: ActorCredentials; readonly topology: Topology; readonly family: AddressFamily};

/** What ambient mode's rules are meant to do beside the listeners that it shares with the sidecar. */
export type AmbientIntent = Pick<AmbientOptions, 'ingress' | 'rerouteVirtualInterfaces'> & {
	/** The mark of ztunnel's own packets. */
	readonly mark: number;
	/** The source of the node's health probes. */
	readonly probeSource: Readonly<Record<AddressFamily, string>>;
};

/** What the rules are meant to do, as far as the cases depend on it: by the options and the features of a release, or read off the roles of a dump. */
export type Intent = Pick<SidecarOptions,
	| 'proxyPort' | 'inboundCapturePort' | 'inboundTunnelPort' | 'proxyUids' | 'proxyGids' | 'inboundInterceptionMode' | 'inboundTproxyMark'
	| 'inboundPortsInclude' | 'inboundPortsExclude' | 'outboundPortsInclude' | 'outboundPortsExclude' | 'outboundIpRangesInclude' | 'outboundIpRangesExclude'
	| 'excludeInterfaces' | 'kubeVirtInterfaces' | 'ownerGroupsInclude' | 'ownerGroupsExclude' | 'hostIpv4LoopbackCidr'> & {
		/** Whether an included range of either family is a loopback one. */
		readonly loopbackIncluded: boolean;
		/** Whether the release leaves the tunnel port alone inbound (since 1.7), and in the hairpin rules (since 1.18). */
		readonly inboundExceptsTunnelPort: boolean;
		readonly hairpinExceptsTunnelPort: boolean;
		/** Whether TPROXY's rules mark the proxy's hairpin and leave other traffic over lo alone (since 1.11); before, they know the proxy's mark only. */
		readonly tproxyMarksHairpin: boolean;
		/** There in ambient mode, where nothing else but the ports counts. */
		readonly ambient?: AmbientIntent;
	};
