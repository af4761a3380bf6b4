/**
Changes the user of this whole process by the C library: setgroups(2), setgid(2), setuid(2). Glibc and musl apply each call to all threads of the process, as Node's own functions do, which call the same.
*/

import type {Credentials} from '../../src/scenario/types.js';
import {checked, libc} from './libc.js';

const libcSetgroups = libc.func('int setgroups(size_t size, const void *list)');
const libcSetgid = libc.func('int setgid(uint32_t gid)');
const libcSetuid = libc.func('int setuid(uint32_t uid)');

/**
Drops all supplementary groups, then changes group and user: real, effective, saved, and that of the file system, which the owner match reads. The group goes first, because the right to change it goes with the user.

@throws {TestbedError} SYSCALL_FAILED without the right to do it. Some of the three may have been done then, so the process should end.
*/
export function setProcessCredentials({uid, gid}: Credentials): void {
	checked('setgroups', libcSetgroups(0, null) as number);
	checked(`setgid(${gid})`, libcSetgid(gid) as number);
	checked(`setuid(${uid})`, libcSetuid(uid) as number);
}
