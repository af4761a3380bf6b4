/**
What a namespace is given so that each probe comes to its end by itself, and soon.
*/

import {readdirSync} from 'node:fs';
import type {Netns} from '../sandbox/netns.js';

/** Three questions within 0.3 seconds. One alone would make a neighbour that is there a missing one where the kernel is slow to answer, and that would be an answer without a gap. */
const neighborMs = 100;
const neighborQuestions = 3;

/**
Answers without a limit, and neighbours that are missing told at once. The kernel sends some thousand ICMP errors a second at most, one per second to one address; an unknown neighbour is asked for three times a second apart. Neither has anything to do with rules, and both would make probes wait.
*/
export function prepareNamespace(netns: Netns): void {
	netns.setSysctl('net/ipv4/icmp_ratemask', '0');
	netns.setSysctl('net/ipv6/icmp/ratemask', '\n');
	netns.setSysctl('net/ipv6/icmp/ratelimit', '0');
	// A foreign address is then one that `bind` refuses at first, in both families: the prober knows so that no answer comes to it.
	netns.setSysctl('net/ipv6/ip_nonlocal_bind', '0');
	for (const family of ['ipv4', 'ipv6']) {
		for (const device of netns.enter(() => readdirSync(`/proc/sys/net/${family}/neigh`))) {
			for (const [name, value] of [['mcast_solicit', neighborQuestions], ['ucast_solicit', neighborQuestions], ['retrans_time_ms', neighborMs]] as const) {
				netns.setSysctl(`net/${family}/neigh/${device}/${name}`, String(value));
			}
		}
	}
}
