/**
The C library, and its error numbers as errors.
*/

import process from 'node:process';
import koffi from 'koffi';
import {TestbedError} from '../errors.js';

/** The loaded library: glibc first, then musl by its own name. Trying is faster than asking Node which one it is, whose report takes 10 ms. */
export const libc = loadLibc();

function loadLibc(): ReturnType<typeof koffi.load> {
	try {
		return koffi.load('libc.so.6');
	} catch {
		return koffi.load(`libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`);
	}
}

/** The number of the last error of this thread. */
export function lastError(): number {
	return koffi.errno();
}

/** The name of an error number: `EPERM`. */
export function errorName(number: number): string {
	return Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0] ?? String(number);
}

/**
Returns the result of a call, unless it is negative.

@throws {TestbedError} SYSCALL_FAILED with the name of the error.
*/
export function checked(call: string, result: number): number {
	if (result < 0) {
		const name = errorName(lastError());
		throw new TestbedError('SYSCALL_FAILED', {
			message: `${call} failed: ${name}`,
			...(name === 'EPERM' ? {hint: 'Network namespaces need root (CAP_SYS_ADMIN and CAP_NET_ADMIN). Run it as root on a machine that allows them, or in a user namespace: unshare --user --map-root-user --map-auto --net COMMAND'} : {}),
		});
	}

	return result;
}

/** A C `int` as bytes, for socket options. */
export function int32(value: number): Uint8Array {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setInt32(0, value, true);
	return bytes;
}
