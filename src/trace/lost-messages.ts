/**
Lost messages that the kernel does not report itself: NFLOG numbers its messages per socket, so a gap in the numbers is a loss.
*/

import type {TraceEvent} from './decode/event.js';
import type {Gap} from './gap.js';

/** Gaps in the sequence numbers of NFLOG events. If an event has no number, losses would not show, which is a gap too. */
export function lostInSequence(events: readonly TraceEvent[]): readonly Gap[] {
	const sequences = events.flatMap(event => event.source === 'nflog' ? [event.sequence] : []);
	if (sequences.includes(undefined)) {
		return [{kind: 'lost-events', message: 'NFLOG sent events without a sequence number, so losses would not show.'}];
	}

	const numbers = sequences as readonly number[];
	if (numbers.some((number, index) => index > 0 && number <= numbers[index - 1]!)) {
		return [{kind: 'lost-events', message: 'NFLOG messages came out of order, so their numbers do not show losses.'}];
	}

	const missing = numbers.length === 0 ? 0 : numbers.at(-1)! + 1 - numbers.length;
	return missing === 0 ? [] : [{kind: 'lost-events', message: `${missing} NFLOG messages are missing.`}];
}
