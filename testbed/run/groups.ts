/**
Which probes are sent at once.
*/

import type {Probe} from '../../src/mesh/traffic.js';

/** One first packet to send. `id` is unique within its round and family; `label` is its name in gaps. */
export type Sending = {readonly id: string; readonly label: string; readonly probe: Probe};

/** Sends a probe, and resolves when its connection is over. `index`: its place among all. */
export type Send<Result> = (sending: Sending, index: number) => Promise<Result>;

/** How many probes are sent at once (all, if undefined), and what is done after each group. */
export type Groups = {readonly size: number | undefined; readonly drain: () => void};

/** Sends probes in groups; the results are in the order of the probes. */
export async function sendInGroups<Result>(sendings: readonly Sending[], {size, drain}: Groups, send: Send<Result>): Promise<readonly Result[]> {
	const results: Result[] = [];
	for (let first = 0; first < sendings.length; first += size ?? sendings.length) {
		results.push(...await Promise.all(sendings.slice(first, first + (size ?? sendings.length)).map(async (sending, index) => send(sending, first + index)))); // eslint-disable-line no-await-in-loop -- The next group may only follow when this one has left room.
		drain();
	}

	return results;
}
