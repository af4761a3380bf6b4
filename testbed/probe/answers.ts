/**
The result of a probe in short: the answer to a line of a batch, and to a probe of the library.
*/

import {
	closingOf, stepsOfPath, stopsOfPath, type LostEnd,
} from '../../src/netfilter/path.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Unsendable} from '../prober/encode.js';
import type {ProbeOutcome} from './prober-sandbox.js';

/** How a probe ended. `delivered`: an actor of the default topology listens where it arrived; `closed`: that actor closes it, because it is the proxy and the destination was the proxy's own port; `refused`: nothing listens there; `unreachable`: the network or the sender's own kernel said so; `nowhere`, `lost` and `answer-dropped`: see {@link LostEnd}. */
export type BatchOutcome = 'delivered' | 'closed' | 'refused' | 'dropped' | 'unreachable' | LostEnd['kind'] | 'unknown' | 'loop' | 'inconclusive';

/** The answer to one probe. If `gaps` is not empty, the outcome is inconclusive and the path is what was seen of it. `unsendable` is present if the kernel sent no packet, and says why. */
export type BatchAnswer = {
	readonly id?: unknown;
	readonly path: readonly string[];
	readonly stops: readonly string[];
	readonly outcome: BatchOutcome;
	readonly unsendable?: Unsendable;
	readonly gaps: readonly Gap[];
};

/** Summarizes what was seen of one probe. `id` is that of the line, or undefined if it has none. */
export function answerOf(id: unknown, {legs, gaps, isLoop, unsendable}: ProbeOutcome): BatchAnswer {
	const path = stepsOfPath({legs});
	const stops = stopsOfPath({legs});
	const outcome = gaps.length > 0 || legs.length === 0 ? 'inconclusive' : (isLoop ? 'loop' : outcomeOf(legs.at(-1)!));
	const ending = unsendable === undefined ? {gaps} : {unsendable, gaps};
	// Without spreads where there are thousands: they take V8 longer than all of the above.
	return id === undefined || unsendable !== undefined
		? {
			...(id === undefined ? {} : {id}), path, stops, outcome, ...ending,
		}
		: {
			id, path, stops, outcome, gaps,
		};
}

function outcomeOf(last: ProbeOutcome['legs'][number]): BatchOutcome {
	const {kind} = last.end;
	return kind === 'accepted' ? (closingOf(last) === undefined ? 'delivered' : 'closed') : kind;
}
