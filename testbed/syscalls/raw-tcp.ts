/**
A raw TCP socket (raw(7), ipv6(7)): it sends segments that no TCP implementation would, and receives the answers. It needs CAP_NET_RAW. An idle TCP socket next to it reserves the port; the kernel does not respond to an RST.
*/

import {checked, libc} from './libc.js';
import {
	afInet, afInet6, calls, options, ownEnd, sockCloexec, sockRaw, sockStream, socketAddress, solSocket,
} from './socket-calls.js';
import type {SegmentEnd} from './tcp-segment.js';

const libcSend = libc.func('long send(int fd, const void *data, size_t length, int flags)');

const tcpProtocol = 6;
/** `struct timeval`, on 64 bits. */
function timeval(milliseconds: number): Uint8Array {
	return new Uint8Array(BigInt64Array.of(BigInt(Math.floor(milliseconds / 1000)), BigInt((milliseconds % 1000) * 1000)).buffer);
}

/** The socket to send and read with, and its local address. */
export type RawTcp = {readonly fd: number; readonly own: SegmentEnd; readonly close: () => void};

/**
Opens one to an address. Without `source`, the route determines it. Reading waits at most `timeoutMs`, then fails with EAGAIN; in IPv4, what is read begins with the IP header.

@throws {TestbedError} SYSCALL_FAILED without CAP_NET_RAW, without a route, and for a source that this namespace does not have; nothing is left open.
*/
export function openRawTcp({source, destination, timeoutMs}: {readonly source: Uint8Array | undefined; readonly destination: Uint8Array; readonly timeoutMs: number}): RawTcp {
	const isIpv4 = destination.length === 4;
	const domain = isIpv4 ? afInet : afInet6;
	const opened: number[] = [];
	const close = (): void => {
		for (const fd of opened.splice(0)) {
			calls.close(fd);
		}
	};

	try {
		const fd = checked('socket(SOCK_RAW)', calls.socket(domain, sockRaw | sockCloexec, tcpProtocol) as number);
		opened.push(fd);
		const wait = timeval(timeoutMs);
		checked('setsockopt(SO_RCVTIMEO)', calls.setsockopt(fd, solSocket, options.receiveTimeout, wait, wait.length) as number);
		if (source !== undefined) {
			const from = socketAddress(source, 0);
			checked('bind(SOCK_RAW)', calls.bind(fd, from, from.length) as number);
		}

		// A raw IPv6 socket would take a port as a protocol, so the port is 0.
		const to = socketAddress(destination, 0);
		checked('connect(SOCK_RAW)', calls.connect(fd, to, to.length) as number);
		const {address} = ownEnd(fd, isIpv4);
		const holder = checked('socket', calls.socket(domain, sockStream | sockCloexec, 0) as number);
		opened.push(holder);
		const own = socketAddress(address, 0);
		checked('bind', calls.bind(holder, own, own.length) as number);
		return {fd, own: {address, port: ownEnd(holder, isIpv4).port}, close};
	} catch (error) {
		close();
		throw error;
	}
}

/**
Sends a segment.

@throws {TestbedError} SYSCALL_FAILED, with EPERM if netfilter dropped it on the way out.
*/
export function sendRaw(fd: number, segment: Uint8Array): void {
	checked('send(SOCK_RAW)', Number(libcSend(fd, segment, segment.length, 0)));
}
