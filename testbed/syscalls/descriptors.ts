/**
Descriptors that no program inherits but by being given them.
*/

import {readdirSync} from 'node:fs';
import {checked, libc} from './libc.js';

const libcPipe2 = libc.func('int pipe2(_Out_ int *ends, int flags)');
const libcFcntl = libc.func('int fcntl(int fd, int command, int value)');

const oCloexec = 0o200_0000;
const setDescriptorFlags = 2; // F_SETFD
const closeOnExec = 1; // FD_CLOEXEC

/** A pipe. Its owner closes both ends. */
export function createPipe(): {readonly read: number; readonly write: number} {
	const ends = [0, 0];
	checked('pipe2', libcPipe2(ends, oCloexec) as number);
	return {read: ends[0]!, write: ends[1]!};
}

/** Keeps from programs what this process itself inherited, beside the standard channels. Node does so at its start for the descriptors up to the first gap; whoever started Node may have left others open. */
export function keepInheritedDescriptors(): void {
	for (const fd of readdirSync('/proc/self/fd').map(Number)) {
		if (fd > 2) {
			// One that is closed by now was that of the listing.
			libcFcntl(fd, setDescriptorFlags, closeOnExec);
		}
	}
}
