/**
What a scenario adds to the default topology: addresses that the remote namespace answers for, and additional interfaces of the pod with their namespaces.
*/

import type {AddressFamily} from '../netfilter/types.js';
import {addressFamilies, type AddressPair, type Topology} from '../mesh/topology.js';

/** The two ends of a link in one family: `192.168.50.1`, `192.168.50.2`, and the length of the prefix that they share. */
export type LinkAddresses = {readonly pod: string; readonly peer: string; readonly prefixLength: number};

/** A veth pair from the pod to another namespace: a second network card, the bridge of a virtual machine or of Docker. */
export type PodInterface = {
	/** The interface's name at both ends. */
	readonly name: string;
	/** The namespace that it leads to: a new one, or `remote`. */
	readonly namespace: string;
	readonly addresses: Readonly<Partial<Record<AddressFamily, LinkAddresses>>>;
	/** Ranges that the pod reaches through it; the namespace answers for every address in them. */
	readonly routes: readonly string[];
};

/** Additions to the default topology. */
export type TopologyExtension = {
	/** Addresses that the remote namespace answers for as its own. */
	readonly remoteAddresses: readonly string[];
	readonly interfaces: readonly PodInterface[];
	/** Additional addresses of the pod on eth0, in the order in which they are added. */
	readonly podAddresses?: readonly string[];
	/** Usual addresses of the pod's lo that it does not have. */
	readonly without?: readonly string[];
};

/** The default topology without additions. */
export const noExtension: TopologyExtension = {remoteAddresses: [], interfaces: []};

/** The namespaces that interfaces lead to, besides the remote one. */
export function furtherNamespaces({interfaces}: TopologyExtension): readonly string[] {
	return [...new Set(interfaces.map(({namespace}) => namespace))].filter(name => name !== 'remote');
}

/** Every address that a process of a namespace can bind, for sockets that have to answer from the address at which they were reached. */
export function addressesIn(namespace: string, {places, resolver}: Topology, {remoteAddresses, interfaces, podAddresses = []}: TopologyExtension): readonly string[] {
	const own = (side: 'pod' | 'peer', mine: readonly PodInterface[]): readonly string[] => mine.flatMap(({addresses}) => addressFamilies.flatMap(family => addresses[family]?.[side] ?? []));
	const both = (pairs: readonly AddressPair[]): readonly string[] => pairs.flatMap(pair => addressFamilies.map(family => pair[family]));
	if (namespace === 'pod') {
		return [...both([places.pod, places.localhost]), ...podAddresses, ...own('pod', interfaces)];
	}

	const behind = interfaces.filter(one => one.namespace === namespace);
	return namespace === 'remote'
		? [...both([places.remote, places.istiod, places.prometheus, places.vip, places['remote-vip'], resolver]), ...remoteAddresses, ...own('peer', behind)]
		: own('peer', behind);
}

/** An extension that also has the addresses of the mesh's own DNS servers, unless a host of the topology has them already. */
export function withServers(extension: TopologyExtension, servers: readonly string[], topology: Topology): TopologyExtension {
	const known = new Set([...addressesIn('remote', topology, extension), ...addressesIn('pod', topology, extension)]);
	const fresh = servers.filter(address => !known.has(address));
	return fresh.length === 0 ? extension : {...extension, remoteAddresses: [...extension.remoteAddresses, ...fresh]};
}
