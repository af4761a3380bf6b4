/**
A scenario file, for rules whose intent is known → who plays, in which world, and the cases with their expectations. Names become addresses here.
*/

import {nearest} from '../../parsing/did-you-mean.js';
import type {Text} from '../../parsing/document.js';
import {familyOfAddress} from '../../netfilter/address.js';
import type {Endpoint} from '../../netfilter/path.js';
import type {AddressFamily} from '../../netfilter/types.js';
import {
	capturingListeners, defaultActors, type ActorPlan, type ActorSet, type ListenerPlan,
} from '../actor-set.js';
import {livesInPod} from '../expectation.js';
import type {TopologyExtension} from '../topology-extension.js';
import {addressFamilies, type AddressPair, type Topology} from '../topology.js';
import type {
	ActorCredentials, ActorName, ExpectedLeg, ExpectedPath, Intent, Probe, TrafficCase,
} from '../types.js';
import {inputError, meaning} from './read.js';
import type {
	ActorClaim, Addresses, Claim, ListenerClaim, ProbeClaim, ScenarioFile,
} from './types.js';

/** What a file comes to with one set of rules. */
export type ScenarioPlan = {readonly cases: readonly TrafficCase[]; readonly actorSet: ActorSet; readonly extension: TopologyExtension};

type ScenarioContext = {readonly file: ScenarioFile; readonly intent: Intent; readonly topology: Topology};

const usualNames = Object.keys(livesInPod) as readonly ActorName[];

/**
Plans a file. `credentials` are those of the usual actors; what the file says goes before them.

@throws {InputError} for names that nobody has, with their place in the file.
*/
export function planScenario({file, intent, topology, credentials}: ScenarioContext & {readonly credentials: ActorCredentials}): ScenarioPlan {
	const context: ScenarioContext = {file, intent, topology};
	const actorSet = planActors(context, credentials);
	const cases = file.probes.flatMap((probe, index) => familiesOf(context, probe).map(family => planCase({
		context, actorSet, probe, family, id: String(index + 1),
	})));
	return {
		cases,
		actorSet: {...actorSet, actors: actorSet.actors.filter(({name}) => isNeeded(name, context, cases))},
		extension: {
			remoteAddresses: [...file.places, ...file.services].flatMap(({addresses}) => addressFamilies.flatMap(family => addresses[family] ?? [])),
			interfaces: file.interfaces,
		},
	};
}

/** The proxy, the app and the world outside always play; of the others those that the file speaks of. */
function isNeeded(name: string, {file}: ScenarioContext, cases: readonly TrafficCase[]): boolean {
	return ['proxy', 'app', 'remote'].includes(name)
		|| file.actors.some(actor => actor.name === name)
		|| cases.some(({probe, expected}) => probe.actor === name || expected.legs.some(({stop}) => stop.startsWith(`${name}:`)));
}

function planActors(context: ScenarioContext, credentials: ActorCredentials): ActorSet {
	const {file: {actors, services}, intent, topology} = context;
	const usual = defaultActors({
		topology, intent, names: usualNames, credentials,
	});
	const proxy = actors.find(({name}) => name === 'proxy');
	// The agent runs in the proxy's container, as its user, unless the file says otherwise.
	const asProxy = proxy?.uid === undefined ? {} : {uid: proxy.uid, gid: proxy.gid ?? proxy.uid};
	return {
		actors: [
			...usual.actors.map(plan => planActor(context, plan.name === 'agent' ? {...plan, ...asProxy} : plan, actors.find(({name}) => name === plan.name))),
			...actors.filter(({name}) => !(usualNames as readonly string[]).includes(name)).map(claim => planActor(context, {
				name: claim.name, uid: 0, gid: 0, namespace: 'pod', listeners: [], ownSource: {},
			}, claim)),
		].map(plan => plan.namespace === 'remote' ? nameServices(context, plan) : plan),
		services: {
			...usual.services,
			...Object.fromEntries(services.flatMap(({addresses, port, endpoint}) => addressFamilies.flatMap((family): ReadonlyArray<readonly [string, Endpoint]> => {
				const address = addresses[family];
				const to = addressOfPlace(context, endpoint.host, family);
				if (address === undefined) {
					return [];
				}

				if (to === undefined) {
					throw unknownPlace(context, {value: endpoint.host, at: endpoint.at}, family);
				}

				return [[`${address} ${port}`, {address: to, port: endpoint.port}]];
			}))),
		},
	};
}

/** What the file says of an actor in place of what it would be. */
function planActor(context: ScenarioContext, plan: ActorPlan, claim: ActorClaim | undefined): ActorPlan {
	if (claim === undefined) {
		return plan;
	}

	const {name, uid, gid, namespace, listens, source} = claim;
	const known = ['pod', 'remote', ...context.file.interfaces.map(one => one.namespace)];
	if (namespace !== undefined && !known.includes(namespace.value)) {
		throw inputError(namespace.at, `"${namespace.value}" is no namespace of this scenario${meaning(namespace.value, known)}`);
	}

	return {
		name,
		uid: uid ?? plan.uid,
		gid: gid ?? uid ?? plan.gid,
		namespace: namespace?.value ?? plan.namespace,
		listeners: listens === undefined ? plan.listeners : listens.map(listener => planListener(context, name, listener)),
		ownSource: source === undefined ? plan.ownSource : pairOf(context, source),
	};
}

function planListener(context: ScenarioContext, actor: string, claim: ListenerClaim): ListenerPlan {
	if (claim.kind !== 'port') {
		return capturingListeners(context.intent)[claim.kind];
	}

	const {protocol, port, forward} = claim;
	return {
		protocol,
		port,
		duty: forward === undefined ? 'answer' : 'forward',
		stop: `${actor}:${port}`,
		...(forward === undefined ? {} : {forwardTo: {addresses: wholePairOf(context, {value: forward.host, at: forward.at}), port: forward.port}}),
	};
}

/** Who reaches a service's own address in the remote namespace was not carried on by the proxy; the stop says so. */
function nameServices({file, topology}: ScenarioContext, plan: ActorPlan): ActorPlan {
	const services: ReadonlyArray<{readonly name: string; readonly addresses: Addresses; readonly port: number}> = [
		...topology.services.map(({name}) => ({name, addresses: topology.places[name], port: topology.ports.service})),
		...file.services,
	];
	return {
		...plan,
		listeners: plan.listeners.map(listener => ({
			...listener,
			stopsByAddress: Object.fromEntries(services.filter(({port}) => port === listener.port).flatMap(({name, addresses}) => addressFamilies.flatMap((family): ReadonlyArray<readonly [string, string]> => addresses[family] === undefined ? [] : [[addresses[family], `${name}:${listener.port}`]]))),
		})),
	};
}

/** All names that can stand for an address. */
function placesOf({file, topology}: ScenarioContext): Readonly<Record<string, Addresses>> {
	const link = (side: 'pod' | 'peer', {addresses}: ScenarioFile['interfaces'][number]): Addresses => Object.fromEntries(addressFamilies.flatMap(family => addresses[family] === undefined ? [] : [[family, addresses[family][side]]]));
	return {
		...topology.places,
		resolver: topology.resolver,
		passthrough: topology.passthroughSource,
		...Object.fromEntries(file.interfaces.flatMap((one): ReadonlyArray<readonly [string, Addresses]> => [[one.name, link('pod', one)], ...(one.namespace === 'remote' ? [] : [[one.namespace, link('peer', one)] as const])])),
		...Object.fromEntries([...file.places, ...file.services].map(({name, addresses}) => [name, addresses])),
	};
}

/** The address of a place, or of an address itself, in one family. */
function addressOfPlace(context: ScenarioContext, name: string, family: AddressFamily): string | undefined {
	const own = familyOfAddress(name);
	return own === undefined ? placesOf(context)[name]?.[family] : (own === family ? name : undefined);
}

function unknownPlace(context: ScenarioContext, {value, at}: Text, family?: AddressFamily): Error {
	const places = placesOf(context);
	return value in places || familyOfAddress(value) !== undefined
		? inputError(at, `"${value}" has no address of ${family ?? 'any family that is run'}`)
		: inputError(at, `"${value}" is no address and no place of this scenario${meaning(value, Object.keys(places))}`);
}

function pairOf(context: ScenarioContext, name: Text): Addresses {
	const pair = Object.fromEntries(addressFamilies.flatMap(family => {
		const address = addressOfPlace(context, name.value, family);
		return address === undefined ? [] : [[family, address]];
	}));
	if (Object.keys(pair).length === 0) {
		throw unknownPlace(context, name);
	}

	return pair;
}

/** Both addresses; a place of one family stands for both, for nobody of the other will come to it. */
function wholePairOf(context: ScenarioContext, name: Text): AddressPair {
	const {ipv4, ipv6} = pairOf(context, name);
	return {ipv4: ipv4 ?? ipv6!, ipv6: ipv6 ?? ipv4!};
}

/** The families in which a probe can be: those asked for, as far as its addresses have them. */
function familiesOf(context: ScenarioContext, {families, to, source}: ProbeClaim): readonly AddressFamily[] {
	const names: readonly Text[] = [{value: to.host, at: to.at}, ...(source === undefined ? [] : [source])];
	const wanted = families ?? context.file.families;
	for (const name of names) {
		const missing = wanted.filter(family => addressOfPlace(context, name.value, family) === undefined);
		if (missing.length === wanted.length || (families !== undefined && missing.length > 0)) {
			throw unknownPlace(context, name, families === undefined ? undefined : missing[0]);
		}
	}

	return wanted.filter(family => names.every(({value}) => addressOfPlace(context, value, family) !== undefined));
}

function planCase({context, actorSet, probe, family, id}: {
	readonly context: ScenarioContext; readonly actorSet: ActorSet; readonly probe: ProbeClaim; readonly family: AddressFamily; readonly id: string;
}): TrafficCase {
	const {
		name, line, from, to, protocol, invalid, source, article, expect, fault,
	} = probe;
	const actors = actorSet.actors.map(actor => actor.name);
	if (!actors.includes(from.value)) {
		throw inputError(from.at, `"${from.value}" is no actor of this scenario${meaning(from.value, actors)}`);
	}

	const {uid} = (actorSet.actors.find(actor => actor.name === from.value)!);
	if (invalid !== undefined && uid !== 0) {
		throw inputError(invalid.at, `"${from.value}" runs as uid ${uid}, and only root may send packets by itself (CAP_NET_RAW): let an actor of uid 0 send the invalid ones`);
	}

	const own = source === undefined ? undefined : addressOfPlace(context, source.value, family);
	const planned: Probe = {
		actor: from.value, family, protocol, destination: {address: addressOfPlace(context, to.host, family)!, port: to.port}, ...(own === undefined ? {} : {source: own}), ...(invalid === undefined ? {} : {packet: 'invalid' as const}),
	};
	const shared = {
		context, actorSet, from: from.value, family,
	};
	const intended = pathOf({...shared, claim: expect});
	return {
		id,
		article,
		name,
		line,
		probe: planned,
		expected: fault === undefined ? intended : pathOf({...shared, claim: fault.claim}),
		...(fault === undefined ? {} : {fault: {because: fault.because, intended: intended.legs.map(({stop}) => stop)}}),
	};
}

/** The legs that a list of stops means: whoever listens at one opens the next. */
function pathOf({context, actorSet, from, claim, family}: {
	readonly context: ScenarioContext; readonly actorSet: ActorSet; readonly from: string; readonly claim: Claim; readonly family: AddressFamily;
}): ExpectedPath {
	const {
		stops, outcome, roles, path, sources, zones, at,
	} = claim;
	const namesOf = ({stop, stopsByAddress = {}}: ListenerPlan): readonly string[] => [stop, ...Object.values(stopsByAddress)];
	const listeners = new Map(actorSet.actors.flatMap(actor => actor.listeners.flatMap(listener => namesOf(listener).map(known => [known, actor.name] as const))));
	const ends: readonly string[] = [...stops.map(({value}) => value), ...(outcome === 'accepted' || outcome === 'loop' ? [] : [outcome])];
	const uneven = Object.entries({roles, sources, zones}).find(([, list]) => list !== undefined && list.length !== ends.length);
	if (uneven !== undefined) {
		throw inputError(at, `${uneven[0]} are told for ${uneven[1]!.length} connections, and the flow has ${ends.length}: one entry for each stop${outcome === 'accepted' ? '' : ', and one for the connection that ends otherwise'}`);
	}

	let actor = from;
	const legs: ExpectedLeg[] = [];
	for (const [index, stop] of ends.entries()) {
		const from = sources?.[index];
		const source = from === undefined ? undefined : addressOfPlace(context, from.value, family);
		if (from !== undefined && source === undefined) {
			throw unknownPlace(context, from, family);
		}

		legs.push({
			actor, roles: roles?.[index] ?? null, stop, ...(source === undefined ? {} : {source}), ...(zones?.[index] === undefined ? {} : {zone: zones[index]}),
		});
		const text = stops[index];
		if (text === undefined) {
			break;
		}

		const next = listeners.get(stop);
		if (next === undefined) {
			const near = nearest(stop, [...listeners.keys()]);
			throw inputError(text.at, `nobody listens at "${stop}"${near === undefined ? '' : `; the nearest stop is "${near.name}"`}`);
		}

		actor = next;
	}

	return {legs, ...(path === undefined ? {} : {path}), ...(outcome === 'loop' ? {loop: true as const} : {})};
}
