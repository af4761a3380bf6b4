/**
What the lists of the sidecar's options select: ports, ranges, interfaces, users.
*/

import {contains, parseAddress, parseRange} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {
	Credentials, Intent, ExpectationContext,
} from './types.js';

/** Whether a list of ports and ranges `a:b` holds a port. */
export function hasPort(list: readonly string[], port: number): boolean {
	return list.some(item => {
		const [from, to = from] = item.split(':');
		return Number(from === '' ? 0 : from) <= port && port <= Number(to === '' ? 65_535 : to);
	});
}

/** The first range that holds an address; undefined when none does. */
export function rangeOf(ranges: readonly string[], text: string, family: AddressFamily): string | undefined {
	const address = parseAddress(text, family);
	return ranges.find(item => {
		const range = parseRange(item, family);
		return address !== undefined && range !== undefined && contains(range, address);
	});
}

/** Whether an address is one of the pod's own, so that the pod's processes reach it over lo. */
export function isLocal({topology: {places}, family}: Pick<ExpectationContext, 'topology' | 'family'>, address: string): boolean {
	return address === places.pod[family] || address === places.localhost[family];
}

/** Whether an address is in what the rules take for the host's loopback: 127.0.0.1/32 or what was asked for, ::1/128 in IPv6. */
export function isHostLoopback({intent, family}: Pick<ExpectationContext, 'intent' | 'family'>, address: string): boolean {
	return rangeOf([family === 'ipv4' ? intent.hostIpv4LoopbackCidr : '::1/128'], address, family) !== undefined;
}

/** How the rules know a socket: by the UID, by the GID, or not at all. */
export type Owner = 'uid' | 'gid' | undefined;

/** How the rules know the proxy's sockets, and those of others that run as its user or group. */
export function ownerOf({proxyUids, proxyGids}: Intent, {uid, gid}: Credentials): Owner {
	return proxyUids.includes(uid) ? 'uid' : (proxyGids.includes(gid) ? 'gid' : undefined);
}
