/**
Checks the users of actors: in /proc for their processes, by the owner that the kernel recorded for the sockets opened for them, and by the owners that the trace table recorded for all sockets of the pod.
*/

import type {Credentials} from '../../src/mesh/traffic.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Observation} from '../../src/trace/observation.js';
import type {ActorGroup} from '../actors/actor-group.js';
import type {ActorEvidence} from './evidence.js';

/** The credentials that the kernel reports for each actor's process, or for the sockets of an actor without a process. Actors whose process is gone or has mixed credentials are left out. */
export type FoundCredentials = ReadonlyMap<string, Credentials>;

/** The evidence about each actor, read once for the whole run. */
export function evidenceOf({actors, actorSet}: ActorGroup): readonly ActorEvidence[] {
	return actorSet.actors.map(({name, namespace, uid, gid}) => {
		const actor = actors.get(name)!;
		return {
			name, namespace, asked: {uid, gid}, pid: actor.pid, found: actor.credentials(), made: actor.made, ended: actor.gap?.message, troubles: [...actor.troubles],
		};
	});
}

/** The credentials in the evidence. */
export function credentialsIn(actors: readonly ActorEvidence[]): FoundCredentials {
	return new Map(actors.flatMap(({name, pid, found, made}) => {
		const known = pid === undefined ? made : found;
		return known === undefined ? [] : [[name, known] as const];
	}));
}

function isSame(one: Credentials, other: Credentials | undefined): boolean {
	return one.uid === other?.uid && one.gid === other.gid;
}

function print({uid, gid}: Credentials): string {
	return `uid ${uid} gid ${gid}`;
}

/** Gaps for actors that ended early, had problems, or run as another user. */
export function actorGapsOf(actors: readonly ActorEvidence[]): readonly Gap[] {
	return actors.flatMap(({name, asked, pid, found, made, ended, troubles}): readonly Gap[] => {
		if (ended !== undefined) {
			return [{kind: 'actor-ended', message: ended}];
		}

		if (troubles.length > 0) {
			return troubles.map(message => ({kind: 'no-end', message}));
		}

		return [
			...(pid === undefined || isSame(asked, found)
				? []
				: [{
					kind: 'credentials',
					message: `${name} should run as ${print(asked)}, but /proc/${pid}/status shows ${found === undefined ? 'no single user' : print(found)}.`,
				} satisfies Gap]),
			...(made === undefined || isSame(asked, made)
				? []
				: [{kind: 'credentials', message: `The sockets of ${name} should belong to ${print(asked)}, but the kernel created them as ${print(made)}.`} satisfies Gap]),
		];
	});
}

/** Gaps for sockets of the pod that the kernel saw with a different owner than the actor or without one, and for sockets whose owner is unknown. */
export function socketGapsOf({path}: Observation, actors: readonly ActorEvidence[]): readonly Gap[] {
	const unknown = actors.filter(({name, pid, made}) => pid === undefined && made === undefined && path.legs.some(({actor, end, from}) => actor === name && (end.kind !== 'unreachable' || from.port !== 0)));
	return [
		...unknown.map(({name}): Gap => ({kind: 'credentials', message: `The owner of the sockets of ${name} is unknown.`})),
		...ownerGapsOf(path, actors),
	];
}

function ownerGapsOf(path: Observation['path'], actors: readonly ActorEvidence[]): readonly Gap[] {
	// A connection without a sent packet has no owner that a packet could show.
	return path.legs.filter(({end, from}) => end.kind !== 'unreachable' || from.port !== 0).flatMap(({actor, socket, from}) => {
		const wanted = actors.find(({name}) => name === actor);
		return wanted?.namespace !== 'pod' || isSame(wanted.asked, socket)
			? []
			: [{
				kind: 'credentials',
				message: `The socket of ${actor} on port ${from.port} should belong to ${print(wanted.asked)}, but the kernel shows ${socket === undefined ? 'no owner' : print(socket)}.`,
			} satisfies Gap];
	});
}
