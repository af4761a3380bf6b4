/**
An unnamed file in memory, for programs that insist on a lock file. Nothing is left behind, even after SIGKILL.
*/

import process from 'node:process';
import {closeSync} from 'node:fs';
import {createMemoryFile} from '../syscalls/memory-file.js';

/** The lock file of one run. */
export class LockFile implements AsyncDisposable {
	/**
	Creates one.

	@throws {TestbedError} SYSCALL_FAILED if descriptors run out.
	*/
	static async create(): Promise<LockFile> {
		return new LockFile(createMemoryFile('testbed-lock'));
	}

	readonly #descriptor: number;

	private constructor(descriptor: number) {
		this.#descriptor = descriptor;
	}

	/** Its path for other programs, while it is open. */
	get path(): string {
		return `/proc/${process.pid}/fd/${this.#descriptor}`;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		closeSync(this.#descriptor);
	}
}
