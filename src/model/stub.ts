/**
What a proxy stub does with a connection, as a model: given where a leg was delivered and what the rules are meant to do, which actor accepts it, and which leg it opens next.

The stub process (`testbed/actors/stub.ts`) does this for real, and what a run expects (`scenario/expected-*.ts`) is written down without this model: each of the two must be able to contradict the other. The prober, which has no such processes, sends what the model says, and tests make their paths with it.
*/

import type {Leg, LegEnd} from '../netfilter/path.js';
import {
	defaultActors, withDns, type ActorSet, type ListenerPlan,
} from '../scenario/actor-set.js';
import {livesInPod} from '../scenario/expectation.js';
import {transparencyOf, type Transparency} from '../mesh/intent.js';
import type {ProbeRequest, ProbeSpec} from '../scenario/probe-spec.js';
import {defaultTopology} from '../scenario/topology.js';
import type {ActorCredentials, ActorName, Intent} from '../scenario/types.js';
import type {DeliveredLeg} from '../trace/fast/first-leg.js';
import type {Listening} from '../trace/tproxy-socket.js';

/** Every actor that can listen: stops are named after these. */
const listeningActors: readonly ActorName[] = ['proxy', 'app', 'agent', 'remote', 'istiod', 'prometheus'];

/** A leg that an actor opens to carry on one that it accepted. */
export type NextLeg = Omit<ProbeRequest, 'id'>;

/** What the model reads of a delivered leg. `arrivedBy` is `input` in the pod, and `postrouting` behind it. */
export type Delivery = Pick<DeliveredLeg, 'deliveredTo' | 'arrivedBy' | 'from' | 'to' | 'family' | 'protocol' | 'end'>;

/** The actors of the default topology, under rules with one intent. */
export class StubModel {
	/** The sockets to which TPROXY can give packets: those of the proxy that capture, where it is a transparent one. */
	readonly listening: readonly Listening[];
	readonly #credentials: ActorCredentials;
	readonly #transparency: Transparency | undefined;
	readonly #actors: ActorSet;
	readonly #listeners: ReadonlyMap<string, ListenerPlan>;

	constructor(intent: Intent, credentials: ActorCredentials) {
		this.#credentials = credentials;
		this.#transparency = transparencyOf(intent);
		this.#actors = withDns(defaultActors({
			topology: defaultTopology, intent, names: listeningActors, credentials,
		}), defaultTopology);
		const all = this.#actors.actors.flatMap(({name, namespace, listeners}) => listeners.map(listener => ({name, namespace, listener})));
		this.#listeners = new Map(all.map(({namespace, listener}) => [listenerKey(namespace, listener.protocol, listener.port), listener] as const));
		this.listening = this.#transparency === undefined
			? []
			: all.flatMap(({name, listener: {protocol, port, duty}}) => name === 'proxy' && duty !== 'answer' ? [{protocol, port}] : []);
	}

	/** What is sent for a probe: its first leg. `id` names it in messages. */
	requestOf({id: _, from, asked: _asked, family, uid, gid, source, ...same}: ProbeSpec, id: string): ProbeRequest {
		const usual = this.#credentials[from];
		const own = source ?? this.#actors.actors.find(({name}) => name === from)?.ownSource[family];
		return {
			...same,
			id,
			from: livesInPod[from] ? 'pod' : 'remote',
			actor: from,
			uid: uid ?? usual.uid,
			gid: gid ?? uid ?? usual.gid,
			...(own === undefined ? {} : {source: own}),
		};
	}

	/** How a leg ends where it was delivered, and the leg that the actor which accepts it opens next, if it opens one. A leg that was not delivered keeps its end. */
	receive(leg: Delivery): {readonly end: LegEnd; readonly next: NextLeg | undefined} {
		const {deliveredTo, arrivedBy, protocol, end} = leg;
		if (deliveredTo === undefined) {
			return {end, next: undefined};
		}

		const listener = this.#listeners.get(listenerKey(arrivedBy === 'input' ? 'pod' : 'remote', protocol, deliveredTo.port));
		return listener === undefined
			? {end: {kind: 'refused'}, next: undefined}
			: {end: {kind: 'accepted', stop: listener.stopsByAddress?.[deliveredTo.address] ?? listener.stop}, next: this.#nextLegOf(listener, leg)};
	}

	/** The proxy goes on to the endpoint or to the app, the agent to the server that it asks; whoever answers opens nothing. */
	#nextLegOf({duty, forwardTo}: ListenerPlan, {from, to, family, protocol}: Pick<Leg, 'from' | 'to' | 'family' | 'protocol'>): NextLeg | undefined {
		const {proxy, agent} = this.#credentials;
		if (duty === 'answer') {
			return undefined;
		}

		if (forwardTo !== undefined) {
			return {
				from: 'pod', actor: 'agent', ...agent, protocol, to: {address: forwardTo.addresses[family], port: forwardTo.port},
			};
		}

		const sender = {
			from: 'pod', actor: 'proxy', ...proxy, protocol,
		} as const;
		const transparency = this.#transparency;
		if (duty === 'outbound') {
			return {
				...sender, to: this.#actors.services[`${to.address} ${to.port}`] ?? to, ...(transparency?.marksOutbound === true ? {mark: transparency.mark} : {}),
			};
		}

		// A transparent proxy keeps the client's address, and marks what it sends so that it is let pass.
		return transparency === undefined
			? {...sender, to, source: defaultTopology.passthroughSource[family]}
			: {
				...sender, to, source: from.address, mark: transparency.mark,
			};
	}
}

function listenerKey(...parts: readonly [namespace: string, protocol: string, port: number]): string {
	return parts.join(' ');
}
