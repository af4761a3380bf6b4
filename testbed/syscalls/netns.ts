/**
Network namespaces through FFI: system calls that Node does not offer. Supports x86-64 and arm64, glibc and musl (koffi has prebuilt libraries for them).

Numbers are those of asm-generic, which both architectures use.
*/

import process from 'node:process';
import {openSync, closeSync} from 'node:fs';
import {
	checked, errorName, lastError, libc,
} from './libc.js';

const libcUnshare = libc.func('int unshare(int flags)');
const libcSetns = libc.func('int setns(int fd, int type)');
const libcIoctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)');
const libcIfNametoindex = libc.func('unsigned int if_nametoindex(const char *name)');

/** Error numbers that callers distinguish. */
export const errno = {EAGAIN: 11, EINTR: 4, ENOBUFS: 105} as const; // Asm-generic/errno.h

const cloneNewnet = 0x40_00_00_00; // CLONE_NEWNET
const getNamespaceType = 0xB7_03; // NS_GET_NSTYPE (linux/nsfs.h), since Linux 4.11

/** The descriptor of the network namespace that this thread had at first use. */
let ownNetns: number | undefined;

/** The home namespace of this thread, as a descriptor that stays open. */
export function ownNetnsDescriptor(): number {
	ownNetns ??= openSync('/proc/thread-self/ns/net', 'r');
	return ownNetns;
}

/**
Creates a network namespace without a name or a mount, as a descriptor: it lives as long as the descriptor, or a process or socket in it. This thread enters it and returns before anything else can run on it.

@throws {TestbedError} SYSCALL_FAILED without permission.
*/
export function createNetns(): number {
	const own = ownNetnsDescriptor();
	checked('unshare(CLONE_NEWNET)', libcUnshare(cloneNewnet) as number);
	const created = openSync('/proc/thread-self/ns/net', 'r');
	comeBack(own);
	return created;
}

/**
Calls `act` with this thread inside a network namespace: sockets and processes that it creates belong there, and /proc/sys/net is that namespace's. `act` must do this before its first await: the thread leaves when `act` returns.
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

/** Returns to the home namespace, or aborts: a thread stuck in the wrong namespace would do everything else there. */
function comeBack(own: number): void {
	if ((libcSetns(own, cloneNewnet) as number) < 0) {
		process.stderr.write(`testbed: could not return to the original network namespace (setns): ${errorName(lastError())}\n`);
		process.abort();
	}
}

/** Whether a descriptor of a regular file refers to a network namespace. */
export function isNetns(fd: number): boolean {
	return libcIoctl(fd, getNamespaceType, null) as number === cloneNewnet;
}

/** Closes a descriptor made here. */
export function closeDescriptor(fd: number): void {
	closeSync(fd);
}

export const sockCloexec = 0o200_0000;

/** The index of an interface in the namespace of this thread; 0 if there is no such interface. */
export function interfaceIndex(name: string): number {
	return libcIfNametoindex(name) as number;
}
