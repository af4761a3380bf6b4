/**
A file in memory without a name: programs that insist on a lock file get this one by its descriptor, and nothing of it stays, not even after SIGKILL.
*/

import process from 'node:process';
import {closeSync} from 'node:fs';
import {createMemoryFile} from '../syscalls/memory-file.js';

/** The lock file of one run. */
export class LockFile implements AsyncDisposable {
	/**
	A new one.

	@throws {TestbedError} SYSCALL_FAILED when the kernel has no descriptor left.
	*/
	static async create(): Promise<LockFile> {
		return new LockFile(createMemoryFile('testbed-lock'));
	}

	readonly #descriptor: number;

	private constructor(descriptor: number) {
		this.#descriptor = descriptor;
	}

	/** A path by which other programs can open it while it is held. */
	get path(): string {
		return `/proc/${process.pid}/fd/${this.#descriptor}`;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		closeSync(this.#descriptor);
	}
}
