/**
The actors of a run: which processes the chosen types need, where they live and what they listen on.
*/

import {type Topology, addressFamilies} from '../../src/scenario/topology.js';
import type {
	ActorCredentials, ActorName, Intent, TypeId,
} from '../../src/scenario/types.js';
import {transparencyOf} from '../../src/scenario/intent.js';
import {livesInPod} from '../../src/scenario/expectation.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {Sandbox} from '../sandbox/sandbox.js';
import {Actor} from './actor.js';
import type {ActorSpec, ListenerSpec} from './protocol.js';

/** Who has a part in each type, beside the proxy and the app, which always run. `remote` also stands for the world behind a service address. */
const parts: Readonly<Record<TypeId, readonly ActorName[]>> = {
	1: ['remote'], 2: ['remote'], 3: ['prometheus'], 4: ['remote'], 5: [], 6: ['agent', 'istiod'], '4b': [],
};

/** The actors that the types need, in the order in which they are started. */
export function actorsFor(types: readonly TypeId[]): readonly ActorName[] {
	return [...new Set<ActorName>(['proxy', 'app', ...types.flatMap(type => parts[type])])];
}

function listenersOf(name: ActorName, {ports, places}: Topology, intent: Intent): readonly ListenerSpec[] {
	const answer = (port: number, stopsByAddress?: Readonly<Record<string, string>>): ListenerSpec => ({
		port, duty: 'answer', stop: `${name}:${port}`, ...(stopsByAddress === undefined ? {} : {stopsByAddress}),
	});
	switch (name) {
		case 'proxy': {
			return [
				{port: intent.proxyPort, duty: 'outbound', stop: `proxy:${intent.proxyPort}`},
				{port: intent.inboundCapturePort, duty: 'inbound', stop: `proxy:${intent.inboundCapturePort}`},
				answer(ports.metrics),
				answer(ports.health),
			];
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

/** Own source addresses of actors, where they are not left to the route. */
export type Sources = Readonly<Partial<Record<ActorName, ActorSpec['ownSource']>>>;

/** Starts them, all at once, and disposes of all when it is disposed of, or when one fails. */
export class Cast implements AsyncDisposable {
	static async start({sandbox, topology, intent, names, credentials, timeoutMs, sources = {}}: {
		readonly sandbox: Sandbox;
		readonly topology: Topology;
		readonly intent: Intent;
		readonly names: readonly ActorName[];
		readonly credentials: ActorCredentials;
		readonly timeoutMs: number;
		readonly sources?: Sources;
	}): Promise<Cast> {
		const transparent = transparencyOf(intent);
		const started = await Promise.allSettled(names.map(async name => {
			const spec: ActorSpec = {
				name,
				...credentials[name],
				listeners: listenersOf(name, topology, intent),
				services: name === 'proxy' ? servicesOf(topology) : {},
				passthroughSource: topology.passthroughSource,
				...(name === 'proxy' && transparent !== undefined ? {transparent} : {}),
				ownSource: {...(name === 'prometheus' ? topology.places.prometheus : {}), ...sources[name]},
				timeoutMs,
			};
			return [name, await Actor.start(livesInPod[name] ? sandbox.pod : sandbox.remote, spec)] as const;
		}));
		const cast = new Cast(new Map(started.flatMap(result => result.status === 'fulfilled' ? [result.value] : [])));
		const failed = started.find(result => result.status === 'rejected');
		if (failed !== undefined) {
			await cast[Symbol.asyncDispose]();
			throw failed.reason as Error;
		}

		return cast;
	}

	readonly actors: ReadonlyMap<ActorName, Actor>;

	private constructor(actors: ReadonlyMap<ActorName, Actor>) {
		this.actors = actors;
	}

	/** Drops what the actors said so far, which was of an earlier play. */
	forget(): void {
		for (const {records, troubles} of this.actors.values()) {
			records.length = 0;
			troubles.length = 0;
		}
	}

	/** Resolves when everything that the actors said has arrived. */
	async flush(): Promise<void> {
		await Promise.all([...this.actors.values()].map(async actor => actor.flush()));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await Promise.all([...this.actors.values()].map(async actor => actor[Symbol.asyncDispose]()));
	}
}
