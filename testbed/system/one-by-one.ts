/**
A queue for what must not run at the same time, such as calls that share one sandbox.
*/

/** Runs one call after the other, even if one fails. */
export class OneByOne {
	#last: Promise<unknown> = Promise.resolve();

	/**
	Runs a call once those before it have ended.

	@throws what `act` throws.
	*/
	async run<Result>(act: () => Promise<Result>): Promise<Result> {
		const before = this.#last;
		const call = (async () => {
			await before;
			return act();
		})();
		this.#last = Promise.allSettled([call]);
		return call;
	}

	/** Resolves when all calls so far have ended. */
	async ended(): Promise<void> {
		await this.#last;
	}
}
