/**
How often somebody may ask: a bucket that fills by itself and from which each request takes one.
*/

/** So much fits in, and so much comes back in a second. */
export type Rate = {readonly burst: number; readonly perSecond: number};

/** Buckets by key, of which only those are kept that are not full. `now` is a clock in milliseconds. */
export class RateLimit {
	readonly #rate: Rate;
	readonly #now: () => number;
	readonly #buckets = new Map<string, {left: number; at: number}>();

	constructor(rate: Rate, now: () => number = () => performance.now()) {
		this.#rate = rate;
		this.#now = now;
	}

	/** Takes one; false where nothing is left. */
	take(key: string): boolean {
		const {burst, perSecond} = this.#rate;
		const now = this.#now();
		const bucket = this.#buckets.get(key) ?? {left: burst, at: now};
		const left = Math.min(burst, bucket.left + ((now - bucket.at) * perSecond / 1000));
		if (this.#buckets.size > 1000) {
			this.#forget(now);
		}

		this.#buckets.set(key, {left: left < 1 ? left : left - 1, at: now});
		return left >= 1;
	}

	/** Drops the buckets that have filled again. */
	#forget(now: number): void {
		const {burst, perSecond} = this.#rate;
		for (const [key, {left, at}] of this.#buckets) {
			if (left + ((now - at) * perSecond / 1000) >= burst) {
				this.#buckets.delete(key);
			}
		}
	}
}
