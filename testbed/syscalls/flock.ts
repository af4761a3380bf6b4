/**
Locks on open files (flock(2)). The kernel releases a lock when its descriptor is closed, however the process ends.
*/

import {errorName, lastError, libc} from './libc.js';

const call = libc.func('int flock(int fd, int operation)');

const nonBlocking = 4; // LOCK_NB

/** The operations: several may share a lock, or one has it alone. */
const operations = {shared: 1, exclusive: 2} as const;

/**
Takes a lock if it is free, in place of the one that the descriptor has.

@returns Whether it was free. If not, the descriptor may have lost the lock that it had.
@throws {Error} With the name of the error, if the file system has no locks.
*/
export function tryLock(fd: number, kind: keyof typeof operations): boolean {
	if (call(fd, operations[kind] | nonBlocking) as number === 0) {
		return true;
	}

	const name = errorName(lastError());
	if (name === 'EAGAIN' || name === 'EWOULDBLOCK' || name === 'EINTR') {
		return false;
	}

	throw new Error(`flock failed: ${name}`);
}
