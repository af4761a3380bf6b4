/**
The addresses at which others can reach a live pod, and the families that it therefore has.
*/

import {addressFamilies} from '../../src/mesh/topology.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {LiveAddress, LivePod} from '../live/live-pod.js';

/** The addresses at which others can reach a pod, in the kernel's order. */
export function reachableAddresses({addresses}: Pick<LivePod, 'addresses'>): readonly LiveAddress[] {
	return addresses.filter(({device, scope}) => device !== 'lo' && scope === 'global');
}

/** The families in which it can be reached from elsewhere; IPv4 for a namespace with no such address. Rules alone do not count: without an address of the family, nothing meets them. */
export function familiesOfLive(live: Pick<LivePod, 'addresses'>): readonly AddressFamily[] {
	const reachable = reachableAddresses(live);
	const found = addressFamilies.filter(family => reachable.some(address => address.family === family));
	return found.length === 0 ? ['ipv4'] : found;
}
