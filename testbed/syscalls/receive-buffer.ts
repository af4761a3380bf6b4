/**
Receive buffers of sockets. Numbers are those of asm-generic/socket.h.
*/

import {
	checked, errorName, int32, lastError, libc,
} from './libc.js';

const libcSetsockopt = libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');
const libcGetsockopt = libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)');

const solSocket = 1;
const soRcvbuf = 8;
const soRcvbufforce = 33;

/**
Gives a socket a receive buffer of this size, and returns the size that it got, in bytes. Only the machine's root can go beyond `net.core.rmem_max`: SO_RCVBUFFORCE needs CAP_NET_ADMIN in the initial user namespace (sk_setsockopt in net/core/sock.c). In any other the size is limited to that.

@throws {TestbedError} SYSCALL_FAILED.
*/
export function growReceiveBuffer(fd: number, bytes: number): number {
	if ((libcSetsockopt(fd, solSocket, soRcvbufforce, int32(bytes), 4) as number) < 0) {
		const isLimited = errorName(lastError()) === 'EPERM';
		checked(isLimited ? 'setsockopt(SO_RCVBUF)' : 'setsockopt(SO_RCVBUFFORCE)', isLimited ? libcSetsockopt(fd, solSocket, soRcvbuf, int32(bytes), 4) as number : -1);
	}

	return receiveBufferOf(fd);
}

/**
The size of a socket's receive buffer, in bytes. The kernel reports twice as much as was set, to account for its own overhead (socket(7)).

@throws {TestbedError} SYSCALL_FAILED.
*/
export function receiveBufferOf(fd: number): number {
	const value = new Int32Array(1);
	checked('getsockopt(SO_RCVBUF)', libcGetsockopt(fd, solSocket, soRcvbuf, value, Uint32Array.of(4)) as number);
	return value[0]! / 2;
}
