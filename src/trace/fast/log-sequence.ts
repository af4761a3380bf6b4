/**
NFLOG's count of its messages, as they come: the same as ../lost-messages.ts says of a whole trace, for one that goes on from batch to batch.
*/

/** Follows the numbers of one socket's messages. */
export class LogSequence {
	#next = 0;
	#missing = 0;
	#isDisordered = false;
	#isUnnumbered = false;

	/** Takes the number of a message; -1 when it has none. */
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

	/** What is wrong with the numbers since the last time. */
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
			return 'NFLOG messages came out of order: their numbers tell nothing of losses.';
		}

		return this.#missing > 0 ? `${this.#missing} NFLOG messages are missing.` : undefined;
	}
}
