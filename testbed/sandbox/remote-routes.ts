/**
Makes the remote namespace answer for further addresses.
*/

import {contains, parseAddress, parseRange} from '../../src/netfilter/address.js';
import {addressFamilies, type Topology} from '../../src/mesh/topology.js';
import {ipFlags} from '../system/ip-flags.js';
import type {Netns} from './netns.js';

/** Makes the remote namespace answer for every address that probes go to, so that connections that leave the pod get an answer: they are refused if nothing listens there. */
export async function answerElsewhere(remote: Netns, {places, serviceRange}: Topology, addresses: readonly string[]): Promise<void> {
	const known = new Set([...Object.values(places), serviceRange].flatMap(({ipv4, ipv6}) => [ipv4, ipv6]));
	const foreign = [...new Set(addresses)].filter(address => !known.has(address) && canBeElsewhere(address));
	for (const family of addressFamilies) {
		const own = foreign.filter(address => parseAddress(address)?.family === family);
		if (own.length > 0) {
			await remote.runConfined('ip', [ipFlags[family], '-batch', '-'], {input: own.map(address => `route replace local ${address} dev lo\n`).join('')}); // eslint-disable-line no-await-in-loop -- Two short programs; running them one after the other keeps errors readable.
		}
	}
}

/** Whether the remote namespace can have an address: loopback addresses are the pod's own, and multicast and unspecified addresses cannot be routed. */
function canBeElsewhere(text: string): boolean {
	const address = parseAddress(text);
	return address !== undefined && ownRanges.every(range => !contains(range, address));
}

const ownRanges = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '::/96', 'fe80::/10', 'ff00::/8'].flatMap(text => parseRange(text) ?? []);
