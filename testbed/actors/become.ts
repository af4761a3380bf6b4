/**
Permanently changes the user of an actor's process.
*/

import process from 'node:process';
import type {Credentials} from '../../src/mesh/traffic.js';

/**
Drops the supplementary groups of this process and changes its group and user.

Tries Node's own functions first, because loading FFI takes some 30 ms per actor. If libuv may use io_uring, Node refuses them before doing anything (`setgroups() disabled: io_uring may be enabled`, CVE-2024-22017): Debian 13's Node 20.19.2, which uses the system's libuv, does so regardless of `UV_USE_IO_URING`. The C library's functions work there. Node refuses because io_uring's kernel thread would still open files as the old user; an actor only opens sockets, in its own threads, and its user is read back from the kernel (`run/actor-credentials.ts`).

@throws {TestbedError} SYSCALL_FAILED without permission; the process should then end.
*/
export async function becomeUser({uid, gid}: Credentials): Promise<void> {
	try {
		process.setgroups!([]);
		process.setgid!(gid);
		process.setuid!(uid);
	} catch {
		const {setProcessCredentials} = await import('../syscalls/credentials.js');
		// Repeats all three, whichever was refused: repeating is harmless, and without permission this fails as well, with the reason.
		setProcessCredentials({uid, gid});
	}
}
