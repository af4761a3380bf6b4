/**
The actors of Istio's traffic: the sidecar with its listeners, the agent, istiod and Prometheus, besides the app and the outside world.
*/

import type {Endpoint} from '../../netfilter/path.js';
import {
	capturingListeners, dnsPort, livesInPod, type ActorRequest, type ActorSet, type ListenerPlan,
} from '../../mesh/actor-set.js';
import {addressFamilies, type Topology} from '../../mesh/topology.js';
import type {ActorName, Intent} from '../../mesh/traffic.js';

function listenersOf(name: ActorName, topology: Topology, intent: Intent): readonly ListenerPlan[] {
	const {ports, places, proxyAsks} = topology;
	const answer = (port: number, stopsByAddress?: Readonly<Record<string, string>>): ListenerPlan => ({
		protocol: 'tcp', port, duty: 'answer', stop: `${name}:${port}`, ...(stopsByAddress === undefined ? {} : {stopsByAddress}),
	});
	switch (name) {
		case 'proxy': {
			return intent.ambient === undefined ? envoysListeners(topology, intent) : ztunnelsListeners(topology, intent);
		}

		case 'app': {
			return [answer(ports.app)];
		}

		case 'remote': {
			// A connection that reaches a service's own address did not go through the proxy; the stop shows that.
			const virtual = (['vip', 'remote-vip'] as const).flatMap(place => addressFamilies.map(family => [places[place][family], `${place}:${ports.remote}`] as const));
			return [answer(ports.remote, Object.fromEntries(virtual))];
		}

		case 'istiod': {
			return [answer(ports.istiod)];
		}

		case 'agent': {
			return proxyAsks === undefined ? [] : [answer(proxyAsks.agent)];
		}

		case 'prometheus': {
			return [];
		}
	}
}

/**
What Envoy's listeners do besides opening the next leg, as Istio configures them: both capturing ones close connections to their own port (pilot: `virtualOutbound-blackhole`, `virtualInbound-blackhole`), outbound hands a connection to the port of another listener to that one (`use_original_dst`), and 15090 and 15021 ask the admin port and the agent on localhost (bootstrap: `prometheus_stats`, `agent`). Each was measured with Envoy 1.40. The ports for scrapes by mutual TLS ask 15090 and the agent (Istio 1.31, pull request 60391; not measured).

Until 1.2, one listener accepted both directions and handed a connection to the listener of its original address (`use_original_dst`): one for the pod's own address, whose cluster was 127.0.0.1 (pilot 1.2, `buildSidecarInboundListeners` and `buildInboundClusters`; not measured).
*/
function envoysListeners({ports: {metrics, health}, places, proxyAsks}: Topology, intent: Intent): readonly ListenerPlan[] {
	const {outbound, inbound} = capturingListeners(intent);
	const asking = (port: number, asked: number): ListenerPlan => ({
		protocol: 'tcp', port, duty: 'forward', stop: `proxy:${port}`, forwardTo: {addresses: places.localhost, port: asked},
	});
	const both: ListenerPlan = {...outbound, closes: [outbound.port], handsOver: true};
	const capturing: readonly ListenerPlan[] = intent.hasOneListener === true
		? [{...both, inboundTo: places.pod, carries: {host: places.localhost}}]
		: [both, {...inbound, closes: [inbound.port]}];
	return proxyAsks === undefined
		? capturing
		: [
			...capturing,
			asking(metrics, proxyAsks.admin),
			{
				protocol: 'tcp', port: proxyAsks.admin, duty: 'answer', stop: `proxy:${proxyAsks.admin}`, only: places.localhost,
			},
			asking(health, proxyAsks.agent),
			...(intent.scrapes ?? []).map(({port, asks}) => asking(port, asks === 'metrics' ? metrics : proxyAsks.agent)),
		];
}

/** What ztunnel does: it closes inbound connections to a port of its own (`illegal_ports` in its src/config.rs, used in src/proxy/inbound_passthrough.rs). It is not in the pod, so it answers on 15090 and 15021 without asking anyone there. */
function ztunnelsListeners({ports}: Topology, intent: Intent): readonly ListenerPlan[] {
	const {outbound, inbound} = capturingListeners(intent);
	const answering = (port: number): ListenerPlan => ({
		protocol: 'tcp', port, duty: 'answer', stop: `proxy:${port}`,
	});
	return [outbound, {...inbound, closes: [outbound.port, inbound.port, intent.inboundTunnelPort]}, answering(ports.metrics), answering(ports.health)];
}

function servicesOf({services, places, ports}: Topology): Readonly<Record<string, Endpoint>> {
	return Object.fromEntries(services.flatMap(({name, endpoint}) => addressFamilies.map(family => [
		`${places[name][family]} ${ports.service}`,
		{address: places[endpoint][family], port: endpoint === 'pod' ? ports.app : ports.remote},
	] as const)));
}

/** Istio's actors of the default topology, if they are named. */
export function istioActors({topology, intent, names, credentials, withDns = false}: ActorRequest): ActorSet {
	const actorSet: ActorSet = {
		actors: names.map(name => ({
			name,
			...credentials[name],
			namespace: livesInPod[name] ? 'pod' : 'remote',
			listeners: listenersOf(name, topology, intent),
			ownSource: name === 'prometheus' ? topology.places.prometheus : {},
		})),
		services: servicesOf(topology),
	};
	return withDns ? addDns(actorSet, topology) : actorSet;
}

const agentsDnsPort = 15_053; // Istio, pilot/cmd/pilot-agent/options: DNSProxyAddr.

/** The same actors, with an agent that answers DNS queries by asking the pod's name server, and with that server. */
function addDns(actorSet: ActorSet, {resolver}: Pick<Topology, 'resolver'>): ActorSet {
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
			...actorSet.actors.map(actor => actor.name === 'agent' ? {...actor, listeners: [...actor.listeners, ...asking]} : actor),
			{
				name: 'dns', uid: 0, gid: 0, namespace: 'remote', listeners: answering, ownSource: {},
			},
		],
	};
}
