/**
Whether this process has anything left to do.
*/

import {performance} from 'node:perf_hooks';
import {setImmediate as turn} from 'node:timers/promises';

/** Whether the event loop of a Node counts its events: 22.0 to 22.7 do not (uvMetricsInfo came with 20.18 and 22.8). The actors' processes run on the same Node. */
export function countsEvents(timing: object = performance.nodeTiming): boolean {
	return 'uvMetricsInfo' in timing;
}

/**
Resolves once a whole turn of the event loop found no descriptor ready. Everything that had arrived when this was called is then handled, with all that follows from it in this process, except for what it waits for by a timer. However slow the process is, it is not idle before.
*/
export async function untilIdle(): Promise<void> {
	for (;;) {
		// The rest of the current turn, whose events may be known already.
		await turn(); // eslint-disable-line no-await-in-loop -- One turn after the other.
		const before = eventCount();
		await turn(); // eslint-disable-line no-await-in-loop -- As above.
		if (eventCount() === before) {
			return;
		}
	}
}

/** How many events the loop has handled so far: each descriptor that a poll found ready is one (uv_metrics_info(3)). */
function eventCount(): number {
	return performance.nodeTiming.uvMetricsInfo.events;
}
