/**
Who plays in a run, as data: every actor with its user, its namespace and its listeners, and what the proxy makes of a service's address.
*/

import type {Endpoint} from '../netfilter/path.js';
import {livesInPod} from './expectation.js';
import {addressFamilies, type AddressPair, type Topology} from './topology.js';
import type {ActorCredentials, ActorName, Credentials, Intent, TypeId} from './types.js';

/** What a listener does with what comes to it: answer itself, carry it on as the proxy does, or ask somebody else and give the answer back (as the agent does with DNS). */
export type ListenerDuty = 'answer' | 'outbound' | 'inbound' | 'forward';

/** One port, on both families. `stop` names it; an address in `stopsByAddress` has a name of its own. */
export type ListenerPlan = {
	readonly protocol: 'tcp' | 'udp';
	readonly port: number;
	readonly duty: ListenerDuty;
	readonly stop: string;
	readonly stopsByAddress?: Readonly<Record<string, string>>;
	/** Whom a listener with the duty `forward` asks, by family. */
	readonly forwardTo?: {readonly addresses: AddressPair; readonly port: number};
};

/** One process. */
export type ActorPlan = Credentials & {
	readonly name: string;
	/** `pod`, `remote`, or one that an interface of the pod leads to. */
	readonly namespace: string;
	readonly listeners: readonly ListenerPlan[];
	/** Own source addresses, for an actor whose namespace has several; otherwise routing chooses. */
	readonly ownSource: Readonly<Partial<AddressPair>>;
};

/** All of them. */
export type ActorSet = {
	readonly actors: readonly ActorPlan[];
	/** Endpoint by `address port` of a service: what the proxy resolves a virtual address to. */
	readonly services: Readonly<Record<string, Endpoint>>;
};

/** Who has a part in each type, beside the proxy and the app, which always run. `remote` also stands for the world behind a service address. */
const parts: Readonly<Record<TypeId, readonly ActorName[]>> = {
	1: ['remote'], 2: ['remote'], 3: ['prometheus'], 4: ['remote'], 5: [], 6: ['agent', 'istiod'], '4b': [],
};

/** The actors that the types need, in the order in which they are started. */
export function actorsFor(types: readonly TypeId[]): readonly ActorName[] {
	return [...new Set<ActorName>(['proxy', 'app', ...types.flatMap(type => parts[type])])];
}

/** The two listeners that capture, by the ports of the intent. */
export function capturingListeners({proxyPort, inboundCapturePort}: Pick<Intent, 'proxyPort' | 'inboundCapturePort'>): {readonly outbound: ListenerPlan; readonly inbound: ListenerPlan} {
	return {
		outbound: {
			protocol: 'tcp', port: proxyPort, duty: 'outbound', stop: `proxy:${proxyPort}`,
		},
		inbound: {
			protocol: 'tcp', port: inboundCapturePort, duty: 'inbound', stop: `proxy:${inboundCapturePort}`,
		},
	};
}

function listenersOf(name: ActorName, {ports, places}: Topology, intent: Intent): readonly ListenerPlan[] {
	const answer = (port: number, stopsByAddress?: Readonly<Record<string, string>>): ListenerPlan => ({
		protocol: 'tcp', port, duty: 'answer', stop: `${name}:${port}`, ...(stopsByAddress === undefined ? {} : {stopsByAddress}),
	});
	switch (name) {
		case 'proxy': {
			const {outbound, inbound} = capturingListeners(intent);
			return [outbound, inbound, answer(ports.metrics), answer(ports.health)];
		}

		case 'app': {
			return [answer(ports.app)];
		}

		case 'remote': {
			// Who reaches a service's own address was not carried on by the proxy; the stop says so.
			const virtual = (['vip', 'remote-vip'] as const).flatMap(place => addressFamilies.map(family => [places[place][family], `${place}:${ports.remote}`] as const));
			return [answer(ports.remote, Object.fromEntries(virtual))];
		}

		case 'istiod': {
			return [answer(ports.istiod)];
		}

		case 'agent':
		case 'prometheus': {
			return [];
		}
	}
}

function servicesOf({services, places, ports}: Topology): Readonly<Record<string, Endpoint>> {
	return Object.fromEntries(services.flatMap(({name, endpoint}) => addressFamilies.map(family => [
		`${places[name][family]} ${ports.service}`,
		{address: places[endpoint][family], port: endpoint === 'pod' ? ports.app : ports.remote},
	] as const)));
}

/** The company of the default topology, as far as it is named. */
export function defaultActors({topology, intent, names, credentials}: {
	readonly topology: Topology; readonly intent: Intent; readonly names: readonly ActorName[]; readonly credentials: ActorCredentials;
}): ActorSet {
	return {
		actors: names.map(name => ({
			name,
			...credentials[name],
			namespace: livesInPod[name] ? 'pod' : 'remote',
			listeners: listenersOf(name, topology, intent),
			ownSource: name === 'prometheus' ? topology.places.prometheus : {},
		})),
		services: servicesOf(topology),
	};
}

/** The port of DNS. */
export const dnsPort = 53;

const agentsDnsPort = 15_053; // Istio, pilot/cmd/pilot-agent/options: DNSProxyAddr.

/** The same actors, with an agent that answers DNS queries by asking the pod's name server, and with that server. */
export function withDns(actorSet: ActorSet, {resolver}: Pick<Topology, 'resolver'>): ActorSet {
	const protocols = ['tcp', 'udp'] as const;
	const asking = protocols.map((own): ListenerPlan => ({
		protocol: own, port: agentsDnsPort, duty: 'forward', stop: `agent:${agentsDnsPort}`, forwardTo: {addresses: resolver, port: dnsPort},
	}));
	const answering = protocols.map((own): ListenerPlan => ({
		protocol: own, port: dnsPort, duty: 'answer', stop: `dns:${dnsPort}`,
	}));
	return {
		...actorSet,
		actors: [
			...actorSet.actors.map(actor => actor.name === 'agent' ? {...actor, listeners: asking} : actor),
			{
				name: 'dns', uid: 0, gid: 0, namespace: 'remote', listeners: answering, ownSource: {},
			},
		],
	};
}
