/**
Becoming another user for good, in an actor's process.
*/

import process from 'node:process';
import type {Credentials} from '../../src/scenario/types.js';

/**
Drops the supplementary groups of this process and changes its group and user.

Node's own functions are tried first: loading FFI takes an actor some 30 ms. A Node whose libuv may use io_uring refuses them before it does anything (`setgroups() disabled: io_uring may be enabled`, CVE-2024-22017): Debian 13's Node 20.19.2, which uses the system's libuv, does so whatever `UV_USE_IO_URING` says. The C library's functions work there. The refusal is about files that io_uring's kernel thread would still open as the old user; an actor opens sockets only, in its own threads, and its user is read back from the kernel (`run/actor-credentials.ts`).

@throws {TestbedError} SYSCALL_FAILED without the right to do it. The process should end then.
*/
export async function becomeUser({uid, gid}: Credentials): Promise<void> {
	try {
		process.setgroups!([]);
		process.setgid!(gid);
		process.setuid!(uid);
	} catch {
		const {setProcessCredentials} = await import('../syscalls/credentials.js');
		// All three again, whichever was refused: each can be done twice, and without the right to do it this fails as well and says why.
		setProcessCredentials({uid, gid});
	}
}
