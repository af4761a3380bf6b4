/**
Starting programs by posix_spawn(3), and waiting for their end by a descriptor (pidfd_open(2), Linux 5.3).

Node starts programs with fork(2), which copies the page tables of the whole process. That takes 0.7 ms in a small process and 8 ms in one of 300 MB, and afterwards every page that any thread writes costs a page fault (measured with Node 20.20 on Linux 6.18). posix_spawn copies nothing and takes 0.1 ms at any size. The child inherits the restrictions of the calling thread: its network, mount and PID namespaces, seccomp, Landlock and capabilities.
*/

import {Buffer} from 'node:buffer';
import {constants} from 'node:os';
import {TestbedError} from '../errors.js';
import {
	checked, errorName, lastError, libc,
} from './libc.js';
import {errno} from './netns.js';

const libcPosixSpawn = libc.func('int posix_spawn(_Out_ int *pid, const char *file, void *actions, void *attributes, const char **argv, const char **envp)');
const libcActionsInit = libc.func('int posix_spawn_file_actions_init(void *actions)');
const libcActionsAddDup2 = libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int target)');
const libcActionsAddClose = libc.func('int posix_spawn_file_actions_addclose(void *actions, int fd)');
const libcActionsAddCloseFrom = withCloseFrom();
const libcActionsDestroy = libc.func('int posix_spawn_file_actions_destroy(void *actions)');
const libcAttributesInit = libc.func('int posix_spawnattr_init(void *attributes)');
const libcAttributesSetFlags = libc.func('int posix_spawnattr_setflags(void *attributes, short flags)');
const libcAttributesSetDefault = libc.func('int posix_spawnattr_setsigdefault(void *attributes, const void *set)');
const libcAttributesSetMask = libc.func('int posix_spawnattr_setsigmask(void *attributes, const void *set)');
const libcWaitpid = libc.func('int waitpid(int pid, _Out_ int *status, int options)');
const libcSyscall = libc.func('long syscall(long number, long pid, unsigned long flags)');

/** Glibc has it since 2.34, musl does not. */
function withCloseFrom(): ReturnType<typeof libc.func> | undefined {
	try {
		return libc.func('int posix_spawn_file_actions_addclosefrom_np(void *actions, int from)');
	} catch {
		return undefined;
	}
}

/** Without that function, the highest descriptor that is closed. */
const descriptorsWithoutCloseFrom = 4096;

/** Asm-generic, and the same on x86-64. */
const pidfdOpenNumber = 434;

// Spawn.h of glibc and of musl.
const setSignalDefaults = 0x04;
const setSignalMask = 0x08;
/** More than either library's opaque structures take (80 and 336 bytes with glibc on 64 bits). */
const opaqueBytes = 1024;
/** `sigset_t` is 128 bytes in both. */
const signalSetBytes = 128;

/** One program to start. */
export type Program = {
	/** The path of the program; PATH is not searched. */
	readonly file: string;
	/** The arguments, the first of which is the name that the program is called by. */
	readonly argv: readonly string[];
	/** All of its environment. */
	readonly environment: Readonly<Record<string, string>>;
	/** Descriptors of this process by the number that each gets in the program; others must be close-on-exec. */
	readonly descriptors: ReadonlyArray<readonly [target: number, source: number]>;
};

/** A program that was started. `pidfd` is readable when it has ended; whoever started it closes that descriptor. */
export type Spawned = {readonly pid: number; readonly pidfd: number};

/** How a program ended. One of the two is null. */
export type Exit = {readonly exitCode: number | null; readonly signal: NodeJS.Signals | null};

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]));

/** Posix_spawn and its helpers return the error number instead of setting errno. */
function succeeded(call: string, error: number): void {
	if (error !== 0) {
		throw new TestbedError('SYSCALL_FAILED', {message: `${call} failed: ${errorName(error)}`});
	}
}

/**
Has the child close every descriptor that the program does not get, before it starts the program. Close-on-exec alone comes too late: the kernel resumes the parent before the child has closed anything (fs/exec.c: `exec_mmap` comes before `do_close_on_exec`, and files are released even later), and on a busy machine a port that the parent had closed meanwhile was still in use (seen).
*/
function closeOthers(actions: Uint8Array, kept: ReadonlySet<number>): void {
	const highest = Math.max(...kept);
	const last = libcActionsAddCloseFrom === undefined ? Math.max(highest, descriptorsWithoutCloseFrom) : highest;
	for (let fd = 0; fd <= last; fd++) {
		// Closing one that is not open is no error here (posix_spawn_file_actions_addclose(3)).
		if (!kept.has(fd)) {
			succeeded('posix_spawn_file_actions_addclose', libcActionsAddClose(actions, fd) as number);
		}
	}

	if (libcActionsAddCloseFrom !== undefined) {
		succeeded('posix_spawn_file_actions_addclosefrom_np', libcActionsAddCloseFrom(actions, highest + 1) as number);
	}
}

/**
Starts a program, with every signal at its default and none blocked. When this returns, the program has replaced the child, which holds no copies of this process's descriptors any more.

@throws {TestbedError} SYSCALL_FAILED with the name of the error when it cannot be run.
*/
export function spawnProgram({file, argv, environment, descriptors}: Program): Spawned {
	const actions = Buffer.alloc(opaqueBytes);
	const attributes = Buffer.alloc(opaqueBytes);
	succeeded('posix_spawn_file_actions_init', libcActionsInit(actions) as number);
	try {
		succeeded('posix_spawnattr_init', libcAttributesInit(attributes) as number);
		succeeded('posix_spawnattr_setsigdefault', libcAttributesSetDefault(attributes, Buffer.alloc(signalSetBytes, 0xFF)) as number);
		succeeded('posix_spawnattr_setsigmask', libcAttributesSetMask(attributes, Buffer.alloc(signalSetBytes)) as number);
		succeeded('posix_spawnattr_setflags', libcAttributesSetFlags(attributes, setSignalDefaults | setSignalMask) as number);
		// A descriptor that keeps its number loses its close-on-exec flag by it.
		for (const [target, source] of descriptors) {
			succeeded('posix_spawn_file_actions_adddup2', libcActionsAddDup2(actions, source, target) as number);
		}

		closeOthers(actions, new Set(descriptors.map(([target]) => target)));
		const pid = [0];
		succeeded(`starting ${file}`, libcPosixSpawn(pid, file, actions, attributes, [...argv, null], [...Object.entries(environment).map(([name, value]) => `${name}=${value}`), null]) as number);
		return {pid: pid[0]!, pidfd: checked('pidfd_open', Number(libcSyscall(pidfdOpenNumber, pid[0]!, 0)))};
	} finally {
		libcActionsDestroy(actions);
	}
}

/**
How a program that has ended did so; waits for its end otherwise. It can be asked once for each program.

@throws {TestbedError} SYSCALL_FAILED when there is no such child.
*/
export function reap({pid}: Pick<Spawned, 'pid'>): Exit {
	const status = [0];
	while ((libcWaitpid(pid, status, 0) as number) < 0) {
		if (lastError() !== errno.EINTR) {
			checked('waitpid', -1);
		}
	}

	// Wait.h: the low seven bits are the signal, the next byte is the status.
	const number = status[0]! & 0x7F;
	return number === 0 ? {exitCode: (status[0]! >> 8) & 0xFF, signal: null} : {exitCode: null, signal: signalNames.get(number) ?? null};
}
