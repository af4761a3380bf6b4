/**
Prepares a namespace so that each probe ends by itself, and soon.
*/

import {readdirSync} from 'node:fs';
import {networkInterfaces} from 'node:os';
import type {Netns} from '../sandbox/netns.js';

/** Three neighbor requests within 0.3 seconds. With only one, a kernel that is slow to answer would make an existing neighbor look missing, which would be a wrong answer without a gap. */
const neighborMs = 100;
const neighborQuestions = 3;

/**
Makes missing neighbors known at once. By default the kernel asks for an unknown neighbor three times, a second apart, which has nothing to do with rules and would make probes wait. (ICMP errors have no rate limit in any namespace of the testbed: sysctl-table.ts.)
*/
export function prepareNamespace(netns: Netns): void {
	// Then `bind` at first refuses a foreign address in both families, which tells the prober that answers will not come back to it.
	netns.setSysctl('net/ipv6/ip_nonlocal_bind', '0');
	for (const family of ['ipv4', 'ipv6']) {
		for (const device of netns.enter(() => readdirSync(`/proc/sys/net/${family}/neigh`))) {
			for (const [name, value] of [['mcast_solicit', neighborQuestions], ['ucast_solicit', neighborQuestions], ['retrans_time_ms', neighborMs]] as const) {
				netns.setSysctl(`net/${family}/neigh/${device}/${name}`, String(value));
			}
		}
	}
}

/** The addresses of a namespace's interfaces, of both families. */
export function ownAddresses(netns: Netns): ReadonlySet<string> {
	return netns.enter(() => new Set(Object.values(networkInterfaces()).flatMap(addresses => (addresses ?? []).map(({address}) => address))));
}
