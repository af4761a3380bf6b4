/**
A model of what a proxy stub does with a connection: given where a leg was delivered and what the rules are meant to do, which actor accepts it, and which leg it opens next.

The stub process (`testbed/actors/stub.ts`) does this for real, and the expectations of a run (`istio/traffic/`) are written without this model, so that each of the two can contradict the other. The prober, which has no such processes, sends what the model says, and tests build their paths with it.
*/

import type {Leg, LegEnd} from '../netfilter/path.js';
import {
	listenerFor, livesInPod, type ActorSet, type ListenerPlan,
} from '../mesh/actor-set.js';
import {dnsServersOf, transparencyOf, type Transparency} from '../mesh/intent.js';
import type {Mesh} from '../mesh/mesh.js';
import type {ProbeRequest, ProbeSpec} from '../scenario/probe-spec.js';
import {addressesIn, noExtension, withServers} from '../scenario/topology-extension.js';
import {defaultTopology, type Topology} from '../mesh/topology.js';
import type {ActorCredentials, ActorName, Intent} from '../mesh/traffic.js';
import type {DeliveredLeg} from '../trace/fast/first-leg.js';
import type {Listening} from '../trace/tproxy-socket.js';

/** Every actor that can listen: stops are named after these. */
const listeningActors: readonly ActorName[] = ['proxy', 'app', 'agent', 'remote', 'istiod', 'prometheus'];

/** A leg that an actor opens for one that it accepted. */
export type NextLeg = Omit<ProbeRequest, 'id'>;

/** What the model needs of a delivered leg. `arrivedBy` is `input` in the pod, and `postrouting` outside of it. */
export type Delivery = Pick<DeliveredLeg, 'deliveredTo' | 'arrivedBy' | 'from' | 'to' | 'family' | 'protocol' | 'end'>;

/** The actors of the default topology, under rules with one intent. */
export class StubModel {
	/** The sockets to which TPROXY can assign packets: the proxy's capturing ones, if it is transparent. */
	readonly listening: readonly Listening[];
	readonly #credentials: ActorCredentials;
	readonly #transparency: Transparency | undefined;
	readonly #actors: ActorSet;
	readonly #listeners: ReadonlyMap<string, ListenerPlan>;
	/** Where datagrams are received, by namespace: an actor that listens for them has a socket for each of these, so that it answers from the address that was asked. */
	readonly #datagramAddresses: Readonly<Record<'pod' | 'remote', ReadonlySet<string>>>;

	constructor({traffic}: Pick<Mesh, 'traffic'>, intent: Intent, credentials: ActorCredentials, topology: Topology = defaultTopology) {
		this.#credentials = credentials;
		this.#transparency = transparencyOf(intent);
		this.#actors = traffic.actors({
			topology, intent, names: listeningActors, credentials, withDns: true,
		});
		const all = this.#actors.actors.flatMap(({name, namespace, listeners}) => listeners.map(listener => ({name, namespace, listener})));
		this.#listeners = new Map(all.map(({namespace, listener}) => [listenerKey(namespace, listener.protocol, listener.port), listener] as const));
		const extension = withServers(noExtension, dnsServersOf(intent), topology);
		this.#datagramAddresses = {pod: new Set(addressesIn('pod', topology, extension)), remote: new Set(addressesIn('remote', topology, extension))};
		this.listening = this.#transparency === undefined
			? []
			: all.flatMap(({name, listener: {protocol, port, duty}}) => name === 'proxy' && (duty === 'outbound' || duty === 'inbound') ? [{protocol, port}] : []);
	}

	/** The first leg of a probe. `id` names it in messages. */
	requestOf(probe: ProbeSpec, id: string): ProbeRequest {
		const {from, family, uid, gid, source, protocol, to, sourcePort, mark, bindDevice, packet} = probe;
		const usual = this.#credentials[from];
		return {
			id,
			from: livesInPod[from] ? 'pod' : 'remote',
			actor: from,
			uid: uid ?? usual.uid,
			gid: gid ?? uid ?? usual.gid,
			protocol,
			to,
			source: source ?? this.#actors.actors.find(({name}) => name === from)?.ownSource[family],
			sourcePort,
			mark,
			bindDevice,
			packet,
		} satisfies {[Name in keyof Required<ProbeRequest>]: ProbeRequest[Name]}; // One literal with every field: spread objects grow field by field, which takes V8 ten times as much memory.
	}

	/** How a leg ends where it was delivered, and the leg that the accepting actor opens next, if any. A leg that was not delivered keeps its end. */
	receive(leg: Delivery): {readonly end: LegEnd; readonly next: NextLeg | undefined} {
		const {deliveredTo, arrivedBy, protocol, end} = leg;
		if (deliveredTo === undefined) {
			return {end, next: undefined};
		}

		const namespace = arrivedBy === 'input' ? 'pod' : 'remote';
		const listener = this.#listeners.get(listenerKey(namespace, protocol, deliveredTo.port));
		if (listener === undefined || !isBoundTo(listener, deliveredTo.address) || (protocol === 'udp' && !this.#datagramAddresses[namespace].has(deliveredTo.address))) {
			return {end: {kind: 'refused'}, next: undefined};
		}

		const heir = listener.handsOver === true ? this.#heirOf(listener, leg.to.port) : undefined;
		const serving = heir ?? listenerFor(listener, leg.to.address);
		const isClosed = serving.closes?.includes(leg.to.port) === true;
		return {
			end: {
				kind: 'accepted',
				stop: listener.stopsByAddress?.[deliveredTo.address] ?? listener.stop,
				...(heir === undefined ? {} : {handedTo: heir.stop}),
				...(isClosed ? {closed: 'own-port'} : {}),
			},
			next: isClosed ? undefined : this.#nextLegOf(serving, leg),
		};
	}

	/** The proxy's own listener on a port, which takes connections to that port at any host. */
	#heirOf(from: ListenerPlan, port: number): ListenerPlan | undefined {
		const found = this.#listeners.get(listenerKey('pod', 'tcp', port));
		return found !== undefined && found !== from && found.only === undefined && found.stop.startsWith('proxy:') ? found : undefined;
	}

	/** The proxy connects to the endpoint, to the app or to its own upstream, the agent to its server; actors that answer open nothing. */
	#nextLegOf({duty, stop, forwardTo, carries = {source: defaultTopology.passthroughSource}}: ListenerPlan, {from, to, family, protocol}: Pick<Leg, 'from' | 'to' | 'family' | 'protocol'>): NextLeg | undefined {
		if (duty === 'answer') {
			return undefined;
		}

		const actor = stop.startsWith('agent:') ? 'agent' : 'proxy';
		const sender = {
			from: 'pod', actor, ...this.#credentials[actor], protocol,
		} as const;
		const asked = forwardTo === undefined ? to : {address: forwardTo.addresses[family], port: forwardTo.port};
		if (duty === 'forward') {
			return {...sender, to: asked};
		}

		const transparency = this.#transparency;
		if (duty === 'outbound') {
			return {
				...sender, to: this.#actors.services[`${to.address} ${to.port}`] ?? to, ...(transparency?.marksOutbound === true ? {mark: transparency.mark} : {}),
			};
		}

		// A transparent proxy keeps the client's address, and marks its packets so that the rules exempt them.
		const source = carries.source?.[family];
		return transparency === undefined
			? {...sender, to: {address: carries.host?.[family] ?? asked.address, port: asked.port}, ...(source === undefined ? {} : {source})}
			: {
				...sender, to: asked, source: from.address, mark: transparency.mark,
			};
	}
}

function isBoundTo({only}: ListenerPlan, address: string): boolean {
	return only === undefined || only.ipv4 === address || only.ipv6 === address;
}

function listenerKey(...parts: readonly [namespace: string, protocol: string, port: number]): string {
	return parts.join(' ');
}
