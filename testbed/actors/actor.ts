/**
An actor of a run. If it listens, it has a process for that (`proxy.ts`), which it may share with others of the same user; the connections that it opens are sockets of the testbed's own process (`client.ts`), so an actor that only sends needs no process.
*/

import {readFileSync} from 'node:fs';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {Credentials} from '../../src/mesh/traffic.js';
import type {Gap} from '../../src/trace/gap.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import type {Netns} from '../sandbox/netns.js';
import {Client, type Done, type Opening} from './client.js';
import type {ActorSpec} from './protocol.js';
import type {
	Configured, ListeningProcess, ProcessEvents, Proxy,
} from './proxy.js';
import {StubProcess, stubProxy} from './stub-process.js';

/** Options of an actor. */
export type ActorOptions = {
	/** For an actor that binds an address which its namespace may not have yet. */
	readonly configured?: Configured | undefined;
	/** The program that listens for it; the stub by default. */
	readonly proxy?: Proxy | undefined;
};

/** One actor. The caller that starts it disposes of it. */
export class Actor implements AsyncDisposable {
	/**
	Starts the actor's process, if it has one, and resolves once that is listening.

	@throws {TestbedError} as {@link Proxy.start} does.
	*/
	static async start(netns: Netns, spec: ActorSpec, {configured, proxy = stubProxy}: ActorOptions = {}): Promise<Actor> {
		const actor = new Actor(netns, spec);
		if (spec.listeners.length > 0) {
			actor.#process = await proxy.start({netns, spec, configured}, actor.#events);
		}

		return actor;
	}

	/**
	Starts several actors that listen, have the same user in the same namespace, and are not transparent. One process listens for all of them.

	@throws {TestbedError} as {@link Proxy.start} does.
	*/
	static async startTogether(netns: Netns, specs: readonly ActorSpec[], {configured}: Pick<ActorOptions, 'configured'> = {}): Promise<readonly Actor[]> {
		const actors = specs.map(spec => new Actor(netns, spec));
		const process = await StubProcess.start({netns, configured}, actors.map(actor => ({spec: actor.spec, events: actor.#events})));
		for (const actor of actors) {
			actor.#process = process;
		}

		return actors;
	}

	readonly spec: ActorSpec;
	readonly records: SocketRecord[] = [];
	/** Problems with single connections that no record shows. */
	readonly troubles: string[] = [];
	readonly #netns: Netns;
	readonly #client: Client;
	readonly #events: ProcessEvents;
	#process: ListeningProcess | undefined;
	/** The stub that sends invalid packets for the actor, started with the first. */
	#sender: Promise<StubProcess> | undefined;
	#senderPid: number | undefined;
	#ended: string | undefined;
	#disposed = false;

	private constructor(netns: Netns, spec: ActorSpec) {
		this.spec = spec;
		this.#netns = netns;
		this.#events = {
			onRecord: record => {
				this.records.push(record);
			},
			onTrouble: message => {
				this.troubles.push(message);
			},
			onEnd: message => {
				this.#ended = message;
			},
		};
		this.#client = new Client(netns, spec, this.#events.onRecord);
	}

	/** The PID of the process that listens or sends invalid packets; undefined for an actor without one. */
	get pid(): number | undefined {
		return this.#process?.pid ?? this.#senderPid;
	}

	/** The owner that the kernel recorded for the sockets opened for the actor: a wrong one if there was any; undefined without sockets. */
	get made(): Credentials | undefined {
		return this.#client.made;
	}

	/** Why the process ended early, as a gap for every path that the actor is part of. */
	get gap(): Gap | undefined {
		return this.#ended === undefined || this.#disposed ? undefined : {kind: 'actor-ended', message: this.#ended};
	}

	/** The credentials that the kernel reports for the process; undefined without a process, and if real, effective, saved and file system credentials differ. */
	credentials(): Credentials | undefined {
		if (this.pid === undefined) {
			return undefined;
		}

		let status: string;
		try {
			status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
		} catch {
			return undefined; // The process is gone, which is reported as a separate gap.
		}

		const one = (name: string): number | undefined => {
			const values = new Set(new RegExp(`^${name}:\\s+(.*)$`, 'mu').exec(status)?.[1]?.split(/\s+/u).map(Number));
			return values.size === 1 ? [...values][0] : undefined;
		};

		const uid = one('Uid');
		const gid = one('Gid');
		return uid === undefined || gid === undefined ? undefined : {uid, gid};
	}

	/**
	Opens a connection, or sends a single invalid packet, and resolves when it is over.

	@throws {TestbedError} SYSCALL_FAILED if no socket can be created as that user; ACTOR_FAILED if the process that sends invalid packets cannot start.
	*/
	async open(id: string, to: Endpoint, {protocol = 'tcp', source, packet, bindDevice, handshakeMs}: Partial<Pick<Opening, 'protocol' | 'source' | 'bindDevice' | 'handshakeMs'>> & {readonly packet?: 'invalid' | undefined} = {}): Promise<Done> {
		if (this.#ended !== undefined) {
			return {answered: false, reason: this.#ended};
		}

		if (packet === undefined) {
			return this.#client.open({
				id, to, protocol, source, bindDevice, handshakeMs,
			});
		}

		const sender = await this.#startSender();
		return sender.sendInvalid(this.spec.name, {id, to, source});
	}

	/** Resolves once everything that its processes have done so far is reported. */
	async flush(): Promise<void> {
		const processes = await this.processes();
		await Promise.all(processes.map(async process => process.flush()));
	}

	/** The processes that it has: one that listens, perhaps together with other actors, and one that sends invalid packets. */
	async processes(): Promise<readonly ListeningProcess[]> {
		return [this.#process, await this.#sender].filter(process => process !== undefined);
	}

	/** How many connections were begun for it so far. */
	get begun(): number {
		return this.#client.begun;
	}

	/** Whether a connection of TCP is open for it. */
	get hasOpenTcp(): boolean {
		return this.#client.hasOpenTcp;
	}

	/** Closes all connections that are open for it; they get no answer for this reason. */
	giveUp(reason: string): void {
		this.#client.giveUp(reason);
	}

	/** Kills the process, like a crash. For tests. */
	kill(): void {
		this.#process?.kill();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#disposed = true;
		this.#client.giveUp('its actor was ended');
		const [sender] = await Promise.allSettled([this.#sender]);
		await Promise.all([this.#process, sender.status === 'fulfilled' ? sender.value : undefined].map(async process => process?.[Symbol.asyncDispose]()));
	}

	/** Starts a process that sends invalid packets as the actor's user. Raw packets need CAP_NET_RAW, which a thread that only takes on a user's IDs temporarily would keep. */
	async #startSender(): Promise<StubProcess> {
		if (this.#process instanceof StubProcess) {
			return this.#process;
		}

		this.#sender ??= StubProcess.start({netns: this.#netns}, [{spec: {...this.spec, listeners: []}, events: this.#events}]);
		const sender = await this.#sender;
		this.#senderPid = sender.pid;
		return sender;
	}
}
