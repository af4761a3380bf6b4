/**
A user's connection in the form that a run sends and judges.
*/

import {
	livesInPod, type ActorPlan, type ActorSet,
} from '../mesh/actor-set.js';
import {needsDns} from '../mesh/dns-listeners.js';
import type {Mesh} from '../mesh/mesh.js';
import {meantCredentials} from '../mesh/other-senders.js';
import {defaultTopology} from '../mesh/topology.js';
import type {
	ActorCredentials, ActorName, Credentials, Intent, TrafficCase,
} from '../mesh/traffic.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {ProbeSpec} from '../scenario/probe-spec.js';
import {readProbe} from '../scenario/read-probe.js';
import type {Question} from './protocol.js';

/** All actors that can send or listen in a workshop. */
const names: readonly ActorName[] = ['proxy', 'app', 'remote', 'agent', 'istiod', 'prometheus'];

/** The meaning of the rules, and the actors. */
export type PlanContext = {readonly mesh: Mesh; readonly intent: Intent; readonly credentials: ActorCredentials};

/** A connection ready to be sent. */
export type PlannedConnection = {
	readonly spec: ProbeSpec;
	readonly traffic: TrafficCase;
	/** Present if its sender is not one of the usual actors, because it has a user of its own. */
	readonly sender: ActorPlan | undefined;
	readonly needsDns: boolean;
	/** Whether there is a listener where the intent leads it, so that its expectation can be compared. */
	readonly hasExpectation: boolean;
};

/** All actors of a workshop. With DNS there is a name server as well. */
export function standingActors({mesh: {traffic}, intent, credentials, withDns}: PlanContext & {readonly withDns: boolean}): ActorSet {
	return traffic.actors({
		topology: defaultTopology, intent, names, credentials, withDns,
	});
}

/**
Reads a connection, and its expectation by the intent.

@throws {ProbeFault} for an invalid destination, or one of the other family.
*/
export function planConnection({from, to, protocol = 'tcp', uid, gid}: Extract<Question, {kind: 'connection'}>, family: AddressFamily, context: PlanContext): PlannedConnection {
	const {mesh, intent, credentials} = context;
	const spec = readProbe({
		from, to, proto: protocol, family, ...(uid === undefined ? {} : {uid}), ...(gid === undefined ? {} : {gid}),
	});
	const own: Credentials = credentials[from];
	const owner: Credentials = {uid: uid ?? own.uid, gid: gid ?? uid ?? own.gid};
	const isUsual = owner.uid === own.uid && owner.gid === own.gid;
	const actor = isUsual ? from : nameOf(from, owner);
	const withDns = needsDns({protocol, to: spec.to}, {
		mesh, intent, credentials, topology: defaultTopology,
	});
	const expected = mesh.traffic.expected({
		intent, actors: {...meantCredentials(intent, credentials), [from]: owner}, topology: defaultTopology, family,
	}, {actor: from, destination: spec.to, protocol});
	const [first, ...rest] = expected.legs;
	const last = expected.legs.at(-1)?.stop;
	return {
		spec,
		traffic: {
			id: 'connection',
			article: null,
			name: `${actor} to ${spec.asked}`,
			probe: {
				actor, family, protocol, destination: spec.to,
			},
			expected: {...expected, legs: first === undefined ? [] : [{...first, actor}, ...rest]},
		},
		sender: isUsual
			? undefined
			: {
				name: actor, ...owner, namespace: livesInPod[from] ? 'pod' : 'remote', listeners: [], ownSource: from === 'prometheus' ? defaultTopology.places.prometheus : {},
			},
		needsDns: withDns,
		hasExpectation: last !== undefined && stopsOf(standingActors({...context, withDns})).has(last),
	};
}

/** `app-1337`, the name of an actor besides the usual ones; with its group if that is another number. */
function nameOf(from: ActorName, {uid, gid}: Credentials): string {
	return `${from}-${uid}${gid === uid ? '' : `-${gid}`}`;
}

function stopsOf({actors}: ActorSet): ReadonlySet<string> {
	return new Set(actors.flatMap(({listeners}) => listeners.flatMap(({stop, stopsByAddress = {}}) => [stop, ...Object.values(stopsByAddress)])));
}
