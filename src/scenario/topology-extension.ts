/**
What a scenario adds to the default topology: addresses that the remote namespace answers for, and further interfaces of the pod with the namespaces behind them.
*/

import type {AddressFamily} from '../netfilter/types.js';
import {addressFamilies, type AddressPair, type Topology} from './topology.js';

/** The two ends of a link in one family: `192.168.50.1`, `192.168.50.2`, and the length of the prefix that they share. */
export type LinkAddresses = {readonly pod: string; readonly peer: string; readonly prefixLength: number};

/** A veth pair from the pod to another namespace: a second network card, the bridge of a virtual machine or of Docker. */
export type PodInterface = {
	/** The interface's name at both ends. */
	readonly name: string;
	/** Who stands behind it: a namespace of its own, or `remote`. */
	readonly namespace: string;
	readonly addresses: Readonly<Partial<Record<AddressFamily, LinkAddresses>>>;
	/** Ranges that the pod reaches through it; the namespace answers for every address in them. */
	readonly routes: readonly string[];
};

/** What there is beside the default topology. */
export type TopologyExtension = {
	/** Addresses that the remote namespace answers for as its own. */
	readonly remoteAddresses: readonly string[];
	readonly interfaces: readonly PodInterface[];
};

/** The default topology alone. */
export const noExtension: TopologyExtension = {remoteAddresses: [], interfaces: []};

/** The namespaces that interfaces lead to, beside the remote one. */
export function furtherNamespaces({interfaces}: TopologyExtension): readonly string[] {
	return [...new Set(interfaces.map(({namespace}) => namespace))].filter(name => name !== 'remote');
}

/** Every address that a process of a namespace can bind: for sockets that have to answer from the address that they were asked at. */
export function addressesIn(namespace: string, {places, resolver}: Topology, {remoteAddresses, interfaces}: TopologyExtension): readonly string[] {
	const own = (side: 'pod' | 'peer', mine: readonly PodInterface[]): readonly string[] => mine.flatMap(({addresses}) => addressFamilies.flatMap(family => addresses[family]?.[side] ?? []));
	const both = (pairs: readonly AddressPair[]): readonly string[] => pairs.flatMap(pair => addressFamilies.map(family => pair[family]));
	if (namespace === 'pod') {
		return [...both([places.pod, places.localhost]), ...own('pod', interfaces)];
	}

	const behind = interfaces.filter(one => one.namespace === namespace);
	return namespace === 'remote'
		? [...both([places.remote, places.istiod, places.prometheus, places.vip, places['remote-vip'], resolver]), ...remoteAddresses, ...own('peer', behind)]
		: own('peer', behind);
}
