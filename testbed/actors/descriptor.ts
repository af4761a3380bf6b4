/**
The file descriptors of Node's sockets, for calls that Node does not offer.
*/

import type {Server, Socket} from 'node:net';

/** Libuv's handle has had this property in every Node version since 0.12. */
type HandleHolder = {readonly _handle?: {readonly fd?: number}};

/**
The descriptor of an open TCP socket or listener.

@throws {Error} if Node hides it, or the socket is closed.
*/
export function descriptorOf(socket: Socket | Server): number {
	const fd = (socket as unknown as HandleHolder)._handle?.fd;
	if (fd === undefined || fd < 0) {
		throw new Error('A socket has no file descriptor: it is closed, or this version of Node hides it.');
	}

	return fd;
}
