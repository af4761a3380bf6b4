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
import {countsEvents} from './idle.js';
import type {ActorSpec} from './protocol.js';
import type {Configured, ListeningProcess, Proxy} from './proxy.js';

type PlannedActor = {readonly namespace: ActorPlan['namespace']; readonly spec: ActorSpec; readonly proxy: Proxy | undefined};
type Members = readonly [PlannedActor, ...PlannedActor[]];

/** Which actors share a process: those that listen and have the same user in the same namespace. A transparent proxy keeps a capability, and a program of another project is no place for others, so these have their own. */
function processesOf(planned: readonly PlannedActor[]): readonly Members[] {
	const processes = new Map<string, Members>();
	for (const actor of planned) {
		const {namespace, proxy, spec: {name, uid, gid, listeners, transparent}} = actor;
		const canShare = listeners.length > 0 && transparent === undefined && proxy === undefined;
		const key = JSON.stringify(canShare ? [namespace, uid, gid] : [name]);
		const others = processes.get(key);
		processes.set(key, others === undefined ? [actor] : [...others, actor]);
	}

	return [...processes.values()];
}

/** Whether an actor listens on an address that its namespace must have first. */
function bindsAddress({spec: {listeners}}: PlannedActor): boolean {
	return listeners.some(({protocol, only}) => protocol === 'udp' || only !== undefined);
}

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
		const planned = actorSet.actors.map(({namespace, ...plan}): PlannedActor => {
			const {name} = plan;
			return {
				namespace,
				proxy: name === 'proxy' ? proxy : undefined,
				spec: {
					...plan,
					services: name === 'proxy' ? actorSet.services : {},
					passthroughSource: topology.passthroughSource,
					...(name === 'proxy' && transparent !== undefined ? {transparent} : {}),
					addresses: addressesIn(namespace, topology, extension),
					timeoutMs,
				},
			};
		});
		const started = await Promise.allSettled(processesOf(planned).map(async members => {
			const [{namespace, spec, proxy: program}] = members;
			const netns = sandbox.namespace(namespace);
			const options = {configured: members.some(member => bindsAddress(member)) ? configured : undefined, proxy: program};
			return members.length === 1
				? [await Actor.start(netns, spec, options)]
				: Actor.startTogether(netns, members.map(member => member.spec), options);
		}));
		const running = new Map(started.flatMap(result => result.status === 'fulfilled' ? result.value : []).map(actor => [actor.spec.name, actor]));
		const actorGroup = new ActorGroup(actorSet, new Map(planned.flatMap(({spec: {name}}) => running.has(name) ? [[name, running.get(name)!]] : [])));
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

	/** Whether each process of the actors can say when it is idle. */
	async canTellIdle(): Promise<boolean> {
		const processes = await this.#processes();
		return countsEvents() && processes.every(({untilIdle}) => untilIdle !== undefined);
	}

	/** Resolves once each process of the actors was idle, as {@link ListeningProcess.untilIdle} says. */
	async untilIdle(): Promise<void> {
		const processes = await this.#processes();
		await Promise.all(processes.map(async process => process.untilIdle!()));
	}

	/** How many connections the actors have begun to open so far. */
	get begun(): number {
		return [...this.actors.values()].reduce((sum, {begun}) => sum + begun, 0);
	}

	/** Whether a connection of TCP that was opened for an actor is still open. */
	get hasOpenTcp(): boolean {
		return [...this.actors.values()].some(({hasOpenTcp}) => hasOpenTcp);
	}

	/** Closes all connections that were opened for actors and are still open; they get no answer for this reason. */
	giveUp(reason: string): void {
		for (const actor of this.actors.values()) {
			actor.giveUp(reason);
		}
	}

	/** Resolves once everything that the actors have done so far is reported. */
	async flush(): Promise<void> {
		await Promise.all([...this.actors.values()].map(async actor => actor.flush()));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await Promise.all([...this.actors.values()].map(async actor => actor[Symbol.asyncDispose]()));
	}

	/** Each process once; actors can share one. */
	async #processes(): Promise<readonly ListeningProcess[]> {
		const all = await Promise.all([...this.actors.values()].map(async actor => actor.processes()));
		return [...new Set(all.flat())];
	}
}
