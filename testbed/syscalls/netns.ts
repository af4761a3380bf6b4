/**
The only door to FFI: system calls that Node does not offer. x86-64 and arm64, glibc and musl (koffi brings prebuilt libraries for them).
Numbers are those of asm-generic, which both architectures use.
*/

import process from 'node:process';
import {openSync, closeSync} from 'node:fs';
import {
	checked, errorName, int32, lastError, libc,
} from './libc.js';

const libcUnshare = libc.func('int unshare(int flags)');
const libcSetns = libc.func('int setns(int fd, int type)');
const libcSocket = libc.func('int socket(int domain, int type, int protocol)');
const libcBind = libc.func('int bind(int fd, const void *address, uint32_t length)');
const libcSetsockopt = libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');
const libcGetsockopt = libc.func('int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)');
const libcSend = libc.func('long send(int fd, const void *data, size_t length, int flags)');
const libcRecv = libc.func('long recv(int fd, void *data, size_t length, int flags)');
const libcPoll = libc.func('int poll(void *fds, unsigned long count, int timeout)');
const libcEventfd = libc.func('int eventfd(unsigned int initial, int flags)');
const libcWrite = libc.func('long write(int fd, const void *data, size_t length)');
const libcIfNametoindex = libc.func('unsigned int if_nametoindex(const char *name)');

/** Error numbers that callers tell apart. */
export const errno = {EAGAIN: 11, EINTR: 4, ENOBUFS: 105} as const; // Asm-generic/errno.h

const cloneNewnet = 0x40_00_00_00; // CLONE_NEWNET

/** The descriptor of the network namespace of this thread at the first use. */
let ownNetns: number | undefined;

/** The namespace in which this thread is at home, as a descriptor that stays open. */
export function ownNetnsDescriptor(): number {
	ownNetns ??= openSync('/proc/thread-self/ns/net', 'r');
	return ownNetns;
}

/**
A new network namespace without a name or a mount, as a descriptor: it lives as long as the descriptor, a process or a socket in it does. This thread goes in and comes back before anything else can run on it.

@throws {TestbedError} SYSCALL_FAILED without the right to do it.
*/
export function createNetns(): number {
	const own = ownNetnsDescriptor();
	checked('unshare(CLONE_NEWNET)', libcUnshare(cloneNewnet) as number);
	const created = openSync('/proc/thread-self/ns/net', 'r');
	comeBack(own);
	return created;
}

/**
Calls `act` with this thread inside a network namespace: sockets and processes that it makes are born there, and /proc/sys/net is that namespace's. `act` must do so before it first waits: the thread leaves when it returns.
*/
export function inNetns<T>(netns: number, act: () => T): T {
	const own = ownNetnsDescriptor();
	checked('setns(CLONE_NEWNET)', libcSetns(netns, cloneNewnet) as number);
	try {
		return act();
	} finally {
		comeBack(own);
	}
}

/** A thread that cannot leave a namespace would do all that follows in the wrong one, so the process ends. */
function comeBack(own: number): void {
	if ((libcSetns(own, cloneNewnet) as number) < 0) {
		process.stderr.write(`testbed: setns back to the own network namespace failed: ${errorName(lastError())}\n`);
		process.abort();
	}
}

/** Closes a descriptor made here. */
export function closeDescriptor(fd: number): void {
	closeSync(fd);
}

const afNetlink = 16;
const sockRaw = 3;
const sockCloexec = 0o200_0000;
const netlinkNetfilter = 12;
const solSocket = 1;
const soRcvbufforce = 33;
const solNetlink = 270;
const netlinkAddMembership = 1;

/** A netlink socket of the netfilter family in the namespace of this thread, with a receive buffer of its own size. */
export function openNetfilterSocket(bufferBytes: number): number {
	const fd = checked('socket(AF_NETLINK)', libcSocket(afNetlink, sockRaw | sockCloexec, netlinkNetfilter) as number);
	checked('setsockopt(SO_RCVBUFFORCE)', libcSetsockopt(fd, solSocket, soRcvbufforce, int32(bufferBytes), 4) as number);
	const address = new Uint8Array(12); // `struct sockaddr_nl`, the kernel chooses the port.
	new DataView(address.buffer).setUint16(0, afNetlink, true);
	checked('bind(AF_NETLINK)', libcBind(fd, address, address.length) as number);
	return fd;
}

/** Subscribes a netlink socket to a multicast group. */
export function joinNetlinkGroup(fd: number, group: number): void {
	checked('setsockopt(NETLINK_ADD_MEMBERSHIP)', libcSetsockopt(fd, solNetlink, netlinkAddMembership, int32(group), 4) as number);
}

/** Sends one datagram. */
export function sendDatagram(fd: number, bytes: Uint8Array): void {
	checked('send', Number(libcSend(fd, bytes, bytes.length, 0)));
}

const messageDontwait = 0x40;

/** Receives one datagram into `buffer` without waiting: its length, or the error number as a negative number. */
export function receiveNow(fd: number, buffer: Uint8Array): number {
	const length = Number(libcRecv(fd, buffer, buffer.length, messageDontwait));
	return length < 0 ? -lastError() : length;
}

const pollIn = 1;

/** Waits until one of the descriptors can be read, at most `timeoutMs` (-1: for ever). Blocks the thread. The indices of those that can. */
export function waitReadable(fds: readonly number[], timeoutMs: number): readonly number[] {
	const entries = new Uint8Array(fds.length * 8); // `struct pollfd`
	const view = new DataView(entries.buffer);
	for (const [index, fd] of fds.entries()) {
		view.setInt32(index * 8, fd, true);
		view.setInt16((index * 8) + 4, pollIn, true);
	}

	const ready = libcPoll(entries, fds.length, timeoutMs) as number;
	if (ready < 0 && lastError() === errno.EINTR) {
		return [];
	}

	checked('poll', ready);
	return [...fds.keys()].filter(index => view.getInt16((index * 8) + 6, true) !== 0);
}

/** A descriptor by which one thread wakes another that waits for it. */
export function createWaker(): number {
	return checked('eventfd', libcEventfd(0, sockCloexec) as number);
}

/** Makes a waker readable. */
export function wake(fd: number): void {
	const one = new Uint8Array(8);
	one[0] = 1;
	checked('write(eventfd)', Number(libcWrite(fd, one, one.length)));
}

/** The index of an interface in the namespace of this thread; 0 when there is none of that name. */
export function interfaceIndex(name: string): number {
	return libcIfNametoindex(name) as number;
}

const solIp = 0;
const solIpv6 = 41;
const soOriginalDst = 80; // Linux/netfilter_ipv4.h; IP6T_SO_ORIGINAL_DST has the same number.

/** Where a redirected connection wanted to go: the address as bytes in network order. Undefined when conntrack knows of no redirection (ENOENT). */
export function originalDestination(fd: number, family: 'ipv4' | 'ipv6'): {readonly address: Uint8Array; readonly port: number} | undefined {
	const value = new Uint8Array(28); // `struct sockaddr_in6`, the larger one.
	const length = [value.length];
	const result = libcGetsockopt(fd, family === 'ipv4' ? solIp : solIpv6, soOriginalDst, value, length) as number;
	if (result < 0) {
		return undefined;
	}

	const port = new DataView(value.buffer).getUint16(2);
	return {address: family === 'ipv4' ? value.slice(4, 8) : value.slice(8, 24), port};
}
