/**
The actors in every mesh's traffic: the app, the outside world with its services, and the name server. A mesh adds its proxy's listeners.
*/

import {
	capturingListeners, dnsPort, livesInPod, type ActorPlan, type ActorRequest, type ActorSet, type InboundCarry, type ListenerPlan,
} from './actor-set.js';
import {dnsServersOf, dnsStopOf, type Intent} from './intent.js';
import {addressFamilies, type Topology} from './topology.js';
import type {ActorName} from './traffic.js';

/** What a mesh's proxy does besides handling outbound traffic. */
export type ProxyPlan = {
	readonly carries: InboundCarry;
	/** Ports on which it answers itself: metrics, health. */
	readonly answers: readonly number[];
};

/** The actors of the default topology for a proxy with two listeners that capture. */
export function usualActors({topology, intent, names, credentials, withDns = false}: ActorRequest, {carries, answers}: ProxyPlan): ActorSet {
	const {outbound, inbound} = capturingListeners(intent);
	const answer = (name: ActorName, port: number): ListenerPlan => ({
		protocol: 'tcp', port, duty: 'answer', stop: `${name}:${port}`,
	});
	const {ports, places} = topology;
	const listeners: Partial<Record<ActorName, readonly ListenerPlan[]>> = {
		proxy: [outbound, {...inbound, carries}, ...answers.map(port => answer('proxy', port)), ...(withDns ? ownDns(intent, topology) : [])],
		app: [answer('app', ports.app)],
		// A connection that reaches a service's own address did not go through the proxy; the stop shows that.
		remote: [{...answer('remote', ports.remote), stopsByAddress: Object.fromEntries((['vip', 'remote-vip'] as const).flatMap(place => addressFamilies.map(family => [places[place][family], `${place}:${ports.remote}`] as const)))}],
	};
	return {
		actors: [
			...names.map((name): ActorPlan => ({
				name,
				...credentials[name],
				namespace: livesInPod[name] ? 'pod' : 'remote',
				listeners: listeners[name] ?? [],
				ownSource: name === 'prometheus' || name === 'istiod' ? places[name] : {},
			})),
			...(withDns ? [nameServerFor(intent)] : []),
		],
		services: servicesOf(topology),
	};
}

/** The name server, and the mesh's own DNS servers outside the pod, which the same actor plays by their addresses. */
function nameServerFor(intent: Intent): ActorPlan {
	const servers = dnsServersOf(intent);
	const stops = Object.fromEntries(servers.map(address => [address, dnsStopOf(intent)]));
	const ports = [...new Set([dnsPort, ...(servers.length === 0 ? [] : [intent.dns!.port])])];
	return {
		name: 'dns',
		uid: 0,
		gid: 0,
		namespace: 'remote',
		listeners: ports.flatMap(port => (['tcp', 'udp'] as const).map((protocol): ListenerPlan => ({
			protocol, port, duty: 'answer', stop: `dns:${port}`, ...(servers.length === 0 || port !== intent.dns!.port ? {} : {stopsByAddress: stops}),
		}))),
		ownSource: {},
	};
}

/** The proxy's own resolver, which asks the name server. */
function ownDns({dns}: Intent, {resolver}: Topology): readonly ListenerPlan[] {
	return dns === undefined || dns.servers !== undefined
		? []
		: (['tcp', 'udp'] as const).map((protocol): ListenerPlan => ({
			protocol, port: dns.port, duty: 'forward', stop: `proxy:${dns.port}`, forwardTo: {addresses: resolver, port: dnsPort},
		}));
}

/** Endpoint by `address port` of a service: a proxy resolves virtual addresses by it. */
function servicesOf({services, places, ports}: Topology): ActorSet['services'] {
	return Object.fromEntries(services.flatMap(({name, endpoint}) => addressFamilies.map(family => [
		`${places[name][family]} ${ports.service}`,
		{address: places[endpoint][family], port: endpoint === 'pod' ? ports.app : ports.remote},
	] as const)));
}
