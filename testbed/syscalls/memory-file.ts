/**
Unnamed files in memory (memfd_create(2)) for a program's input and output: no data has to be copied while it runs, and nothing is left behind.
*/

import {Buffer} from 'node:buffer';
import {fstatSync, readSync, writeSync} from 'node:fs';
import {
	checked, errorName, lastError, libc,
} from './libc.js';

const libcMemfdCreate = libc.func('int memfd_create(const char *name, unsigned int flags)');

const closeOnExec = 1;
const noExecute = 8; // MFD_NOEXEC_SEAL, since Linux 6.3: its contents cannot be executed.

/**
Creates one, as a descriptor that programs do not inherit by default. The caller closes it. `name` shows up in lists of descriptors.

@throws {TestbedError} SYSCALL_FAILED if descriptors or memory run out.
*/
export function createMemoryFile(name = 'testbed'): number {
	const fd = libcMemfdCreate(name, closeOnExec | noExecute) as number;
	return fd < 0 && errorName(lastError()) === 'EINVAL'
		? checked('memfd_create', libcMemfdCreate(name, closeOnExec) as number)
		: checked('memfd_create', fd);
}

/** Writes a text at the beginning without moving the file position, so that readers of this descriptor start there. */
export function fillMemoryFile(fd: number, text: string): void {
	const bytes = Buffer.from(text);
	for (let written = 0; written < bytes.length;) {
		written += writeSync(fd, bytes, written, bytes.length - written, written);
	}
}

/** Everything that was written to it. */
export function readMemoryFile(fd: number): string {
	const bytes = Buffer.allocUnsafe(fstatSync(fd).size);
	let length = 0;
	for (let count = -1; count !== 0 && length < bytes.length; length += count) {
		count = readSync(fd, bytes, length, bytes.length - length, length);
	}

	return bytes.toString('utf8', 0, length);
}
