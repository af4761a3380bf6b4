/**
Sockets that listen in the machine's network. Inside its user namespace the testbed has a network of its own, which nobody else can reach, so such a socket is opened before.
*/

import {addressBytes} from '../../src/netfilter/address.js';
import {TestbedError} from '../errors.js';
import {errorName, int32, lastError} from '../syscalls/libc.js';
import {
	afInet, afInet6, calls, options, ownEnd, socketAddress, sockStream, solSocket,
} from '../syscalls/socket-calls.js';

/** Connections that may wait to be accepted: that of Node. */
const backlog = 511;

/** An address with its port for a URL or a message. */
function place(host: string, port: number): string {
	return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The error for an address on which nothing can listen. `code` is the name of the error, such as EADDRINUSE. */
export function cannotListen({host, port, code, message}: {readonly host: string; readonly port: number; readonly code: string | undefined; readonly message: string}): TestbedError {
	return new TestbedError('USAGE', {message: `Nothing can listen on ${place(host, port)}: ${message}.`, hint: code === 'EADDRINUSE' ? 'Choose another port, or none: --port 0' : 'Choose an address of this machine: ip -brief address'});
}

/**
Listens on each address, all on the same port; 0 lets the kernel choose it. The sockets stay open in a program that replaces this one.

@throws {TestbedError} USAGE for an address or port that cannot be had.
*/
export function listenBefore(hosts: readonly string[], port: number): Readonly<Record<string, number>> {
	const sockets: Record<string, number> = {};
	let chosen = port;
	for (const host of hosts) {
		const isIpv4 = !host.includes(':');
		const fd = calls.socket(isIpv4 ? afInet : afInet6, sockStream, 0) as number;
		const address = socketAddress(addressBytes(host), chosen);
		const isOpen = fd >= 0
			&& calls.setsockopt(fd, solSocket, options.reuseAddress, int32(1), 4) as number === 0
			&& calls.bind(fd, address, address.length) as number === 0
			&& calls.listen(fd, backlog) as number === 0;
		if (!isOpen) {
			const code = errorName(lastError());
			throw cannotListen({
				host, port: chosen, code, message: `listen ${code}`,
			});
		}

		sockets[host] = fd;
		chosen = ownEnd(fd, isIpv4).port;
	}

	return sockets;
}
