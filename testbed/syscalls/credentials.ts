/**
Changes the user of the whole process through the C library: setgroups(2), setgid(2), setuid(2). Glibc and musl apply each call to all threads of the process, just as for Node's own functions, which call the same.
*/

import type {Credentials} from '../../src/mesh/traffic.js';
import {checked, libc} from './libc.js';

const libcSetgroups = libc.func('int setgroups(size_t size, const void *list)');
const libcSetgid = libc.func('int setgid(uint32_t gid)');
const libcSetuid = libc.func('int setuid(uint32_t uid)');

/**
Drops all supplementary groups, then changes group and user: real, effective, saved, and file system IDs, the last of which the owner match reads. The group comes first, because changing the user drops the right to change the group.

@throws {TestbedError} SYSCALL_FAILED without permission. Some of the three may already have taken effect, so the process should end.
*/
export function setProcessCredentials({uid, gid}: Credentials): void {
	checked('setgroups', libcSetgroups(0, null) as number);
	checked(`setgid(${gid})`, libcSetgid(gid) as number);
	checked(`setuid(${uid})`, libcSetuid(uid) as number);
}
