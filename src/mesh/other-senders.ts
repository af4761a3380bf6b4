/**
Senders besides the usual actors: users that the rules exempt as the proxy although the proxy of the run has another, and app containers with a user of their own.
*/

import type {AddressFamily} from '../netfilter/types.js';
import type {ActorPlan} from './actor-set.js';
import type {Topology} from './topology.js';
import {destinationOf, type MeshTraffic, type TrafficType} from './traffic-types.js';
import type {
	ActorCredentials, Credentials, Intent, TrafficCase, TypeId,
} from './traffic.js';

/** One of them. `name` is the actor's; `part` is the actor that it replaces in the types. */
export type OtherSender = Credentials & {readonly name: string; readonly part: 'app' | 'proxy'};

/** An app container, with the user from its manifest. */
export type AppContainer = Credentials & {readonly container: string};

/** Every user besides the proxy's own that the rules exempt as the proxy. Under TPROXY the proxy of a run is known by its group alone, so every one of several users is another. Ambient mode's proxy is known by its mark, and has no others. */
export function otherProxies(intent: Intent, {proxy}: Pick<ActorCredentials, 'proxy'>): readonly OtherSender[] {
	const others = intent.proxyUids.length < 2 || intent.ambient !== undefined ? [] : [...new Set(intent.proxyUids)].filter(uid => uid !== proxy.uid);
	return others.map(uid => ({
		name: `proxy-${uid}`, part: 'proxy', uid, gid: intent.proxyGids.includes(uid) ? uid : proxy.gid,
	}));
}

/** The containers whose user is not that of the first, which is the app of a run. */
export function otherApps(containers: readonly AppContainer[], {app}: Pick<ActorCredentials, 'app'>): readonly OtherSender[] {
	return containers.slice(1).filter(({uid, gid}) => uid !== app.uid || gid !== app.gid).map(({container, uid, gid}) => ({
		name: `app-${container}`, part: 'app', uid, gid,
	}));
}

/** They open connections but accept none, so they need no process. */
export function planOf({name, uid, gid}: OtherSender): ActorPlan {
	return {
		name, uid, gid, namespace: 'pod', listeners: [], ownSource: {},
	};
}

/** The context in which the types are run. */
type SendContext = {
	readonly intent: Intent;
	readonly credentials: ActorCredentials;
	readonly topology: Topology;
	readonly family: AddressFamily;
	readonly types: readonly TypeId[];
};

/** What they send: an app sends its types, a proxy what the proxy sends in the pod's own default types. The ids are those of the types with the sender appended: `4/proxy-1338`. */
export function casesOfOther({types: known, expected: expectedPath}: MeshTraffic, {name, part, uid, gid}: OtherSender, {
	intent, credentials, topology, family, types,
}: SendContext): readonly TrafficCase[] {
	const isSent = (type: TrafficType): boolean => types.includes(type.id) && (type.actor === part || (part === 'proxy' && type.actor === 'app' && type.isDefault));
	const sender = {uid, gid};
	const actors: ActorCredentials = part === 'app' ? meantCredentials(intent, {...credentials, app: sender}) : {...credentials, proxy: sender};
	return known.filter(type => isSent(type)).map(({id, name: title, place, port, protocol = 'tcp'}) => {
		const asked = destinationOf({place, port}, topology, family);
		const destination = part === 'proxy' ? endpointOf(topology, family, asked) : asked;
		const legsBy = (who: ActorCredentials) => expectedPath({
			intent, actors: who, topology, family,
		}, {actor: part, destination, protocol}).legs;
		const [first, ...own] = legsBy(actors);
		// The proxy that it reaches opens the next leg as itself: the proxy's listeners run as the first of the proxy's users.
		const legs = part === 'proxy' ? legsBy(credentials).slice(1) : own;
		return {
			id: `${id}/${name}`,
			article: null,
			name: title,
			probe: {
				actor: name, family, protocol, destination,
			},
			expected: {legs: first === undefined ? [] : [{...first, actor: name}, ...legs]},
		};
	});
}

/** The destination of a proxy's connection to a service: its endpoint. */
function endpointOf({services, places, ports}: Topology, family: AddressFamily, asked: {readonly address: string; readonly port: number}): {readonly address: string; readonly port: number} {
	const service = services.find(({name}) => places[name][family] === asked.address);
	return service === undefined ? asked : {address: places[service.endpoint][family], port: service.endpoint === 'pod' ? ports.app : ports.remote};
}

/** The lowest UID of an ordinary user (login.defs(5), UID_MIN). */
const ordinaryIdMin = 1000;

/** The users for expectations: an app should be captured, so one with the proxy's user or group is given other credentials, and is seen to fail. */
export function meantCredentials({proxyUids, proxyGids}: Pick<Intent, 'proxyUids' | 'proxyGids'>, credentials: ActorCredentials): ActorCredentials {
	const {app} = credentials;
	let free = ordinaryIdMin;
	while (proxyUids.includes(free) || proxyGids.includes(free)) {
		free++;
	}

	return {...credentials, app: {uid: proxyUids.includes(app.uid) ? free : app.uid, gid: proxyGids.includes(app.gid) ? free : app.gid}};
}
