/**
The sockets of probes: opened, used and closed with as few system calls as possible, and without checks that cost more than the call. Numbers are those of asm-generic; `struct statx` is the same everywhere.
*/

import {Buffer} from 'node:buffer';
import type {SocketOption} from '../../src/scenario/probe-spec.js';
import {TestbedError} from '../errors.js';
import {
	checked, int32, lastError, libc,
} from './libc.js';
import {
	afInet, afInet6, calls, options, sockCloexec, sockDatagram, sockNonblock, sockRaw, sockStream, solIp, solIpv6, solSocket,
} from './socket-calls.js';

const libcSetns = libc.func('int setns(int fd, int type)');
const libcSetfsuid = libc.func('uint32_t setfsuid(uint32_t uid)');
const libcSetfsgid = libc.func('uint32_t setfsgid(uint32_t gid)');
const libcGetsockopt = libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)');
const libcSend = libc.func('long send(int fd, const void *data, size_t length, int flags)');
const libcStatx = libc.func('int statx(int folder, const char *path, int flags, unsigned int mask, void *found)');
const libcPoll = libc.func('int poll(void *fds, unsigned long count, int timeout)');

const cloneNewnet = 0x40_00_00_00;
/** Error numbers that probes distinguish (asm-generic/errno.h). */
export const probeErrors = {
	EPERM: 1, EINTR: 4, EADDRINUSE: 98, EADDRNOTAVAIL: 99, ECONNREFUSED: 111, EISCONN: 106, EALREADY: 114, EINPROGRESS: 115,
} as const;

/**
Moves this thread into a network namespace permanently. For worker threads only.

@throws {TestbedError} SYSCALL_FAILED without permission.
*/
export function joinNetns(netns: number): void {
	checked('setns(CLONE_NEWNET)', libcSetns(netns, cloneNewnet) as number);
}

/**
Sets the credentials with which this thread, and only this thread, creates sockets: netfilter's owner match reads `fsuid` and `fsgid` as of the creation of the socket. Network capabilities stay, so marks and devices can still be set.

@throws {TestbedError} SYSCALL_FAILED if the kernel did not accept them; the calls themselves do not report errors, they only return the previous value.
*/
export function setThreadCredentials(uid: number, gid: number): void {
	// The group first, as usual; CAP_SETGID stays after changing fsuid, so any order would work.
	libcSetfsgid(gid);
	libcSetfsuid(uid);
	if (libcSetfsgid(gid) !== gid || libcSetfsuid(uid) !== uid) {
		throw new TestbedError('SYSCALL_FAILED', {message: `setfsuid(${uid}) and setfsgid(${gid}) did not take effect.`, hint: 'UID and GID 4294967295 do not exist.'});
	}
}

/** Opens a non-blocking socket; returns a negative error number on failure. */
export function openSocket(isIpv6: boolean, isUdp: boolean): number {
	const fd = calls.socket(isIpv6 ? afInet6 : afInet, (isUdp ? sockDatagram : sockStream) | sockNonblock | sockCloexec, 0) as number;
	return fd < 0 ? -lastError() : fd;
}

const tcpProtocol = 6;

/** Opens a non-blocking raw TCP socket; returns a negative error number on failure. */
export function openRawSocket(isIpv6: boolean): number {
	const fd = calls.socket(isIpv6 ? afInet6 : afInet, sockRaw | sockNonblock | sockCloexec, tcpProtocol) as number;
	return fd < 0 ? -lastError() : fd;
}

const atEmptyPath = 0x10_00;
const statxOwner = 0x08 | 0x10; // STATX_UID | STATX_GID
const found = new Uint32Array(64);

/** The owner that the kernel recorded when it created a socket, from the same thread credentials, in the same call, that the owner match reads (`sock_alloc` in net/socket.c). */
export function socketOwner(fd: number): {readonly uid: number; readonly gid: number} {
	checked('statx', libcStatx(fd, '', atEmptyPath, statxOwner, found) as number);
	return {uid: found[5]!, gid: found[6]!}; // Bytes 20 and 24.
}

const one = int32(1);
const linger = new Uint8Array(8);
linger[0] = 1; // On, with 0 seconds: close sends RST.

/** Binds a socket, even to an address that is not this machine's. `foreign`: it is such an address. */
export function bindSocket(fd: number, address: Uint8Array): {readonly error: number; readonly foreign: boolean} {
	calls.setsockopt(fd, solSocket, options.reuseAddress, one, 4);
	if (calls.bind(fd, address, address.length) as number === 0) {
		return {error: 0, foreign: false};
	}

	if (lastError() !== probeErrors.EADDRNOTAVAIL) {
		return {error: lastError(), foreign: false};
	}

	const [level, name] = address.length === 16 ? [solIp, options.ipTransparent] : [solIpv6, options.ipv6Transparent];
	calls.setsockopt(fd, level, name, one, 4);
	return {error: calls.bind(fd, address, address.length) as number === 0 ? 0 : lastError(), foreign: true};
}

/** Sets a socket option before binding; returns 0 or the error number. The value has the type of its field in the probe's field table. */
export type SocketOptionSetter = (fd: number, value: number | string, socket: {readonly isIpv6: boolean}) => number;

/** How to set each socket option that a probe can request. */
export const socketOptionSetters: Readonly<Record<SocketOption, SocketOptionSetter>> = {
	SO_MARK: (fd, mark) => setOption(fd, {level: solSocket, name: options.mark, value: new Uint8Array(Uint32Array.of(Number(mark)).buffer)}),
	SO_BINDTODEVICE: (fd, device) => setOption(fd, {level: solSocket, name: options.bindToDevice, value: Buffer.from(String(device))}),
};

function setOption(fd: number, {level, name, value}: {readonly level: number; readonly name: number; readonly value: Uint8Array}): number {
	return calls.setsockopt(fd, level, name, value, value.length) as number === 0 ? 0 : lastError();
}

/** Connects; returns 0 or the error number. The first call sends; further calls return the result: 0 or EISCONN, EALREADY while pending, or the error. */
export function connectSocket(fd: number, address: Uint8Array): number {
	return calls.connect(fd, address, address.length) as number === 0 ? 0 : lastError();
}

const datagram = new Uint8Array(1);

/** Sends a datagram of one byte; returns 0 or the error number. */
export function sendByte(fd: number): number {
	return Number(libcSend(fd, datagram, 1, 0)) === 1 ? 0 : lastError();
}

/** Sends bytes on a connected socket; returns 0 or the error number. */
export function sendBytes(fd: number, bytes: Uint8Array): number {
	return Number(libcSend(fd, bytes, bytes.length, 0)) === bytes.length ? 0 : lastError();
}

const value = new Int32Array(1);
const valueLength = new Uint32Array(1);

/** Reads and clears the pending error of a socket; 0 for none. */
export function socketError(fd: number): number {
	valueLength[0] = 4;
	return libcGetsockopt(fd, solSocket, options.error, value, valueLength) as number === 0 ? value[0]! : lastError();
}

/** The local address of a socket as a `struct sockaddr`, overwritten by the next call. */
export const ownAddress = new Uint8Array(28);
const ownLength = new Uint32Array(1);

/** Reads a socket's local address into {@link ownAddress}; returns 0 or the error number. */
export function readOwnAddress(fd: number): number {
	ownLength[0] = 28;
	return calls.getsockname(fd, ownAddress, ownLength) as number === 0 ? 0 : lastError();
}

/** Closes a socket, with RST if it is connected. */
export function abortSocket(fd: number): void {
	calls.setsockopt(fd, solSocket, options.linger, linger, 8);
	calls.close(fd);
}

/** Closes a socket. */
export function closeSocket(fd: number): void {
	calls.close(fd);
}

const [pollIn, pollOut] = [1, 4];

/** Waits until at least one of the sockets has a result, at most `timeoutMs`; returns the indices of those. A datagram socket waits for errors only, a raw socket for packets. */
export function waitSockets(fds: ReadonlyArray<{readonly fd: number; readonly isUdp: boolean; readonly isRaw: boolean}>, timeoutMs: number): readonly number[] {
	const entries = new Int32Array(fds.length * 2); // `struct pollfd`
	for (const [index, {fd, isUdp, isRaw}] of fds.entries()) {
		entries[index * 2] = fd;
		entries[(index * 2) + 1] = isRaw ? pollIn : (isUdp ? 0 : pollOut);
	}

	const ready = libcPoll(entries, fds.length, Math.ceil(timeoutMs)) as number;
	if (ready < 0) {
		return lastError() === probeErrors.EINTR ? [] : [checked('poll', ready)];
	}

	return [...fds.keys()].filter(index => (entries[(index * 2) + 1]! >>> 16) !== 0);
}
