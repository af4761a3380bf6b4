/**
The only door to FFI: system calls that Node does not offer. x86-64 and arm64, glibc and musl (koffi brings prebuilt libraries for them).
Numbers are those of asm-generic, which both architectures use.
*/

import process from 'node:process';
import {openSync, closeSync} from 'node:fs';
import {
	checked, errorName, lastError, libc,
} from './libc.js';

const libcUnshare = libc.func('int unshare(int flags)');
const libcSetns = libc.func('int setns(int fd, int type)');
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

export const sockCloexec = 0o200_0000;

/** The index of an interface in the namespace of this thread; 0 when there is none of that name. */
export function interfaceIndex(name: string): number {
	return libcIfNametoindex(name) as number;
}
