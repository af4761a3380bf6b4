/**
Waits until the IPv6 addresses of a namespace can be used. The kernel finishes adding one in a work queue, also without duplicate address detection (`addrconf_dad_start` in net/ipv6/addrconf.c, the same from Linux 5.10 to 6.18): until then it is tentative, has no local route, and is never chosen as a source. `ip` has long ended by then on a busy machine, and a connection to the pod's own address left by eth0, from ::1 (seen).
*/

import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {TestbedError} from '../errors.js';
import type {Netns} from './netns.js';

/** IFA_F_TENTATIVE (linux/if_addr.h). */
const tentative = 0x40;
/** RTF_LOCAL (linux/ipv6_route.h). */
const localRoute = 0x80_00_00_00;

/** Between two looks; the work queue takes some milliseconds at most on an idle machine. */
const everyMs = 2;
const limitMs = 10_000;

/**
The addresses that cannot be used yet, as the kernel prints them (32 hexadecimal digits), from the texts of `/proc/net/if_inet6` (address, index, prefix length, scope, flags, device) and `/proc/net/ipv6_route` (destination, its prefix length, …, flags, device).
*/
export function unreadyAddresses(addresses: string, routes: string): readonly string[] {
	const fieldsOf = (text: string): ReadonlyArray<readonly string[]> => text.split('\n').filter(line => line !== '').map(line => line.trim().split(/\s+/u));
	const local = new Set(fieldsOf(routes).filter(fields => fields[1] === '80' && (Number.parseInt(fields[8]!, 16) & localRoute) !== 0).map(([destination]) => destination));
	return fieldsOf(addresses).filter(fields => (Number.parseInt(fields[4]!, 16) & tentative) !== 0 || !local.has(fields[0])).flatMap(fields => fields.slice(0, 1));
}

/**
Resolves once all of them can be used.

@throws {TestbedError} MACHINE if some cannot for ten seconds (or `limit`, in milliseconds).
*/
export async function untilAddressesAreReady(netns: Netns, limit = limitMs): Promise<void> {
	const deadline = performance.now() + limit;
	for (;;) {
		const unready = netns.enter(() => unreadyAddresses(...['if_inet6', 'ipv6_route'].map(name => readFileSync(`/proc/thread-self/net/${name}`, 'latin1')) as [string, string]));
		if (unready.length === 0) {
			return;
		}

		if (performance.now() > deadline) {
			throw new TestbedError('MACHINE', {
				message: `The kernel has not finished adding the IPv6 ${unready.length === 1 ? 'address' : 'addresses'} ${unready.join(', ')} in the namespace ${netns.label} for ${limit / 1000} s.`,
				state: 'No traffic was sent.',
				hint: 'Is the machine very busy? Run it again.',
			});
		}

		await sleep(everyMs); // eslint-disable-line no-await-in-loop -- Nothing tells when it is done.
	}
}
