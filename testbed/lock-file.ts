/**
A lock file without a name: programs that insist on one get this one by its descriptor. It is a file in memory, so it needs no folder for temporary files, and nothing of it stays, not even when a signal ends the process while it is being made.
*/

import process from 'node:process';
import {closeDescriptor, createMemoryFile} from './syscalls.js';

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
		closeDescriptor(this.#descriptor);
	}
}
