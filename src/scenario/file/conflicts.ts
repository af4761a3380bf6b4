/**
Conflicts between parts of a scenario: ports in one namespace, and addresses of the pod. The kernel would report them in the middle of a run, without naming either part.
*/

import {addressFamilies, podInterfaceOf, type Topology} from '../../mesh/topology.js';
import type {ActorPlan} from '../../mesh/actor-set.js';
import {InputError} from '../../parsing/input-error.js';
import {inputError} from './read.js';
import type {ScenarioFile} from './types.js';

/**
Two actors cannot listen on one port of one namespace, because every listener binds all addresses.

@param actors The actors that run, with the file's changes already applied.
@throws {InputError} at the second listener in the file, naming both actors.
*/
export function refuseSharedPorts({actors: claims}: Pick<ScenarioFile, 'actors'>, actors: readonly ActorPlan[]): void {
	// Those of the default topology come first, so that the error is at a place in the file.
	const placed = actors.flatMap(({name, namespace, listeners}) => {
		const claim = claims.find(one => one.name === name);
		return listeners.map(({protocol, port}, index) => ({name, key: `${namespace} ${protocol} ${port}`, namespace, protocol, port, at: claim === undefined ? undefined : claim.listens?.[index]?.at ?? claim.at}));
	}).toSorted((one, other) => Number(one.at !== undefined) - Number(other.at !== undefined));
	const taken = new Map<string, string>();
	for (const {name, key, namespace, protocol, port, at} of placed) {
		const owner = taken.get(key);
		if (owner !== undefined && at !== undefined) {
			throw inputError(at, owner === name
				? `${name} listens on ${protocol} port ${port} twice`
				: `${name} cannot listen on ${protocol} port ${port}, because ${owner} listens there, in the same namespace (${namespace})`);
		}

		taken.set(key, owner ?? name);
	}
}

/**
The remote namespace answers for places and services, so none of them can have an address of the pod.

@throws {InputError} at the place or service.
*/
export function refusePodAddresses({places, services, interfaces}: Pick<ScenarioFile, 'places' | 'services' | 'interfaces'>, {places: {pod}}: Pick<Topology, 'places'>): void {
	const own = new Map([
		...addressFamilies.map(family => [pod[family], 'the pod'] as const),
		...interfaces.flatMap(({name, addresses}) => addressFamilies.flatMap(family => addresses[family] === undefined ? [] : [[addresses[family].pod, `the pod's interface ${name}`] as const])),
	]);
	const named = [...places.map(place => ({...place, kind: 'place'})), ...services.map(service => ({...service, kind: 'service'}))];
	for (const {kind, name, at, addresses} of named) {
		for (const family of addressFamilies) {
			const address = addresses[family];
			const owner = address === undefined ? undefined : own.get(address);
			if (owner !== undefined) {
				throw inputError(at, `${address!} is the address of ${owner}; the ${kind} "${name}" needs one that the remote namespace can answer for${kind === 'place' && owner === 'the pod' ? ' (the pod itself is called "pod")' : ''}`);
			}
		}
	}
}

/**
A further interface of the pod cannot have the name of its own, which in a live pod can be any.

@throws {InputError}
*/
export function refusePodInterface({interfaces}: Pick<ScenarioFile, 'interfaces'>, topology: Pick<Topology, 'podInterface'>): void {
	const own = podInterfaceOf(topology);
	if (interfaces.some(({name}) => name === own)) {
		throw new InputError(`interfaces: ${own} is the name of the live pod's own interface; give the further one another name`);
	}
}
