/**
Whether the actors are who they should be: by /proc for their processes, by the socket match of the trace switch for their sockets.
*/

import type {Company} from '../../src/scenario/company.js';
import type {Credentials} from '../../src/scenario/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Observation} from '../../src/trace/observation.js';
import type {Cast} from './cast.js';

/** The credentials that the kernel has for each actor's process. An actor whose process is gone, or is not one user, is left out. */
export type FoundCredentials = ReadonlyMap<string, Credentials>;

/** Reads them, once for the whole run. */
export function credentialsOf({actors}: Cast): FoundCredentials {
	return new Map([...actors].flatMap(([name, actor]) => {
		const found = actor.credentials();
		return found === undefined ? [] : [[name, found] as const];
	}));
}

function isSame(one: Credentials, other: Credentials | undefined): boolean {
	return one.uid === other?.uid && one.gid === other.gid;
}

function print({uid, gid}: Credentials): string {
	return `uid ${uid} gid ${gid}`;
}

/** Actors that ended before their time, and actors whose process runs as somebody else. */
export function actorGapsOf({actors}: Cast, {asked, found}: {readonly asked: Company; readonly found: FoundCredentials}): readonly Gap[] {
	return [...actors].flatMap(([name, actor]) => {
		if (actor.gap !== undefined) {
			return [actor.gap];
		}

		if (actor.troubles.length > 0) {
			return actor.troubles.map((message): Gap => ({kind: 'no-end', message}));
		}

		const held = found.get(name);
		const due = asked.actors.find(plan => plan.name === name);
		return due === undefined || isSame(due, held)
			? []
			: [{
				kind: 'credentials',
				message: `${name} should run as ${print(due)}; /proc/${actor.pid}/status says ${held === undefined ? 'nothing that is one user' : print(held)}.`,
			} satisfies Gap];
	});
}

/** Sockets of the pod that the kernel saw with another owner than the actor, or with none. */
export function socketGapsOf({path}: Observation, asked: Company): readonly Gap[] {
	// A connection of which no packet was sent has no owner that a packet could show.
	return path.legs.filter(({end, from}) => end.kind !== 'unreachable' || from.port !== 0).flatMap(({actor, socket, from}) => {
		const due = asked.actors.find(({name}) => name === actor);
		return due?.namespace !== 'pod' || isSame(due, socket)
			? []
			: [{
				kind: 'credentials',
				message: `The socket of ${actor} on port ${from.port} should belong to ${print(due)}; the kernel says ${socket === undefined ? 'nothing of it' : print(socket)}.`,
			} satisfies Gap];
	});
}
