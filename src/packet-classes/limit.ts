/**
A limit on the number of classes: rules that combine many fields can divide packets into more sets than there is time or memory for.
*/

/** Thrown if there are more classes than allowed. */
export class ClassLimitError extends Error {
	override readonly name = 'ClassLimitError';
	readonly limit: number;

	constructor(limit: number) {
		super(`The rules divide the packets into more than ${limit} classes.`);
		this.limit = limit;
	}
}

/** Counts classes against a limit. */
export class Budget {
	readonly #limit: number;
	#used = 0;

	constructor(limit: number) {
		this.#limit = limit;
	}

	/** The final count so far. */
	get used(): number {
		return this.#used;
	}

	/** @throws {ClassLimitError} if this many more would exceed the limit. */
	check(more: number): void {
		if (this.#used + more > this.#limit) {
			throw new ClassLimitError(this.#limit);
		}
	}

	/** Adds to the final count. */
	use(more: number): void {
		this.check(more);
		this.#used += more;
	}
}
