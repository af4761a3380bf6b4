/**
Descriptors that programs inherit only if passed explicitly.
*/

import {readdirSync} from 'node:fs';
import {checked, libc} from './libc.js';

const libcPipe2 = libc.func('int pipe2(_Out_ int *ends, int flags)');
const libcFcntl = libc.func('int fcntl(int fd, int command, int value)');

const oCloexec = 0o200_0000;
const setDescriptorFlags = 2; // F_SETFD
const closeOnExec = 1; // FD_CLOEXEC

/** Creates a pipe. The caller closes both ends. */
export function createPipe(): {readonly read: number; readonly write: number} {
	const ends = [0, 0];
	checked('pipe2', libcPipe2(ends, oCloexec) as number);
	return {read: ends[0]!, write: ends[1]!};
}

/** Makes programs not inherit the descriptors that this process itself inherited, except the standard ones. Node does this at start-up for descriptors up to the first gap; its parent may have left others open. */
export function keepInheritedDescriptors(): void {
	for (const fd of readdirSync('/proc/self/fd').map(Number)) {
		if (fd > 2) {
			// One that is already closed belonged to the directory listing.
			libcFcntl(fd, setDescriptorFlags, closeOnExec);
		}
	}
}
