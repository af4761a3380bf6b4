/**
The default topology as data: addresses and ports. Stable for users; see `docs/traffic-types.md`.
*/

import {
	contains, isLoopback, parseAddress, parseRange,
} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';

/** One address per family. */
export type AddressPair = Readonly<Record<AddressFamily, string>>;

/** A named destination for probes. */
export type PlaceName = 'pod' | 'remote' | 'istiod' | 'prometheus' | 'vip' | 'remote-vip' | 'localhost';

/** Addresses, prefixes and ports of the pod's namespace and the remote one. */
export type Topology = {
	readonly places: Readonly<Record<PlaceName, AddressPair>>;
	readonly prefixLength: Readonly<Record<AddressFamily, number>>;
	/** The name of the pod's interface, if it is not the usual one: that of a live pod. */
	readonly podInterface?: string;
	/** Delivered in the remote namespace, so that a connection that leaves the pod without the proxy still arrives somewhere. */
	readonly serviceRange: AddressPair;
	/** The source of the proxy's inbound connections (pilot: inbound passthrough bind addresses). */
	readonly passthroughSource: AddressPair;
	readonly resolver: AddressPair;
	readonly ports: {
		readonly app: number;
		readonly remote: number;
		readonly istiod: number;
		readonly service: number;
		readonly metrics: number;
		readonly health: number;
	};
	/** Whom the proxy asks on localhost for its metrics and its health: its own admin port, and the agent. Older recordings have none; in those, the proxy answers itself. */
	readonly proxyAsks?: {readonly admin: number; readonly agent: number};
	/** Endpoint by service: the proxy resolves virtual addresses by it. */
	readonly services: ReadonlyArray<{readonly name: 'vip' | 'remote-vip'; readonly endpoint: 'pod' | 'remote'}>;
};

/** The kernel's ports for sockets that request none (net.ipv4.ip_local_port_range, which the sandbox sets to its default). */
export const ephemeralPorts = {from: 32_768, to: 60_999} as const;

/** The default topology. */
export const defaultTopology: Topology = {
	places: {
		pod: {ipv4: '10.244.1.10', ipv6: '2001:db8:1::10'},
		remote: {ipv4: '10.244.1.20', ipv6: '2001:db8:1::20'},
		istiod: {ipv4: '10.244.1.21', ipv6: '2001:db8:1::21'},
		prometheus: {ipv4: '10.244.1.22', ipv6: '2001:db8:1::22'},
		vip: {ipv4: '10.96.1.10', ipv6: '2001:db8:96::110'},
		'remote-vip': {ipv4: '10.96.1.20', ipv6: '2001:db8:96::120'},
		localhost: {ipv4: '127.0.0.1', ipv6: '::1'},
	},
	prefixLength: {ipv4: 24, ipv6: 64},
	serviceRange: {ipv4: '10.96.0.0/12', ipv6: '2001:db8:96::/108'},
	passthroughSource: {ipv4: '127.0.0.6', ipv6: '::6'},
	resolver: {ipv4: '10.96.0.10', ipv6: '2001:db8:96::a'},
	ports: {
		app: 8080, remote: 8080, istiod: 15_012, service: 8080, metrics: 15_090, health: 15_021,
	},
	proxyAsks: {admin: 15_000, agent: 15_020},
	services: [{name: 'vip', endpoint: 'pod'}, {name: 'remote-vip', endpoint: 'remote'}],
};

/**
The topology with addresses of the pod's own. A family without one keeps the usual address.

@returns Undefined if another host of the topology needs one of them.
*/
export function withPodAddresses(topology: Topology, own: Partial<AddressPair>): Topology | undefined {
	const {pod, ...others} = topology.places;
	const taken = [...Object.values(others), topology.serviceRange, topology.passthroughSource, topology.resolver].flatMap(({ipv4, ipv6}) => [parseRange(ipv4), parseRange(ipv6)]);
	const isFree = (text: string): boolean => {
		const address = parseAddress(text);
		return address !== undefined && !isLoopback(text) && taken.every(range => range === undefined || !contains(range, address));
	};

	return Object.values(own).every(text => isFree(text)) ? {...topology, places: {...topology.places, pod: {...pod, ...own}}} : undefined;
}

/** The usual name of the pod's interface. Users mean that interface by it, whatever it is called. */
export const usualPodInterface = 'eth0';

/** The name of the pod's interface. */
export function podInterfaceOf({podInterface = usualPodInterface}: Pick<Topology, 'podInterface'>): string {
	return podInterface;
}

/** The network devices of either namespace, by their usual names. */
export const devices = ['lo', usualPodInterface] as const;

export {addressFamilies} from '../netfilter/types.js';
