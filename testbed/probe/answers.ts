/**
What came of a probe in short: the answer to a line of a batch, and to a probe of the library.
*/

import {stepsOfPath, stopsOfPath} from '../../src/netfilter/path.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Unsendable} from '../prober/encode.js';
import type {ProbeOutcome} from './prober-sandbox.js';

/** How a probe ended. `delivered`: an actor of the default topology listens where it arrived; `refused`: none does; `unreachable`: the network or the sender's own kernel said so. */
export type BatchOutcome = 'delivered' | 'refused' | 'dropped' | 'unreachable' | 'unknown' | 'loop' | 'inconclusive';

/** The answer to one probe. Where `gaps` is not empty, the outcome is inconclusive and the path is what was seen of it. `unsendable` is there where the kernel sent no packet, and says why. */
export type BatchAnswer = {
	readonly id?: unknown;
	readonly path: readonly string[];
	readonly stops: readonly string[];
	readonly outcome: BatchOutcome;
	readonly unsendable?: Unsendable;
	readonly gaps: readonly Gap[];
};

/** Sums up what was seen of one probe. `id` is that of the line, undefined where it has none. */
export function answerOf(id: unknown, {legs, gaps, isLoop, unsendable}: ProbeOutcome): BatchAnswer {
	return {
		...(id === undefined ? {} : {id}),
		path: stepsOfPath({legs}),
		stops: stopsOfPath({legs}),
		outcome: gaps.length > 0 || legs.length === 0 ? 'inconclusive' : (isLoop ? 'loop' : outcomeOf(legs.at(-1)!.end.kind)),
		...(unsendable === undefined ? {} : {unsendable}),
		gaps,
	};
}

function outcomeOf(kind: ProbeOutcome['legs'][number]['end']['kind']): BatchOutcome {
	return kind === 'accepted' ? 'delivered' : kind;
}
