/**
The actors of a run, started and ended together.
*/

import type {ActorPlan, ActorSet} from '../../src/mesh/actor-set.js';
import {addressesIn, noExtension, type TopologyExtension} from '../../src/scenario/topology-extension.js';
import type {Topology} from '../../src/mesh/topology.js';
import type {Intent} from '../../src/mesh/traffic.js';
import {transparencyOf} from '../../src/mesh/intent.js';
import type {Sandbox} from '../sandbox/sandbox.js';
import {Actor} from './actor.js';
import type {ActorSpec} from './protocol.js';
import type {Configured, Proxy} from './proxy.js';

/** All actors of a run. Disposing of it ends them all; if one cannot start, none is left running. */
export class ActorGroup implements AsyncDisposable {
	static async start({
		sandbox, topology, intent, actorSet, timeoutMs, extension = noExtension, configured, proxy,
	}: {
		/** Provides the actors' namespaces by name. */
		readonly sandbox: Pick<Sandbox, 'namespace'>;
		readonly topology: Topology;
		readonly intent: Intent;
		readonly actorSet: ActorSet;
		readonly timeoutMs: number;
		readonly extension?: TopologyExtension | undefined;
		/** Actors that bind an address wait for this. */
		readonly configured?: Configured | undefined;
		/** The program that listens as the actor `proxy`; the stub by default. */
		readonly proxy?: Proxy | undefined;
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
			const bindsAddress = plan.listeners.some(({protocol, only}) => protocol === 'udp' || only !== undefined);
			return [name, await Actor.start(sandbox.namespace(namespace), spec, {
				configured: bindsAddress ? configured : undefined, proxy: name === 'proxy' ? proxy : undefined,
			})] as const;
		}));
		const actorGroup = new ActorGroup(actorSet, new Map(started.flatMap(result => result.status === 'fulfilled' ? [result.value] : [])));
		const failed = started.find(result => result.status === 'rejected');
		if (failed !== undefined) {
			await actorGroup[Symbol.asyncDispose]();
			throw failed.reason as Error;
		}

		return actorGroup;
	}

	/** The actors as requested, and those that were added later. */
	actorSet: ActorSet;
	readonly actors: Map<string, Actor>;

	private constructor(actorSet: ActorSet, actors: Map<string, Actor>) {
		this.actorSet = actorSet;
		this.actors = actors;
	}

	/**
	Adds an actor that only sends, so it needs no process. It replaces an earlier one of the same name.

	@throws {RangeError} for an actor that listens, or that has the name of one that does.
	*/
	async addSender({namespace, ...plan}: ActorPlan, {sandbox, topology, timeoutMs}: {readonly sandbox: Pick<Sandbox, 'namespace'>; readonly topology: Topology; readonly timeoutMs: number}): Promise<void> {
		const known = this.actors.get(plan.name);
		if (plan.listeners.length > 0 || (known !== undefined && known.spec.listeners.length > 0)) {
			throw new RangeError(`${plan.name} listens, so it cannot be added while others run`);
		}

		await this.removeSender(plan.name);
		this.actors.set(plan.name, await Actor.start(sandbox.namespace(namespace), {
			...plan, services: {}, passthroughSource: topology.passthroughSource, addresses: [], timeoutMs,
		}, {}));
		this.actorSet = {...this.actorSet, actors: [...this.actorSet.actors, {...plan, namespace}]};
	}

	/** Removes an actor that {@link addSender} added, if it is there. */
	async removeSender(name: string): Promise<void> {
		const known = this.actors.get(name);
		if (known?.spec.listeners.length === 0) {
			this.actors.delete(name);
			this.actorSet = {...this.actorSet, actors: this.actorSet.actors.filter(actor => actor.name !== name)};
			await known[Symbol.asyncDispose]();
		}
	}

	/** Discards what the actors have reported so far, which belongs to an earlier run. */
	forget(): void {
		for (const {records, troubles} of this.actors.values()) {
			records.length = 0;
			troubles.length = 0;
		}
	}

	/** Resolves once everything that the actors have done so far is reported. */
	async flush(): Promise<void> {
		await Promise.all([...this.actors.values()].map(async actor => actor.flush()));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await Promise.all([...this.actors.values()].map(async actor => actor[Symbol.asyncDispose]()));
	}
}
