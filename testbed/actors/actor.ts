/**
An actor as the conductor sees it. Who listens is a process in a namespace, started, asked, ended; the connections that it opens are the conductor's own sockets (`client.ts`), and who only sends is nothing else.
*/

import {readFileSync} from 'node:fs';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {Credentials} from '../../src/scenario/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import {TestbedError} from '../errors.js';
import {startNode, type LongProcess} from '../system/exec.js';
import type {Netns} from '../sandbox/netns.js';
import {Client, type Done} from './client.js';
import type {ActorSpec, FromActor, ToActor} from './protocol.js';

const program = new URL('stub.js', import.meta.url);

/** Someone who plays. Whoever starts it disposes of it. */
export class Actor implements AsyncDisposable {
	/** Starts its process, if it listens, and resolves when it does so as its user. */
	static async start(netns: Netns, spec: ActorSpec): Promise<Actor> {
		const actor = new Actor(netns, spec);
		try {
			if (spec.listeners.length > 0) {
				await actor.#startProcess();
			}

			return actor;
		} catch (error) {
			await actor[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly spec: ActorSpec;
	readonly records: SocketRecord[] = [];
	/** What went wrong with single connections, beyond what the records say. */
	readonly troubles: string[] = [];
	readonly #netns: Netns;
	readonly #client: Client;
	#process: LongProcess | undefined;
	#started: Promise<void> | undefined;
	readonly #open = new Map<string, (done: Done) => void>();
	readonly #flushes = new Map<number, () => void>();
	#flushCount = 0;
	#ended: string | undefined;
	#disposed = false;
	#onReady: {resolve: () => void; reject: (error: unknown) => void} | undefined;

	private constructor(netns: Netns, spec: ActorSpec) {
		this.spec = spec;
		this.#netns = netns;
		this.#client = new Client(netns, spec, record => {
			this.records.push(record);
		});
	}

	/** Undefined for who only sends. */
	get pid(): number | undefined {
		return this.#process?.pid;
	}

	/** The owner that the kernel wrote on the sockets that were opened for it, a wrong one before a right one; undefined where there was no socket. */
	get made(): Credentials | undefined {
		return this.#client.made;
	}

	/** Why the process ended before its time; a gap for every path that it had a part in. */
	get gap(): Gap | undefined {
		return this.#ended === undefined || this.#disposed ? undefined : {kind: 'actor-ended', message: this.#ended};
	}

	/** The credentials that the kernel has for the process, all of them: real, effective, saved and of the file system. */
	credentials(): Credentials | undefined {
		if (this.pid === undefined) {
			return undefined;
		}

		let status: string;
		try {
			status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
		} catch {
			return undefined; // The process is gone; its end is a gap of its own.
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
	Opens a connection, or sends the one packet that is asked for, and resolves when it is over.

	@throws {TestbedError} SYSCALL_FAILED when there is no socket to be had as that user; ACTOR_FAILED when a process that sends invalid packets cannot start.
	*/
	async open(id: string, to: Endpoint, {protocol = 'tcp', source, packet}: {readonly protocol?: 'tcp' | 'udp'; readonly source?: string | undefined; readonly packet?: 'invalid' | undefined} = {}): Promise<Done> {
		if (this.#ended !== undefined) {
			return {answered: false, reason: this.#ended};
		}

		if (packet === undefined) {
			return this.#client.open({
				id, to, protocol, source,
			});
		}

		// Who may write packets by itself is a matter of capabilities, which a thread that only borrows a user keeps.
		await this.#startProcess();
		return new Promise(resolve => {
			this.#open.set(id, resolve);
			this.#send({
				type: 'send-invalid', id, to, source,
			});
		});
	}

	/** Resolves when all that the process said so far has arrived. */
	async flush(): Promise<void> {
		if (this.#ended !== undefined || this.#process === undefined) {
			return;
		}

		const number = ++this.#flushCount;
		await new Promise<void>(resolve => {
			this.#flushes.set(number, resolve);
			this.#send({type: 'flush', number});
		});
	}

	/** Ends the process at once, as a crash would. For tests of what a run says then. */
	kill(): void {
		this.#process?.kill();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#disposed = true;
		this.#client.close();
		this.#process?.kill();
		await this.#process?.ended;
	}

	async #startProcess(): Promise<void> {
		this.#started ??= new Promise<void>((resolve, reject) => {
			this.#onReady = {resolve, reject};
			this.#process = startNode(program, {
				netns: this.#netns.descriptor,
				onMessage: message => {
					this.#receive(message as FromActor);
				},
			});
			void this.#watch(this.#process);
			this.#send({type: 'start', spec: this.spec});
		});
		return this.#started;
	}

	#send(message: ToActor): void {
		this.#process?.send(message);
	}

	async #watch({ended}: LongProcess): Promise<void> {
		const {exitCode, signal, stderr} = await ended;
		const how = signal === null ? `with status ${exitCode}` : `by ${signal}`;
		this.#ended = `The process of ${this.spec.name} (pid ${this.pid}) ended ${how}.${stderr === '' ? '' : ` ${stderr.trim()}`}`;
		this.#onReady?.reject(new TestbedError('ACTOR_FAILED', {message: this.#ended}));
		for (const resolve of this.#open.values()) {
			resolve({answered: false, reason: this.#ended});
		}

		for (const resolve of this.#flushes.values()) {
			resolve();
		}
	}

	#receive(message: FromActor): void {
		switch (message.type) {
			case 'ready': {
				this.#onReady?.resolve();
				break;
			}

			case 'socket': {
				this.records.push(message.record);
				break;
			}

			case 'done': {
				this.#open.get(message.id)?.(message);
				this.#open.delete(message.id);
				break;
			}

			case 'trouble': {
				this.troubles.push(message.message);
				break;
			}

			case 'flushed': {
				this.#flushes.get(message.number)?.();
				this.#flushes.delete(message.number);
				break;
			}

			case 'failed': {
				const {name, uid, gid} = this.spec;
				this.#onReady?.reject(new TestbedError('ACTOR_FAILED', {message: `${name} could not start as uid ${uid} gid ${gid}: ${message.message}`}));
				break;
			}
		}
	}
}
