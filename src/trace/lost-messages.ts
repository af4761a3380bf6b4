/**
Lost messages that the kernel does not report by itself: NFLOG counts its messages per socket, so a hole in the count is a loss.
*/

import type {TraceEvent} from './decode/event.js';
import type {Gap} from './gap.js';

/** Holes in the sequence numbers of NFLOG events. An event without a number cannot be told lost from not sent, which is a gap too. */
export function lostInSequence(events: readonly TraceEvent[]): readonly Gap[] {
	const sequences = events.flatMap(event => event.source === 'nflog' ? [event.sequence] : []);
	if (sequences.includes(undefined)) {
		return [{kind: 'lost-events', message: 'NFLOG sent events without a sequence number, so losses would not show.'}];
	}

	const numbers = sequences as readonly number[];
	if (numbers.some((number, index) => index > 0 && number <= numbers[index - 1]!)) {
		return [{kind: 'lost-events', message: 'NFLOG messages came out of order: their numbers tell nothing of losses.'}];
	}

	const missing = numbers.length === 0 ? 0 : numbers.at(-1)! + 1 - numbers.length;
	return missing === 0 ? [] : [{kind: 'lost-events', message: `${missing} NFLOG messages are missing.`}];
}
