/**
What the prober needs of a namespace: that it learns whether answers can come back to it, and which addresses are its own.
*/

import {networkInterfaces} from 'node:os';
import type {Netns} from '../sandbox/netns.js';

/** Makes `bind` at first refuse a foreign address in both families, which tells the prober that answers will not come back to it. (How soon a missing neighbor is known, and that ICMP errors have no rate limit, is the same in every namespace of the testbed: sysctl-table.ts.) */
export function prepareNamespace(netns: Netns): void {
	netns.setSysctl('net/ipv6/ip_nonlocal_bind', '0');
}

/** The addresses of a namespace's interfaces, of both families. */
export function ownAddresses(netns: Netns): ReadonlySet<string> {
	return netns.enter(() => new Set(Object.values(networkInterfaces()).flatMap(addresses => (addresses ?? []).map(({address}) => address))));
}
