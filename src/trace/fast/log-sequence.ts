/**
Checks NFLOG's sequence numbers incrementally: the same check as ../lost-messages.ts does for a whole trace, across batches.
*/

/** Follows the numbers of one socket's messages. */
export class LogSequence {
	#next = 0;
	#missing = 0;
	#isDisordered = false;
	#isUnnumbered = false;

	/** Adds the number of a message; -1 if it has none. */
	count(sequence: number): void {
		if (sequence < 0) {
			this.#isUnnumbered = true;
		} else if (sequence < this.#next) {
			this.#isDisordered = true;
		} else {
			this.#missing += sequence - this.#next;
			this.#next = sequence + 1;
		}
	}

	/** What is wrong with the numbers since the last call. */
	take(): string | undefined {
		const said = this.#said();
		this.#missing = 0;
		this.#isDisordered = false;
		this.#isUnnumbered = false;
		return said;
	}

	#said(): string | undefined {
		if (this.#isUnnumbered) {
			return 'NFLOG sent events without a sequence number, so losses would not show.';
		}

		if (this.#isDisordered) {
			return 'NFLOG messages came out of order, so their numbers do not show losses.';
		}

		return this.#missing > 0 ? `${this.#missing} NFLOG messages are missing.` : undefined;
	}
}
