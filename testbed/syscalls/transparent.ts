/**
Transparent sockets, which the proxy needs under TPROXY (ip(7), IP_TRANSPARENT; socket(7), SO_MARK). Numbers are those of asm-generic and linux/in.h.
*/

import {
	checked, errorName, int32, lastError, libc,
} from './libc.js';
import {
	afInet, afInet6, calls, options, ownEnd, sockCloexec, sockDatagram, sockNonblock, sockStream, socketAddress, solIp, solIpv6, solSocket,
} from './socket-calls.js';
import type {SegmentEnd} from './tcp-segment.js';

const libcPrctl = libc.func('int prctl(int option, unsigned long one, unsigned long two, unsigned long three, unsigned long four)');
const libcCapset = libc.func('int capset(const void *header, const void *data)');
const libcCapget = libc.func('int capget(void *header, void *data)');

const prSetKeepcaps = 8;
const capabilityVersion = 0x20_08_05_22; // `_LINUX_CAPABILITY_VERSION_3`
const capNetAdmin = 12;

/** Makes this thread keep its permitted capabilities across the next change of its user. */
export function keepCapabilities(): void {
	checked('prctl(PR_SET_KEEPCAPS)', libcPrctl(prSetKeepcaps, 1, 0, 0, 0) as number);
}

/** After a change of user, restores CAP_NET_ADMIN, which transparent sockets and marks need, and drops every other capability. */
export function raiseNetAdmin(): void {
	const header = new Uint32Array([capabilityVersion, 0]);
	const sets = new Uint32Array(6); // Effective, permitted and inheritable of the lower 32 capabilities, then of the upper ones.
	checked('capget', libcCapget(header, sets) as number);
	const bit = 1 << capNetAdmin;
	checked('capset', libcCapset(header, new Uint32Array([bit, bit, 0, 0, 0, 0])) as number);
}

/** Makes a socket transparent: a listener then accepts connections to addresses that are not local. */
export function setTransparent(fd: number, family: 'ipv4' | 'ipv6'): void {
	const [level, name] = family === 'ipv4' ? [solIp, options.ipTransparent] : [solIpv6, options.ipv6Transparent];
	checked('setsockopt(IP_TRANSPARENT)', calls.setsockopt(fd, level, name, int32(1), 4) as number);
}

/**
Opens a transparent listening socket on a port, on all addresses of a family, for the TPROXY target to find. The caller closes it.

@throws {TestbedError} SYSCALL_FAILED, leaving nothing open.
*/
export function listenTransparently({family, protocol, port}: {readonly family: 'ipv4' | 'ipv6'; readonly protocol: 'tcp' | 'udp'; readonly port: number}): number {
	const isIpv4 = family === 'ipv4';
	const fd = checked('socket', calls.socket(isIpv4 ? afInet : afInet6, (protocol === 'tcp' ? sockStream : sockDatagram) | sockNonblock | sockCloexec, 0) as number);
	try {
		setTransparent(fd, family);
		checked('setsockopt(SO_REUSEADDR)', calls.setsockopt(fd, solSocket, options.reuseAddress, int32(1), 4) as number);
		if (!isIpv4) {
			checked('setsockopt(IPV6_V6ONLY)', calls.setsockopt(fd, solIpv6, options.ipv6Only, int32(1), 4) as number);
		}

		const at = socketAddress(new Uint8Array(isIpv4 ? 4 : 16), port);
		checked(`bind to port ${port}`, calls.bind(fd, at, at.length) as number);
		if (protocol === 'tcp') {
			checked(`listen on port ${port}`, calls.listen(fd, 1) as number);
		}

		return fd;
	} catch (error) {
		calls.close(fd);
		throw error;
	}
}

/**
Starts a TCP connection with a mark from an address that need not be local (with all zeros, the route determines it). Returns the descriptor of a socket that is connecting (or connected), and its local address.

@throws {TestbedError} SYSCALL_FAILED, also if the connection fails at once, leaving no descriptor open.
*/
export function connectTransparently({source, destination, mark}: {
	readonly source: Uint8Array; readonly destination: SegmentEnd; readonly mark: number;
}): {readonly fd: number; readonly own: SegmentEnd} {
	const family = source.length === 4 ? 'ipv4' : 'ipv6';
	const fd = checked('socket', calls.socket(family === 'ipv4' ? afInet : afInet6, sockStream | sockNonblock | sockCloexec, 0) as number);
	try {
		setTransparent(fd, family);
		checked('setsockopt(SO_MARK)', calls.setsockopt(fd, solSocket, options.mark, int32(mark), 4) as number);
		const from = socketAddress(source, 0);
		checked('bind', calls.bind(fd, from, from.length) as number);
		const to = socketAddress(destination.address, destination.port);
		if ((calls.connect(fd, to, to.length) as number) < 0 && errorName(lastError()) !== 'EINPROGRESS') {
			checked('connect', -1);
		}

		return {fd, own: ownEnd(fd, family === 'ipv4')};
	} catch (error) {
		calls.close(fd);
		throw error;
	}
}
