/**
The cookie of a network namespace, which is unique since boot (SO_NETNS_COOKIE, since Linux 5.14; include/uapi/asm-generic/socket.h). Its inode number is not: the kernel reuses it once the namespace is gone.
*/

import {Buffer} from 'node:buffer';
import {inNetns} from './netns.js';
import {
	checked, errorName, lastError, libc,
} from './libc.js';
import {closeSocket, openSocket} from './probe-socket.js';

const libcGetsockopt = libc.func('int getsockopt(int fd, int level, int name, void *value, _Inout_ uint32_t *length)');
const solSocket = 1;
const soNetnsCookie = 71;

/**
The cookie of a network namespace, given a descriptor of it, as a decimal number; undefined if the kernel has none.

@throws {TestbedError} SYSCALL_FAILED without permission to enter it.
*/
export function netnsCookie(netns: number): string | undefined {
	return inNetns(netns, () => {
		const fd = checked('socket', openSocket(false, true));
		try {
			const value = Buffer.alloc(8);
			const result = libcGetsockopt(fd, solSocket, soNetnsCookie, value, [value.length]) as number;
			if (result < 0 && errorName(lastError()) === 'ENOPROTOOPT') {
				return undefined;
			}

			checked('getsockopt(SO_NETNS_COOKIE)', result);
			return value.readBigUInt64LE().toString();
		} finally {
			closeSocket(fd);
		}
	});
}
