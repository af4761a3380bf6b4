/**
Probes whose users do not exist in this process's user namespace: they are not sent, and stay open.
*/

import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import {missingUser} from '../rootless/mapped-ids.js';
import {ownIdMaps} from '../syscalls/id-maps.js';
import type {ProbeAnswer} from './options.js';

/** The indices of the probes that can be sent. Those that cannot get an answer with a gap. */
export function sendableOf(batch: readonly ProbeRequest[], answers: ProbeAnswer[], maps = ownIdMaps()): readonly number[] {
	if (maps.isInitial) {
		return [...batch.keys()];
	}

	return [...batch.entries()].flatMap(([index, {id, actor, from, uid, gid}]) => {
		const why = missingUser({name: actor ?? from, uid, gid}, maps);
		if (why === undefined) {
			return [index];
		}

		answers[index] = {id, leg: undefined, gaps: [{kind: 'credentials', message: `Probe ${id} was not sent: ${why}`}]};
		return [];
	});
}
