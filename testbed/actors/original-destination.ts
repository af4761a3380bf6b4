/**
The original destination of a redirected connection, for a Node socket.
*/

import type {Socket} from 'node:net';
import {printAddressBytes} from '../../src/netfilter/address.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import {originalDestination} from '../syscalls/original-destination.js';
import {descriptorOf} from './descriptor.js';

/** The original destination of an accepted socket, or undefined if conntrack has no entry. */
export function originalDestinationOf(socket: Socket): Endpoint | undefined {
	const family = socket.localFamily === 'IPv6' ? 'ipv6' : 'ipv4';
	const found = originalDestination(descriptorOf(socket), family);
	return found === undefined ? undefined : {address: printAddressBytes(found.address), port: found.port};
}
