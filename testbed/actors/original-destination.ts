/**
Where a redirected connection wanted to go, asked of the kernel for a socket of Node's.
*/

import type {Socket} from 'node:net';
import {printAddressBytes} from '../../src/netfilter/address.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import {originalDestination} from '../syscalls.js';

/** The descriptor behind a TCP socket. Libuv's handle has had this property in every Node version since 0.12. */
type HandleHolder = {readonly _handle?: {readonly fd?: number}};

/** The original destination of an accepted socket, or undefined when conntrack knows of no redirection. */
export function originalDestinationOf(socket: Socket): Endpoint | undefined {
	const fd = (socket as unknown as HandleHolder)._handle?.fd;
	if (fd === undefined || fd < 0) {
		throw new Error('An accepted socket has no descriptor: this Node version hides it.');
	}

	const family = socket.localFamily === 'IPv6' ? 'ipv6' : 'ipv4';
	const found = originalDestination(fd, family);
	return found === undefined ? undefined : {address: printAddressBytes(found.address), port: found.port};
}
