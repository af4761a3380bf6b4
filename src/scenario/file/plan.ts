/**
Plans a scenario file for rules whose intent is known: its actors, its topology, and the cases with their expectations. Names are resolved to addresses here.
*/

import type {Text} from '../../parsing/document.js';
import {familyOfAddress} from '../../netfilter/address.js';
import type {Endpoint} from '../../netfilter/path.js';
import type {AddressFamily} from '../../netfilter/types.js';
import {
	capturingListeners, livesInPod, type ActorPlan, type ActorSet, type ListenerPlan,
} from '../../mesh/actor-set.js';
import type {Mesh} from '../../mesh/mesh.js';
import type {TopologyExtension} from '../topology-extension.js';
import {
	addressFamilies, podInterfaceOf, usualPodInterface, type AddressPair, type Topology,
} from '../../mesh/topology.js';
import type {
	ActorCredentials, ActorName, ExpectedLeg, ExpectedPath, Intent, Probe, TrafficCase,
} from '../../mesh/traffic.js';
import {refusePodAddresses, refusePodInterface, refuseSharedPorts} from './conflicts.js';
import {inputError, meaning} from './read.js';
import type {
	ActorClaim, Addresses, Claim, ListenerClaim, ProbeClaim, ScenarioFile,
} from './types.js';

/** The plan of a file for one set of rules. */
export type ScenarioPlan = {readonly cases: readonly TrafficCase[]; readonly actorSet: ActorSet; readonly extension: TopologyExtension};

type ScenarioContext = {readonly file: ScenarioFile; readonly mesh: Mesh; readonly intent: Intent; readonly topology: Topology};

const usualNames = Object.keys(livesInPod) as readonly ActorName[];

/**
Plans a file. `credentials` are those of the usual actors; the file's values override them.

@throws {InputError} for unknown names, with their place in the file.
*/
export function planScenario({file, mesh, intent, topology, credentials}: ScenarioContext & {readonly credentials: ActorCredentials}): ScenarioPlan {
	const context: ScenarioContext = {
		file, mesh, intent, topology,
	};
	const actorSet = planActors(context, credentials);
	const cases = file.probes.flatMap((probe, index) => familiesOf(context, probe).map(family => planCase({
		context, actorSet, probe, family, id: String(index + 1),
	})));
	const actors = actorSet.actors.filter(({name}) => isNeeded(name, context, cases));
	refuseSharedPorts(file, actors);
	refusePodAddresses(file, topology);
	refusePodInterface(file, topology);
	return {
		cases,
		actorSet: {...actorSet, actors},
		extension: {
			// A service with two ports lists its address twice, but the kernel accepts it once.
			remoteAddresses: [...new Set([...file.places, ...file.services].flatMap(({addresses}) => addressFamilies.flatMap(family => addresses[family] ?? [])))],
			interfaces: file.interfaces,
			...(file.furtherAddresses.length === 0 ? {} : {podAddresses: file.furtherAddresses}),
			...(file.without.length === 0 ? {} : {without: file.without.flatMap(name => withoutOf(context, name))}),
		},
	};
}

/** The addresses that a name removes from the pod. */
function withoutOf(context: ScenarioContext, name: Text): readonly string[] {
	const pair = pairOf(context, name);
	const known: readonly string[] = Object.values(context.topology.passthroughSource);
	const addresses = Object.values(pair);
	if (addresses.some(address => !known.includes(address))) {
		throw inputError(name.at, `"${name.value}" cannot be removed from the pod: only the source of the proxy's inbound connections can, passthrough (${known.join(', ')})`);
	}

	return addresses;
}

/** The proxy, the app and the outside world always take part; of the others, those that the file mentions. */
function isNeeded(name: string, {file}: ScenarioContext, cases: readonly TrafficCase[]): boolean {
	return ['proxy', 'app', 'remote'].includes(name)
		|| file.actors.some(actor => actor.name === name)
		|| cases.some(({probe, expected}) => probe.actor === name || expected.legs.some(({stop}) => stop.startsWith(`${name}:`)));
}

function planActors(context: ScenarioContext, credentials: ActorCredentials): ActorSet {
	const {file: {actors, services}, mesh: {traffic}, intent, topology} = context;
	const usual = traffic.actors({
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

/** The file's changes to an actor. */
function planActor(context: ScenarioContext, plan: ActorPlan, claim: ActorClaim | undefined): ActorPlan {
	if (claim === undefined) {
		return plan;
	}

	const {name, uid, gid, namespace, listens, source} = claim;
	const known = ['pod', 'remote', ...context.file.interfaces.map(one => one.namespace)];
	if (namespace !== undefined && !known.includes(namespace.value)) {
		throw inputError(namespace.at, `"${namespace.value}" is not a namespace of this scenario${meaning(namespace.value, known)}`);
	}

	return {
		name,
		uid: uid ?? plan.uid,
		gid: gid ?? uid ?? plan.gid,
		namespace: namespace?.value ?? plan.namespace,
		listeners: listens === undefined ? plan.listeners : listens.map(listener => planListener(context, plan, listener)),
		ownSource: source === undefined ? plan.ownSource : pairOf(context, source),
	};
}

/** A listener of an actor; `usual` is the same actor in the default topology, whose capturing listeners open the next leg as the mesh's proxy does. */
function planListener(context: ScenarioContext, {name: actor, listeners}: ActorPlan, claim: ListenerClaim): ListenerPlan {
	const {kind} = claim;
	if (kind === 'tunnel') {
		const {intent: {inboundTunnelPort: port}, topology: {places, ports}} = context;
		return {
			protocol: 'tcp', port, duty: 'tunnel', stop: `${actor}:${port}`, forwardTo: {addresses: places.pod, port: ports.app},
		};
	}

	if (kind !== 'port') {
		return listeners.find(({duty}) => duty === kind) ?? capturingListeners(context.intent)[kind];
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

/** A connection that reaches a service's own address in the remote namespace did not go through the proxy; the stop shows that. */
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

/** The address of a place, or an address itself, in one family. */
function addressOfPlace(context: ScenarioContext, name: string, family: AddressFamily): string | undefined {
	const own = familyOfAddress(name);
	return own === undefined ? placesOf(context)[name]?.[family] : (own === family ? name : undefined);
}

function unknownPlace(context: ScenarioContext, {value, at}: Text, family?: AddressFamily): Error {
	const places = placesOf(context);
	return value in places || familyOfAddress(value) !== undefined
		? inputError(at, `"${value}" has no address of ${family ?? 'any family that is run'}`)
		: inputError(at, `"${value}" is not an address or a place of this scenario${meaning(value, Object.keys(places))}`);
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

/** Both addresses; if a place has only one family, its address stands for both, because nothing in the other family will go there. */
function wholePairOf(context: ScenarioContext, name: Text): AddressPair {
	const {ipv4, ipv6} = pairOf(context, name);
	return {ipv4: ipv4 ?? ipv6!, ipv6: ipv6 ?? ipv4!};
}

/** The families in which a probe can run: the requested ones, as far as its addresses have them. */
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
		name, line, from, to, protocol, invalid, source, bindDevice, article, expect, fault,
	} = probe;
	const actors = actorSet.actors.map(actor => actor.name);
	if (!actors.includes(from.value)) {
		throw inputError(from.at, `"${from.value}" is not an actor of this scenario${meaning(from.value, actors)}`);
	}

	const {uid} = (actorSet.actors.find(actor => actor.name === from.value)!);
	if (invalid !== undefined && uid !== 0) {
		throw inputError(invalid.at, `"${from.value}" runs as uid ${uid}, but only root may send raw packets (CAP_NET_RAW): let an actor with uid 0 send the invalid ones`);
	}

	const own = source === undefined ? undefined : addressOfPlace(context, source.value, family);
	const planned: Probe = {
		actor: from.value,
		family,
		protocol,
		destination: {address: addressOfPlace(context, to.host, family)!, port: to.port},
		...(own === undefined ? {} : {source: own}),
		...(invalid === undefined ? {} : {packet: 'invalid' as const}),
		...(bindDevice === undefined ? {} : {bindDevice: bindDevice.value === usualPodInterface ? podInterfaceOf(context.topology) : bindDevice.value}),
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

/** A role of another mesh cannot be missing here. */
function refuseForeignRoles({mesh}: ScenarioContext, {roles = [], at}: Claim): void {
	const foreign = roles.flat().find(role => !Object.hasOwn(mesh.roles, role));
	if (foreign !== undefined) {
		throw inputError(at, `"${foreign}" is not a role of these rules, which are those of ${mesh.name}${meaning(foreign, Object.keys(mesh.roles))}`);
	}
}

/** Outcomes of a flow whose last connection was accepted; any other outcome belongs to one more connection. */
const endsAtStop: ReadonlySet<Claim['outcome']> = new Set(['accepted', 'closed', 'loop']);

/** The legs for a list of stops: the actor that listens at one opens the next. */
function pathOf({context, actorSet, from, claim, family}: {
	readonly context: ScenarioContext; readonly actorSet: ActorSet; readonly from: string; readonly claim: Claim; readonly family: AddressFamily;
}): ExpectedPath {
	const {
		stops, outcome, roles, path, sources, zones, at,
	} = claim;
	const namesOf = ({stop, stopsByAddress = {}}: ListenerPlan): readonly string[] => [stop, ...Object.values(stopsByAddress)];
	const listeners = new Map(actorSet.actors.flatMap(actor => actor.listeners.flatMap(listener => namesOf(listener).map(known => [known, actor.name] as const))));
	const ends: readonly string[] = [...stops.map(({value}) => value), ...(endsAtStop.has(outcome) ? [] : [outcome])];
	refuseForeignRoles(context, claim);
	const uneven = Object.entries({roles, sources, zones}).find(([, list]) => list !== undefined && list.length !== ends.length);
	if (uneven !== undefined) {
		throw inputError(at, `${uneven[0]} are given for ${uneven[1]!.length} connections, but the flow has ${ends.length}: one entry for each stop${outcome === 'accepted' ? '' : ', and one for the connection that ends otherwise'}`);
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
			throw inputError(text.at, `nobody listens at "${stop}"${meaning(stop, [...listeners.keys()])}`);
		}

		actor = next;
	}

	return {legs, ...(path === undefined ? {} : {path}), ...(outcome === 'loop' ? {loop: true as const} : {}), ...(outcome === 'closed' ? {closed: true as const} : {})};
}
