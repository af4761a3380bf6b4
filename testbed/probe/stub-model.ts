/**
What the actors of a run would do with what the prober delivers: who listens there, and what the proxy or the agent sends on. The prober has no such processes; the company of the default topology says who they are.
*/

import type {Leg, LegEnd} from '../../src/netfilter/path.js';
import {standardCompany, type Company, type ListenerPlan} from '../../src/scenario/actor-set.js';
import {livesInPod} from '../../src/scenario/expectation.js';
import {transparencyOf, type Transparency} from '../../src/scenario/intent.js';
import type {ProbeRequest, ProbeSpec} from '../../src/scenario/probe-spec.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import type {ActorCredentials, ActorName, Intent} from '../../src/scenario/types.js';
import type {DeliveredLeg} from '../../src/trace/fast/first-leg.js';
import type {Listening} from '../../src/trace/tproxy-socket.js';
import {withDns} from './participants.js';

/** Everybody who can listen: of these the stops are named. */
const everybody: readonly ActorName[] = ['proxy', 'app', 'agent', 'remote', 'istiod', 'prometheus'];

/** The stand-ins of everybody who plays in a run of rules with this intent. */
export class NextLegs {
	/** The sockets to which TPROXY can give packets: those of the proxy that capture, where it is a transparent one. */
	readonly listening: readonly Listening[];
	readonly #credentials: ActorCredentials;
	readonly #transparency: Transparency | undefined;
	readonly #company: Company;
	readonly #listeners: ReadonlyMap<string, ListenerPlan>;

	constructor(intent: Intent, credentials: ActorCredentials) {
		this.#credentials = credentials;
		this.#transparency = transparencyOf(intent);
		this.#company = withDns(standardCompany({
			topology: defaultTopology, intent, names: everybody, credentials,
		}), defaultTopology);
		const all = this.#company.actors.flatMap(({name, namespace, listeners}) => listeners.map(listener => ({name, namespace, listener})));
		this.#listeners = new Map(all.map(({namespace, listener}) => [listenerKey(namespace, listener.protocol, listener.port), listener] as const));
		this.listening = this.#transparency === undefined
			? []
			: all.flatMap(({name, listener: {protocol, port, duty}}) => name === 'proxy' && duty !== 'answer' ? [{protocol, port}] : []);
	}

	/** What is sent for a probe: its first leg. `id` names it in messages. */
	requestOf({id: _, from, asked: _asked, family, uid, gid, source, ...same}: ProbeSpec, id: string): ProbeRequest {
		const usual = this.#credentials[from];
		const own = source ?? this.#company.actors.find(({name}) => name === from)?.ownSource[family];
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

	/** Who listens where a leg was delivered. */
	listenerAt({deliveredTo, arrivedBy, protocol}: DeliveredLeg): ListenerPlan | undefined {
		return deliveredTo === undefined ? undefined : this.#listeners.get(listenerKey(arrivedBy === 'input' ? 'pod' : 'remote', protocol, deliveredTo.port));
	}

	/** What the stub behind a listener would send: the proxy to the endpoint or to the app, the agent to the server that it asks. Undefined for a listener that answers itself. */
	carriedOn({duty, forwardTo}: ListenerPlan, {from, to, family, protocol}: Leg): Omit<ProbeRequest, 'id'> | undefined {
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
				...sender, to: this.#company.services[`${to.address} ${to.port}`] ?? to, ...(transparency?.marksOutbound === true ? {mark: transparency.mark} : {}),
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

/** The trace tells where it was delivered; who listens there is known. */
export function endOf({deliveredTo, end}: DeliveredLeg, listener: ListenerPlan | undefined): LegEnd {
	if (deliveredTo === undefined) {
		return end;
	}

	return listener === undefined ? {kind: 'refused'} : {kind: 'accepted', stop: listener.stopsByAddress?.[deliveredTo.address] ?? listener.stop};
}

function listenerKey(...parts: readonly [namespace: string, protocol: string, port: number]): string {
	return parts.join(' ');
}
