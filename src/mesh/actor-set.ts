/**
The actors of a run as data: each actor with its user, its namespace and its listeners, and the endpoints to which the proxy resolves service addresses.
*/

import type {Endpoint} from '../netfilter/path.js';
import type {AddressPair, Topology} from './topology.js';
import type {
	ActorCredentials, ActorName, Credentials, Intent,
} from './traffic.js';

/**
What a listener does with a connection:

- `answer`: it answers itself.
- `outbound`, `inbound`: it opens the next leg to the original destination, as the proxy's two capturing listeners do; inbound from the passthrough address.
- `forward`: it asks another server, from whatever address the route chooses, and returns the answer, as an agent does with DNS and a proxy with its metrics.
- `tunnel`: it ends a tunnel, and opens the next leg for its content to `forwardTo`, as `inbound` does.
*/
export type ListenerDuty = 'answer' | 'outbound' | 'inbound' | 'forward' | 'tunnel';

/** How a proxy opens the next leg of an inbound connection: from which address (default: the route's), and to which host in place of the original one. */
export type InboundCarry = {readonly source?: Readonly<Partial<AddressPair>>; readonly host?: AddressPair};

/** One port, on both families. `stop` names it; an address in `stopsByAddress` has a name of its own. */
export type ListenerPlan = {
	readonly protocol: 'tcp' | 'udp';
	readonly port: number;
	readonly duty: ListenerDuty;
	readonly stop: string;
	readonly stopsByAddress?: Readonly<Record<string, string>>;
	/** How a listener with the duty `inbound` opens the next leg; by default as Istio's does, to the original destination from the passthrough address. */
	readonly carries?: InboundCarry;
	/** Whom a listener with the duty `forward` or `tunnel` asks, by family. */
	readonly forwardTo?: {readonly addresses: AddressPair; readonly port: number};
	/** The only addresses that it is bound to; by default all. */
	readonly only?: AddressPair;
	/** Connections to one of these ports are closed, so that the proxy does not call itself forever. */
	readonly closes?: readonly number[];
	/** The pod's own address, for a listener of both directions: it does what one with the duty `inbound` does with connections to it. */
	readonly inboundTo?: AddressPair;
	/** Whether a connection to the port of another listener of the same process, at any host, is given to that listener. */
	readonly handsOver?: boolean;
};

/** One process. */
export type ActorPlan = Credentials & {
	readonly name: string;
	/** `pod`, `remote`, or a namespace that an interface of the pod leads to. */
	readonly namespace: string;
	readonly listeners: readonly ListenerPlan[];
	/** Its own source addresses, for an actor whose namespace has several; otherwise routing chooses. */
	readonly ownSource: Readonly<Partial<AddressPair>>;
};

/** All actors. */
export type ActorSet = {
	readonly actors: readonly ActorPlan[];
	/** Endpoint by `address port` of a service: the proxy resolves virtual addresses by it. */
	readonly services: Readonly<Record<string, Endpoint>>;
};

/** The requested actors of a mesh, under rules with an intent. */
export type ActorRequest = {
	readonly topology: Topology;
	readonly intent: Intent;
	readonly names: readonly ActorName[];
	readonly credentials: ActorCredentials;
	/** Whether DNS servers take part as well: the listeners to which the mesh redirects queries, and the real name server. */
	readonly withDns?: boolean;
};

/** Whether an actor is in the pod; the others share the remote namespace. */
export const livesInPod = {
	app: true, proxy: true, agent: true, remote: false, istiod: false, prometheus: false,
} as const satisfies Record<ActorName, boolean>;

/** The two listeners that capture, by the ports of the intent. */
export function capturingListeners({proxyPort, inboundCapturePort}: Pick<Intent, 'proxyPort' | 'inboundCapturePort'>): {readonly outbound: ListenerPlan; readonly inbound: ListenerPlan} {
	return {
		outbound: {
			protocol: 'tcp', port: proxyPort, duty: 'outbound', stop: `proxy:${proxyPort}`,
		},
		inbound: {
			protocol: 'tcp', port: inboundCapturePort, duty: 'inbound', stop: `proxy:${inboundCapturePort}`,
		},
	};
}

/** What a listener does with a connection to an address: what it is, or what an inbound one does. */
export function listenerFor<Plan extends Pick<ListenerPlan, 'duty' | 'inboundTo'>>(listener: Plan, address: string): Plan {
	const {inboundTo} = listener;
	return inboundTo?.ipv4 === address || inboundTo?.ipv6 === address ? {...listener, duty: 'inbound'} : listener;
}

/** The port of DNS. */
export const dnsPort = 53;
