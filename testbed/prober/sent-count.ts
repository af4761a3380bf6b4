/**
Counts how many probes the senders have sent so far.
*/

import {shared} from './protocol.js';

/** Counts the probes of each call from what the senders write into shared memory. */
export class SentCount {
	readonly #words: Int32Array;
	#all = 0;
	#done = 0;
	#at = 0;

	constructor(memory: SharedArrayBuffer) {
		this.#words = new Int32Array(memory);
	}

	/** How many probes of the call have been sent. */
	get count(): number {
		return Math.min(this.#all, this.#done + Math.max(0, this.#ever() - this.#at));
	}

	/** Starts a call of the given number of probes. */
	begin(probes: number): void {
		this.#all = probes;
		this.note(0);
	}

	/** Notes how many probes of the call are finished before the next batch. */
	note(done: number): void {
		this.#done = done;
		this.#at = this.#ever();
	}

	#ever(): number {
		return Atomics.load(this.#words, shared.sent);
	}
}
