/**
The other side of the sandbox answers for addresses that are none of its own.
*/

import {contains, parseAddress, parseRange} from '../../src/netfilter/address.js';
import type {Topology} from '../../src/scenario/topology.js';
import type {Netns} from './netns.js';

/** The neighbourhood answers for every address that a probe goes to, so that a connection that leaves the pod comes to an end and not to nothing: where nobody listens it is refused. */
export async function answerElsewhere(remote: Netns, {places, serviceRange}: Topology, addresses: readonly string[]): Promise<void> {
	const known = new Set([...Object.values(places), serviceRange].flatMap(({ipv4, ipv6}) => [ipv4, ipv6]));
	const foreign = [...new Set(addresses)].filter(address => !known.has(address) && canBeElsewhere(address));
	for (const [family, flag] of [['ipv4', '-4'], ['ipv6', '-6']] as const) {
		const own = foreign.filter(address => parseAddress(address)?.family === family);
		if (own.length > 0) {
			await remote.runConfined('ip', [flag, '-batch', '-'], {input: own.map(address => `route replace local ${address} dev lo\n`).join('')}); // eslint-disable-line no-await-in-loop -- Two short programs; one after the other keeps the second's error readable.
		}
	}
}

/** A loopback address is the pod's own; a multicast address or the unspecified one cannot be routed. */
function canBeElsewhere(text: string): boolean {
	const address = parseAddress(text);
	return address !== undefined && ownRanges.every(range => !contains(range, address));
}

const ownRanges = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/96', 'fe80::/10', 'ff00::/8'].flatMap(text => parseRange(text) ?? []);
