/**
The types of traffic that a mesh's rules are tested with, as data: who sends what, who else takes part, and which of them run by default.
*/

import type {AddressFamily} from '../netfilter/types.js';
import type {ActorRequest, ActorSet} from './actor-set.js';
import type {PublishedTypeId} from './published.js';
import type {PlaceName, Topology} from './topology.js';
import type {
	ActorCredentials, ActorName, Connection, ExpectationContext, ExpectedRolePath, Intent, TypeCase, TypeId,
} from './traffic.js';

/** One type: from an actor to a place and port of the topology. */
export type TrafficType = {
	readonly id: TypeId;
	/** `remote-to-local`. */
	readonly name: string;
	/** Whether a run that names no type includes it. */
	readonly isDefault: boolean;
	/** The corresponding published type, if there is one. */
	readonly article: PublishedTypeId | null;
	readonly actor: ActorName;
	readonly place: PlaceName | 'resolver';
	/** A port of the topology, or one of the mesh's own. */
	readonly port: keyof Topology['ports'] | number;
	/** TCP by default. */
	readonly protocol?: 'tcp' | 'udp';
	/** The actors that take part besides the proxy and the app, which always run. */
	readonly others: readonly ActorName[];
	/** Whether the name server takes part. */
	readonly withDns?: boolean;
	/** Types that go with this one where an intent calls for them, such as a scrape of each further port. A run that takes this type takes them too. */
	readonly further?: (intent: Intent) => readonly TrafficType[];
	/** A description, if its name needs one: "the app calling its own pod". */
	readonly legend?: string;
};

/** The traffic of a mesh. */
export type MeshTraffic = {
	/** Every type, in the order in which they are run and printed. */
	readonly types: readonly TrafficType[];
	/** The named actors of the default topology, with their listeners. */
	readonly actors: (request: ActorRequest) => ActorSet;
	/** The expected path of a connection by the intent, leg by leg. It uses the intent, not the rules under test. */
	readonly expected: (context: ExpectationContext, connection: Pick<Connection, 'actor' | 'destination' | 'protocol'>) => ExpectedRolePath;
};

/** The ids of all types, in order. */
export function typeIdsOf({types}: Pick<MeshTraffic, 'types'>): readonly TypeId[] {
	return types.map(({id}) => id);
}

/** The types of a run that names none. */
export function defaultTypesOf({types}: Pick<MeshTraffic, 'types'>): readonly TypeId[] {
	return types.filter(({isDefault}) => isDefault).map(({id}) => id);
}

/**
One type by its id.

@throws {RangeError} for an id that the mesh does not have.
*/
export function typeOf({types}: Pick<MeshTraffic, 'types'>, id: TypeId): TrafficType {
	const found = types.find(type => type.id === id);
	if (found === undefined) {
		throw new RangeError(`there is no type ${id} of traffic: choose from ${types.map(type => type.id).join(', ')}`);
	}

	return found;
}

/** Types by their ids, each with those that go with it under an intent. */
function typesFor(traffic: MeshTraffic, intent: Intent, ids: readonly TypeId[]): readonly TrafficType[] {
	return ids.map(id => typeOf(traffic, id)).flatMap(type => [type, ...type.further?.(intent) ?? []]);
}

/**
The actors that types need under an intent, in the order in which they are started.

@throws {RangeError} for an id that the mesh does not have.
*/
export function actorsFor(traffic: MeshTraffic, intent: Intent, ids: readonly TypeId[]): readonly ActorName[] {
	return [...new Set<ActorName>(['proxy', 'app', ...typesFor(traffic, intent, ids).flatMap(({others}) => others)])];
}

/**
Whether one of the types asks the name server.

@throws {RangeError} for an id that the mesh does not have.
*/
export function asksDns(traffic: MeshTraffic, ids: readonly TypeId[]): boolean {
	return ids.some(id => typeOf(traffic, id).withDns === true);
}

/** The destination of a type. */
export function destinationOf({place, port}: Pick<TrafficType, 'place' | 'port'>, {places, resolver, ports}: Topology, family: AddressFamily): {readonly address: string; readonly port: number} {
	return {
		address: (place === 'resolver' ? resolver : places[place])[family],
		port: typeof port === 'number' ? port : ports[port],
	};
}

/**
The cases of a family, in the order of `ids`, each type with those that go with it.

@throws {RangeError} for an id that the mesh does not have.
*/
export function trafficCases(traffic: MeshTraffic, {intent, actors, topology, family, ids}: {
	readonly intent: Intent;
	readonly actors: ActorCredentials;
	readonly topology: Topology;
	readonly family: AddressFamily;
	readonly ids: readonly TypeId[];
}): readonly TypeCase[] {
	return typesFor(traffic, intent, ids).map(({id, name, article, actor, place, port, protocol = 'tcp'}) => {
		const destination = destinationOf({place, port}, topology, family);
		const context = {
			intent, actors, topology, family,
		};
		return {
			id,
			article,
			name,
			probe: {
				actor, family, protocol, destination,
			},
			expected: traffic.expected(context, {actor, destination, protocol}),
		};
	});
}
