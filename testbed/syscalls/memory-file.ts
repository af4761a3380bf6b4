/**
Files in memory without a name (memfd_create(2)), by which a program gets its input and says what it has to say: nothing has to be moved while it runs, and nothing of them stays.
*/

import {Buffer} from 'node:buffer';
import {fstatSync, readSync, writeSync} from 'node:fs';
import {
	checked, errorName, lastError, libc,
} from './libc.js';

const libcMemfdCreate = libc.func('int memfd_create(const char *name, unsigned int flags)');

const closeOnExec = 1;
const noExecute = 8; // MFD_NOEXEC_SEAL, since Linux 6.3: nobody can run what is written into it.

/**
A new one, as a descriptor that no program inherits by itself. Its owner closes it. `name` is for whoever lists descriptors.

@throws {TestbedError} SYSCALL_FAILED, without descriptors or memory.
*/
export function createMemoryFile(name = 'testbed'): number {
	const fd = libcMemfdCreate(name, closeOnExec | noExecute) as number;
	return fd < 0 && errorName(lastError()) === 'EINVAL'
		? checked('memfd_create', libcMemfdCreate(name, closeOnExec) as number)
		: checked('memfd_create', fd);
}

/** Writes all of a text at its beginning; who reads it by this descriptor begins there too. */
export function fillMemoryFile(fd: number, text: string): void {
	const bytes = Buffer.from(text);
	for (let written = 0; written < bytes.length;) {
		written += writeSync(fd, bytes, written, bytes.length - written, written);
	}
}

/** All that was written into it. */
export function readMemoryFile(fd: number): string {
	const bytes = Buffer.allocUnsafe(fstatSync(fd).size);
	let length = 0;
	for (let count = -1; count !== 0 && length < bytes.length; length += count) {
		count = readSync(fd, bytes, length, bytes.length - length, length);
	}

	return bytes.toString('utf8', 0, length);
}
