/**
Mount and PID namespaces of one thread, and mounts in them. This is for a dedicated thread: none of it can be undone, and the rest of the process does not see it.

Flags are those of linux/mount.h and linux/sched.h, the same on x86-64 and arm64.
*/

import process from 'node:process';
import {closeSync, constants, openSync} from 'node:fs';
import {checked, libc} from './libc.js';

const libcUnshare = libc.func('int unshare(int flags)');
const libcSetns = libc.func('int setns(int fd, int type)');
const libcMount = libc.func('int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)');
const libcUmount2 = libc.func('int umount2(const char *target, int flags)');
const libcChdir = libc.func('int chdir(const char *folder)');
const libcFchdir = libc.func('int fchdir(int fd)');
const libcMountSetattr = libc.func('long syscall(long number, long folder, const char *path, long flags, void *attributes, size_t size)');
const libcPivotRoot = libc.func('long syscall(long number, const char *newRoot, const char *oldRoot)');

const cloneNewns = 0x00_02_00_00;
const cloneNewpid = 0x20_00_00_00;

/** Mount flags. */
export const mountFlags = {
	readOnly: 1, noSetuid: 2, noDevices: 4, noExecute: 8, remount: 32, bind: 4096, recursive: 16_384, private: 262_144,
} as const;

const detach = 2; // MNT_DETACH
const mountSetattrNumber = 442; // The same on x86-64 and arm64.
const [atCwd, atRecursive] = [-100, 0x80_00]; // AT_FDCWD, AT_RECURSIVE
const restrictedAttributes = 0x1 | 0x2 | 0x4; // MOUNT_ATTR_RDONLY, _NOSUID, _NODEV
const pathOnly = 0o1000_0000; // O_PATH, which Node does not name.

/** The system call number of pivot_root(2), which the C libraries do not wrap. */
const pivotRootNumber = process.arch === 'arm64' ? 41 : 155;

/** Opens a descriptor that refers to a file or folder without reading it (`O_PATH`). The caller closes it. */
export function openPath(path: string): number {
	return openSync(path, pathOnly | constants.O_RDONLY);
}

/**
Gives this thread its own mount namespace, whose mounts do not propagate to any other. The working folder is then the thread's previous root, and `/` the root of the namespace: in a chroot these differ, and only the latter is a mount point.

@throws {TestbedError} SYSCALL_FAILED without CAP_SYS_ADMIN.
*/
export function leaveMountNamespace(): void {
	checked('unshare(CLONE_NEWNS)', libcUnshare(cloneNewns) as number);
	const root = openPath('/');
	const own = openSync('/proc/thread-self/ns/mnt', 'r');
	try {
		// Entering the current namespace only changes the root to that of the namespace, which leaves a chroot.
		checked('setns(CLONE_NEWNS)', libcSetns(own, cloneNewns) as number);
		mount({target: '/', flags: mountFlags.recursive | mountFlags.private});
		checked('fchdir', libcFchdir(root) as number);
	} finally {
		closeSync(own);
		closeSync(root);
	}
}

/**
Puts the processes that this thread starts from now on into a new PID namespace. The first of them is its init: when it ends, all others are killed, and no more can be started. The thread can no longer create threads.

@throws {TestbedError} SYSCALL_FAILED without CAP_SYS_ADMIN.
*/
export function leavePidNamespace(): void {
	checked('unshare(CLONE_NEWPID)', libcUnshare(cloneNewpid) as number);
}

/**
Mounts something, or changes what is mounted (mount(2)).

@throws {TestbedError} SYSCALL_FAILED with both paths.
*/
export function mount({source, target, type, flags = 0, data}: {
	readonly source?: string; readonly target: string; readonly type?: string; readonly flags?: number; readonly data?: string;
}): void {
	checked(`mount ${source ?? ''} on ${target}`, libcMount(source ?? null, target, type ?? null, flags, data ?? null) as number);
}

/**
Makes what is mounted at a path, and everything mounted below it, read-only, without devices and set-user-ID programs (mount_setattr(2), since Linux 5.12).

@throws {TestbedError} SYSCALL_FAILED.
*/
export function restrictMounts(target: string): void {
	const attributes = new BigUint64Array([BigInt(restrictedAttributes), 0n, 0n, 0n]); // `struct mount_attr`: set, clear, propagation, user namespace.
	checked(`mount_setattr ${target}`, Number(libcMountSetattr(mountSetattrNumber, atCwd, target, atRecursive, attributes, attributes.byteLength)));
}

/**
Unmounts what is mounted at a path.

@throws {TestbedError} SYSCALL_FAILED.
*/
export function unmount(target: string): void {
	checked(`umount ${target}`, libcUmount2(target, detach) as number);
}

/**
Makes a mounted folder the root of this thread, and unmounts the old root. `between` runs while the old root is still mounted below the new one, where no path leads to it: a user namespace may only mount a /proc while another one is mounted in full (`mount_too_revealing` in fs/namespace.c).

@throws {TestbedError} SYSCALL_FAILED if the root cannot be replaced, as on the kernel's initial RAM disk; whatever `between` throws.
*/
export function makeRoot(folder: string, between: () => void): void {
	checked(`chdir ${folder}`, libcChdir(folder) as number);
	// With the same folder for both, the old root is mounted on top of the new one (pivot_root(2), "pivot_root(".", ".")").
	checked('pivot_root', Number(libcPivotRoot(pivotRootNumber, '.', '.')));
	between();
	checked('umount2', libcUmount2('.', detach) as number);
	checked('chdir /', libcChdir('/') as number);
}
