/**
Whether the actors are who they should be: by /proc for their processes, by the owner that the kernel wrote on the sockets that were opened for them, by the socket match of the trace switch for all sockets of the pod.
*/

import type {Credentials} from '../../src/scenario/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Observation} from '../../src/trace/observation.js';
import type {ActorGroup} from '../actors/actor-group.js';
import type {ActorEvidence} from './evidence.js';

/** The credentials that the kernel has for each actor's process, or for the sockets of an actor that has none. An actor whose process is gone, or is not one user, is left out. */
export type FoundCredentials = ReadonlyMap<string, Credentials>;

/** What there is to be said of each actor; read once for the whole run. */
export function evidenceOf({actors, actorSet}: ActorGroup): readonly ActorEvidence[] {
	return actorSet.actors.map(({name, namespace, uid, gid}) => {
		const actor = actors.get(name)!;
		return {
			name, namespace, asked: {uid, gid}, pid: actor.pid, found: actor.credentials(), made: actor.made, ended: actor.gap?.message, troubles: [...actor.troubles],
		};
	});
}

/** The credentials that were found. */
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

/** Actors that ended before their time, and actors whose process runs as somebody else. */
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
					message: `${name} should run as ${print(asked)}; /proc/${pid}/status says ${found === undefined ? 'nothing that is one user' : print(found)}.`,
				} satisfies Gap]),
			...(made === undefined || isSame(asked, made)
				? []
				: [{kind: 'credentials', message: `The sockets of ${name} should be made as ${print(asked)}; the kernel made them as ${print(made)}.`} satisfies Gap]),
		];
	});
}

/** Sockets of the pod that the kernel saw with another owner than the actor, or with none; and sockets of which nobody can say as whom they were made. */
export function socketGapsOf({path}: Observation, actors: readonly ActorEvidence[]): readonly Gap[] {
	const unknown = actors.filter(({name, pid, made}) => pid === undefined && made === undefined && path.legs.some(({actor, end, from}) => actor === name && (end.kind !== 'unreachable' || from.port !== 0)));
	return [
		...unknown.map(({name}): Gap => ({kind: 'credentials', message: `As whom the sockets of ${name} were made is not known.`})),
		...ownerGapsOf(path, actors),
	];
}

function ownerGapsOf(path: Observation['path'], actors: readonly ActorEvidence[]): readonly Gap[] {
	// A connection of which no packet was sent has no owner that a packet could show.
	return path.legs.filter(({end, from}) => end.kind !== 'unreachable' || from.port !== 0).flatMap(({actor, socket, from}) => {
		const wanted = actors.find(({name}) => name === actor);
		return wanted?.namespace !== 'pod' || isSame(wanted.asked, socket)
			? []
			: [{
				kind: 'credentials',
				message: `The socket of ${actor} on port ${from.port} should belong to ${print(wanted.asked)}; the kernel says ${socket === undefined ? 'nothing of it' : print(socket)}.`,
			} satisfies Gap];
	});
}
