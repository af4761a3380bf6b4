/**
Opening a file below another root (openat2(2)): links in it, even absolute ones, stay inside. Opening `/proc/PID/root/etc/resolv.conf` by its path would follow an absolute link to a file of this machine.
*/

import {constants} from 'node:fs';
import {checked, libc} from './libc.js';
import {sockCloexec} from './netns.js';

const libcOpenat2 = libc.func('long syscall(long number, int folder, const char *path, const void *how, unsigned long size)');

const openat2Number = 437; // The same on x86-64 and arm64, since Linux 5.6.
const resolveInRoot = 0x10; // RESOLVE_IN_ROOT (linux/openat2.h)
const noMagicLinks = 0x02; // RESOLVE_NO_MAGICLINKS

/**
Opens a file for reading, as a process with that root would see it. Never waits for the writer of a pipe. The descriptor belongs to the caller.

@param root A descriptor of the root folder.
@throws {TestbedError} SYSCALL_FAILED with the error's name: ENOENT, EACCES, ENOSYS on an older kernel.
*/
export function openInRoot(root: number, path: string): number {
	// `struct open_how`: flags, mode, resolve. O_CLOEXEC has the number of SOCK_CLOEXEC.
	const how = BigUint64Array.of(BigInt(constants.O_RDONLY | constants.O_NONBLOCK | sockCloexec), 0n, BigInt(resolveInRoot | noMagicLinks));
	return checked(`openat2(${path})`, Number(libcOpenat2(openat2Number, root, path, how, how.byteLength)));
}
