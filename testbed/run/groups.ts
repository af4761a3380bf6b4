/**
Which probes are sent at once.
*/

import type {Probe} from '../../src/mesh/traffic.js';

/** One first packet to send. `id` is unique within its round and family; `label` is its name in gaps. */
export type Sending = {readonly id: string; readonly label: string; readonly probe: Probe};

/** Sends a probe, and resolves when its connection is over. `index`: its place among all; `othersAreOver`: only for a probe that is bound to a device, resolves once all others of its group that are not are over. */
export type Send<Result> = (sending: Sending, place: {readonly index: number; readonly othersAreOver: Promise<void> | undefined}) => Promise<Result>;

/** How many probes are sent at once (all, if undefined), and what is done after each group. */
export type Groups = {readonly size: number | undefined; readonly drain: () => void};

/** Sends probes in groups; the results are in the order of the probes. */
export async function sendInGroups<Result>(sendings: readonly Sending[], {size, drain}: Groups, send: Send<Result>): Promise<readonly Result[]> {
	const results: Result[] = [];
	for (let first = 0; first < sendings.length; first += size ?? sendings.length) {
		results.push(...await sendTogether(sendings.slice(first, first + (size ?? sendings.length)), async (sending, {index, othersAreOver}) => send(sending, {index: first + index, othersAreOver}))); // eslint-disable-line no-await-in-loop -- The next group may only follow when this one has left room.
		drain();
	}

	return results;
}

/** Sends in the given order, and tells the bound ones when all others are over; without others there is nothing to tell. */
async function sendTogether<Result>(group: readonly Sending[], send: Send<Result>): Promise<readonly Result[]> {
	let left = group.filter(sending => !isBound(sending)).length;
	let tell: (() => void) | undefined;
	const othersAreOver = left === 0
		? undefined
		: new Promise<void>(resolve => {
			tell = resolve;
		});
	return Promise.all(group.map(async (sending, index) => {
		if (isBound(sending)) {
			return send(sending, {index, othersAreOver});
		}

		const result = await send(sending, {index, othersAreOver: undefined});
		left--;
		if (left === 0) {
			tell?.();
		}

		return result;
	}));
}

function isBound({probe: {bindDevice}}: Sending): boolean {
	return bindDevice !== undefined;
}
