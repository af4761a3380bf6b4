/**
Long computations on the main thread, which yield to the event loop in between so that signals are handled.
*/

import {performance} from 'node:perf_hooks';
import {setImmediate as turn} from 'node:timers/promises';
import type {Steps} from '../../src/packet-classes/steps.js';

/** How long to compute between yields: what else runs on this thread, such as the installation of rules meanwhile, takes many turns. */
const turnMs = 8;

/**
Runs a computation from `src/`, which has no clock of its own, to its end.

@throws the signal's reason, at the next yield; whatever the computation throws.
*/
export async function inTurns<Result>(steps: Steps<Result>, signal: AbortSignal): Promise<Result> {
	signal.throwIfAborted();
	let since = performance.now();
	for (;;) {
		const {done, value} = steps.next();
		if (done === true) {
			return value;
		}

		if (performance.now() - since >= turnMs) {
			await turn(); // eslint-disable-line no-await-in-loop -- One turn after the other.
			signal.throwIfAborted();
			since = performance.now();
		}
	}
}
