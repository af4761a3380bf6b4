/**
The six types of sidecar traffic that the article treats, and 4b, as probes with expectations.
*/

import type {AddressFamily} from '../netfilter/types.js';
import {expectedPath} from './expectation.js';
import type {PlaceName, Topology} from './topology.js';
import type {
	ActorCredentials, ActorName, Intent, TypeCase, TypeId,
} from './types.js';

/** What a type sends: from whom to which place and port of the topology. */
type TrafficType = {readonly name: string; readonly actor: ActorName; readonly place: PlaceName; readonly port: keyof Topology['ports']};

const types = {
	1: {
		name: 'remote-to-local', actor: 'remote', place: 'pod', port: 'app',
	},
	2: {
		name: 'local-to-remote', actor: 'app', place: 'remote', port: 'remote',
	},
	3: {
		name: 'prometheus-to-local', actor: 'prometheus', place: 'pod', port: 'metrics',
	},
	4: {
		name: 'local-to-local', actor: 'app', place: 'vip', port: 'service',
	},
	'4b': {
		name: 'app-to-own-pod', actor: 'app', place: 'pod', port: 'app',
	},
	5: {
		name: 'within-proxy', actor: 'proxy', place: 'localhost', port: 'metrics',
	},
	6: {
		name: 'sidecar-to-istiod', actor: 'agent', place: 'istiod', port: 'istiod',
	},
} as const satisfies Record<TypeId, TrafficType>;

/** Every type, in the order in which they are run and printed. */
export const typeIds: readonly TypeId[] = ['1', '2', '3', '4', '4b', '5', '6'];

/** The types of a run that names none: the article's six. */
export const defaultTypeIds: readonly TypeId[] = ['1', '2', '3', '4', '5', '6'];

/** The name of a type: `remote-to-local`. */
export function typeName(id: TypeId): string {
	return types[id].name;
}

/** Whether a text names a type. */
export function isTypeId(text: string): text is TypeId {
	return (typeIds as readonly string[]).includes(text);
}

/** The cases of a family, in the order of `ids`. */
export function sixTypes({intent, actors, topology, family, ids}: {
	readonly intent: Intent;
	readonly actors: ActorCredentials;
	readonly topology: Topology;
	readonly family: AddressFamily;
	readonly ids: readonly TypeId[];
}): readonly TypeCase[] {
	return ids.map(id => {
		const {
			name, actor, place, port,
		} = types[id];
		const destination = {address: topology.places[place][family], port: topology.ports[port]};
		const context = {
			intent, actors, topology, family,
		};
		return {
			id,
			article: id === '4b' ? null : id,
			name,
			probe: {
				actor, family, protocol: 'tcp', destination,
			},
			expected: expectedPath(context, {actor, destination}),
		};
	});
}
