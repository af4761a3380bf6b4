/**
Shared by all code that opens sockets through FFI: calls, numbers (asm-generic, linux/in.h), and socket addresses.
*/

import {checked, libc} from './libc.js';
import type {SegmentEnd} from './tcp-segment.js';

/** The calls through koffi. A negative result is an error, whose number `lastError` returns. */
export const calls = {
	socket: libc.func('int socket(int domain, int type, int protocol)'),
	connect: libc.func('int connect(int fd, const void *address, uint32_t length)'),
	bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
	listen: libc.func('int listen(int fd, int backlog)'),
	getsockname: libc.func('int getsockname(int fd, void *address, void *length)'),
	setsockopt: libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
	close: libc.func('int close(int fd)'),
} as const;

/** Domains and types of sockets. */
export const [afInet, afInet6, sockStream, sockDatagram, sockRaw] = [2, 10, 1, 2, 3];

/** Flags of a type. */
export const [sockNonblock, sockCloexec] = [0o4000, 0o200_0000];

/** Levels of options. */
export const [solSocket, solIp, solIpv6] = [1, 0, 41];

/** Socket options; names with a prefix belong to that level. */
export const options = {
	reuseAddress: 2, error: 4, linger: 13, receiveTimeout: 20, bindToDevice: 25, mark: 36, ipTransparent: 19, ipv6Transparent: 75, ipv6Only: 26,
} as const;

/**
The local address and port of a socket.

@throws {TestbedError} SYSCALL_FAILED.
*/
export function ownEnd(fd: number, isIpv4: boolean): SegmentEnd {
	const own = new Uint8Array(28);
	checked('getsockname', calls.getsockname(fd, own, Uint32Array.of(own.length)) as number);
	return {address: isIpv4 ? own.slice(4, 8) : own.slice(8, 24), port: new DataView(own.buffer).getUint16(2)};
}

/** An address with a port as `struct sockaddr_in` or `struct sockaddr_in6`. */
export function socketAddress(address: Uint8Array, port: number): Uint8Array {
	const isIpv4 = address.length === 4;
	const bytes = new Uint8Array(isIpv4 ? 16 : 28);
	const view = new DataView(bytes.buffer);
	view.setUint16(0, isIpv4 ? afInet : afInet6, true);
	view.setUint16(2, port);
	bytes.set(address, isIpv4 ? 4 : 8);
	return bytes;
}
