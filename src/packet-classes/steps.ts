/**
Long computations that can pause. This room has no clock: a computation is a generator that yields every so often, and the caller decides what happens in between.
*/

/** A running computation: at each `yield` it can wait, or be abandoned. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Runs a computation to its end without a pause. */
export function finish<Result>(steps: Steps<Result>): Result {
	for (;;) {
		const {done, value} = steps.next();
		if (done === true) {
			return value;
		}
	}
}
