/**
What the lists in the sidecar's options select: ports, ranges, interfaces, users.
*/

import {contains, parseAddress, parseRange} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {
	Credentials, Intent, ExpectationContext,
} from './traffic.js';

/** Whether a list of ports and ranges `a:b` contains a port. */
export function hasPort(list: readonly string[], port: number): boolean {
	return list.some(item => {
		const [from, to = from] = item.split(':');
		return Number(from === '' ? 0 : from) <= port && port <= Number(to === '' ? 65_535 : to);
	});
}

/** The first range that contains an address; undefined if none does. */
export function rangeOf(ranges: readonly string[], text: string, family: AddressFamily): string | undefined {
	const address = parseAddress(text, family);
	return ranges.find(item => {
		const range = parseRange(item, family);
		return address !== undefined && range !== undefined && contains(range, address);
	});
}

/** Whether an address is one of the pod's own, which the pod's processes reach over lo. */
export function isLocal({topology: {places}, family}: Pick<ExpectationContext, 'topology' | 'family'>, address: string): boolean {
	return address === places.pod[family] || address === places.localhost[family];
}

/** Whether an address is in the range that the rules treat as the host's loopback: 127.0.0.1/32 or the configured one, ::1/128 in IPv6. */
export function isHostLoopback({intent, family}: Pick<ExpectationContext, 'intent' | 'family'>, address: string): boolean {
	return rangeOf([family === 'ipv4' ? intent.hostIpv4LoopbackCidr : '::1/128'], address, family) !== undefined;
}

/** How the rules identify a socket: by the UID, by the GID, or not at all. */
export type Owner = 'uid' | 'gid' | undefined;

/** How the rules identify the proxy's sockets, and those of others that run as its user or group. */
export function ownerOf({proxyUids, proxyGids}: Intent, {uid, gid}: Credentials): Owner {
	return proxyUids.includes(uid) ? 'uid' : (proxyGids.includes(gid) ? 'gid' : undefined);
}
