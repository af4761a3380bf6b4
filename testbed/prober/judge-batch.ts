/**
Joins a batch that was sent: one answer per probe, and what the batch shows as a whole, to be compared with the kernel's counts. It runs while the next batch is being sent.
*/

import {setImmediate as turn} from 'node:timers/promises';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import type {JoinedProbe, ProbeJoiner} from '../../src/trace/fast/join-probes.js';
import type {Gap} from '../../src/trace/gap.js';
import {
	decodePlace, lateGap, stateOf, type Place,
} from './batch.js';
import type {CrossCheck, KernelCountsRead} from './cross-check.js';
import type {ProbeAnswer} from './options.js';
import {states} from './protocol.js';

/** A batch that was sent, with its trace and the kernel's counts after it. The indices are those among all requests. */
export type SentBatch = {
	readonly requests: readonly ProbeRequest[];
	readonly indices: readonly number[];
	/** What the senders know of each request. */
	readonly places: readonly Place[];
	readonly rows: Int32Array;
	readonly gaps: readonly Gap[];
	readonly counts: KernelCountsRead;
};

/** The answer to a request. `isSent`: a packet of its own was sent, so what the batch lacks concerns it; if not, and it is not `unsendable`, something was missing that may be there again, such as a free port. `isClash`: as {@link ProbeJoiner} has it. */
export type Judged = {readonly index: number; readonly answer: ProbeAnswer; readonly isSent: boolean; readonly isClash: boolean};

const joinedPerTurn = 1024;

/** Whether a probe of a batch was left out, or is to be sent again because its five-tuple was used before. */
export function isUntried(place: Place): boolean {
	const state = stateOf(place);
	return state === states.unsent || state === states.reused;
}

/** Judges a batch. `gaps` are those of the batch, which concern everything that was sent in it. */
export async function judgeBatch({requests, indices, places, rows, gaps, counts}: SentBatch, {joiner, crossCheck}: {
	readonly joiner: ProbeJoiner; readonly crossCheck: CrossCheck;
}): Promise<{readonly judged: readonly Judged[]; readonly gaps: readonly Gap[]}> {
	await turn(); // First the next batch is handed to the senders.
	const {hits, sentPackets} = joiner.load(rows);
	const owners = new Map<number, string>();
	const seconds = secondsByRow({requests, places}, joiner);
	for (const [row, {isLocal, made}] of seconds) {
		if (isLocal) {
			owners.set(row, crossCheck.nameOfOwner(made));
		}
	}

	const judged: Judged[] = [];
	let position = -1; // Counted, because `entries` makes an array for each.
	for (const request of requests) {
		position++;
		if (position % joinedPerTurn === joinedPerTurn - 1) {
			await turn(); // eslint-disable-line no-await-in-loop -- Lets signals be handled.
		}

		const place = places[position]!;
		if (isUntried(place)) {
			continue;
		}

		const {id} = request;
		const index = indices[position]!;
		const sent = decodePlace(request, place);
		if ('failure' in sent) {
			const {failure, isAnswer} = sent;
			judged.push({index, answer: isAnswer ? {id, leg: undefined, gaps: [], unsendable: failure} : {id, leg: undefined, gaps: [{kind: 'no-end', message: failure.message}]}, isSent: false, isClash: false});
			continue;
		}

		const {leg, gaps: own, rows: found, isClash} = joiner.join(sent.probe, seconds);
		if (sent.probe.isLocal) {
			const owner = crossCheck.nameOfOwner(sent.probe.made);
			for (const row of found) {
				owners.set(row, owner);
			}
		}

		judged.push({index, answer: {id, leg, gaps: leg.end.kind === 'unknown' && !place.side.sent.isDrained ? [...own, lateGap(id)] : own}, isSent: true, isClash});
	}

	return {judged, gaps: [...gaps, ...crossCheck.compare(counts, {hits, owners: owners.values(), strangers: sentPackets - owners.size})]};
}

/** The probes that had the five-tuple of another one, which the kernel gave out again, by the rows of their packets. These show nothing about the first one, and the probes themselves are sent again. */
function secondsByRow({requests, places}: Pick<SentBatch, 'requests' | 'places'>, joiner: ProbeJoiner): ReadonlyMap<number, JoinedProbe> {
	const seconds = new Map<number, JoinedProbe>();
	let position = -1;
	for (const place of places) {
		position++;
		const sent = stateOf(place) === states.reused ? decodePlace(requests[position]!, place) : undefined;
		if (sent !== undefined && 'probe' in sent) {
			for (const row of joiner.rowsOfSecond(sent.probe)) {
				seconds.set(row, sent.probe);
			}
		}
	}

	return seconds;
}
