/**
Istio's traffic: the article's six types of sidecar traffic, and 4b, as probes with expectations.
*/

import type {PublishedTypeId} from '../../mesh/published.js';
import {
	defaultTypesOf, trafficCases, typeIdsOf, typeOf, type MeshTraffic, type TrafficType,
} from '../../mesh/traffic-types.js';
import type {Intent, TypeCase} from '../../mesh/traffic.js';
import {istioActors} from './actors.js';
import {expectedPath} from './expectation.js';

/** Istio's types of traffic with their actors and expected paths. `remote` also stands for the world behind a service address. */
export const istioTraffic: MeshTraffic = {
	types: [
		{
			id: '1', name: 'remote-to-local', isDefault: true, article: '1', actor: 'remote', place: 'pod', port: 'app', others: ['remote'],
		},
		{
			id: '2', name: 'local-to-remote', isDefault: true, article: '2', actor: 'app', place: 'remote', port: 'remote', others: ['remote'],
		},
		{
			id: '3', name: 'prometheus-to-local', isDefault: true, article: '3', actor: 'prometheus', place: 'pod', port: 'metrics', others: ['prometheus'], further: scrapesOf,
		},
		{
			id: '4', name: 'local-to-local', isDefault: true, article: '4', actor: 'app', place: 'vip', port: 'service', others: ['remote'],
		},
		{
			id: '4b', name: 'app-to-own-pod', isDefault: false, article: null, actor: 'app', place: 'pod', port: 'app', others: [], legend: 'the app calling its own pod',
		},
		{
			id: '5', name: 'within-proxy', isDefault: true, article: '5', actor: 'proxy', place: 'localhost', port: 'metrics', others: [],
		},
		{
			id: '6', name: 'sidecar-to-istiod', isDefault: true, article: '6', actor: 'agent', place: 'istiod', port: 'istiod', others: ['agent', 'istiod'],
		},
	],
	actors: istioActors,
	expected: expectedPath,
};

/** A scrape of each additional port: type 3 with another port. */
function scrapesOf({scrapes = []}: Intent): readonly TrafficType[] {
	return scrapes.map(({port, name, asks}) => ({
		id: `3/${port}`, name, isDefault: false, article: null, actor: 'prometheus', place: 'pod', port, others: asks === 'agent' ? ['prometheus', 'agent'] : ['prometheus'],
	}));
}

/** The article's six types, and `4b` (app → its own pod's address). */
export type IstioTypeId = PublishedTypeId | '4b';

/** Every type, in the order in which they are run and printed. */
export const typeIds = typeIdsOf(istioTraffic) as readonly IstioTypeId[];

/** The default types: the article's six. */
export const defaultTypeIds = defaultTypesOf(istioTraffic) as readonly IstioTypeId[];

/** The name of a type: `remote-to-local`. */
export function typeName(id: IstioTypeId): string {
	return typeOf(istioTraffic, id).name;
}

/** Whether a text names a type. */
export function isTypeId(text: string): text is IstioTypeId {
	return (typeIds as readonly string[]).includes(text);
}

/** The cases of a family, in the order of `ids`. */
export function sixTypes(context: Parameters<typeof trafficCases>[1]): readonly TypeCase[] {
	return trafficCases(istioTraffic, context);
}
