/**
The actors of a run as processes, started together and ended together.
*/

import {defaultActors, type ActorSet} from '../../src/scenario/actor-set.js';
import {addressesIn, noExtension, type TopologyExtension} from '../../src/scenario/topology-extension.js';
import type {Topology} from '../../src/scenario/topology.js';
import type {ActorCredentials, ActorName, Intent} from '../../src/scenario/types.js';
import {transparencyOf} from '../../src/mesh/intent.js';
import type {Sandbox} from '../sandbox/sandbox.js';
import {Actor} from './actor.js';
import type {ActorSpec} from './protocol.js';

/** Starts them, all at once, and disposes of all when it is disposed of, or when one fails. */
export class ActorGroup implements AsyncDisposable {
	static async start({
		sandbox, topology, intent, names, credentials, timeoutMs, actorSet = defaultActors({
			topology, intent, names, credentials,
		}), extension = noExtension, configured,
	}: {
		readonly sandbox: Sandbox;
		readonly topology: Topology;
		readonly intent: Intent;
		readonly names: readonly ActorName[];
		readonly credentials: ActorCredentials;
		readonly timeoutMs: number;
		/** Who plays, where it is not those of the default topology. */
		readonly actorSet?: ActorSet | undefined;
		readonly extension?: TopologyExtension | undefined;
		/** Settles when the namespaces have their addresses: who is to bind one waits for it. */
		readonly configured?: Promise<unknown> | undefined;
	}): Promise<ActorGroup> {
		const transparent = transparencyOf(intent);
		const started = await Promise.allSettled(actorSet.actors.map(async ({namespace, ...plan}) => {
			const {name} = plan;
			const spec: ActorSpec = {
				...plan,
				services: name === 'proxy' ? actorSet.services : {},
				passthroughSource: topology.passthroughSource,
				...(name === 'proxy' && transparent !== undefined ? {transparent} : {}),
				addresses: addressesIn(namespace, topology, extension),
				timeoutMs,
			};
			if (plan.listeners.some(({protocol}) => protocol === 'udp')) {
				await configured;
			}

			return [name, await Actor.start(sandbox.namespace(namespace), spec)] as const;
		}));
		const actorGroup = new ActorGroup(actorSet, new Map(started.flatMap(result => result.status === 'fulfilled' ? [result.value] : [])));
		const failed = started.find(result => result.status === 'rejected');
		if (failed !== undefined) {
			await actorGroup[Symbol.asyncDispose]();
			throw failed.reason as Error;
		}

		return actorGroup;
	}

	/** Who plays, as it was asked for. */
	readonly actorSet: ActorSet;
	readonly actors: ReadonlyMap<string, Actor>;

	private constructor(actorSet: ActorSet, actors: ReadonlyMap<string, Actor>) {
		this.actorSet = actorSet;
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
