/**
A handle on a stub process. Its program is `stub.ts`. It is the proxy of a run unless another is chosen, and all other actors that listen. Actors of one user in one namespace can share a process: no rule can tell them apart (the owner match knows users and groups), and starting Node costs more than anything else in a run.
*/

import type {Endpoint} from '../../src/netfilter/path.js';
import {TestbedError} from '../errors.js';
import type {Netns} from '../sandbox/netns.js';
import {startNode, type LongProcess} from '../system/exec.js';
import type {Done} from './client.js';
import type {ActorSpec, FromActor, ToActor} from './protocol.js';
import type {
	ListeningProcess, ProcessEvents, ProcessPlace, Proxy,
} from './proxy.js';

const program = new URL('stub.js', import.meta.url);

/** How long a stub may take from the word to start until it listens, in milliseconds: on a busy machine some seconds, and forever if it gets no thread (Node then hangs before it runs its program). */
const startMs = 60_000;

/** An actor of a stub process, and who is told what it does. */
export type StubMember = {readonly spec: ActorSpec; readonly events: ProcessEvents};

/** A running stub. */
export class StubProcess implements ListeningProcess {
	/**
	Starts one for all of these actors, as specified by {@link Proxy.start}. It loads its code while the namespace is still being configured.

	@param members At least one; all have the same user, group and transparency.
	@param limitMs How long it may take.
	@throws {TestbedError} as {@link Proxy.start} does, and ACTOR_FAILED if it takes longer; the message names the actor.
	*/
	static async start({netns, configured}: Omit<ProcessPlace, 'spec'>, members: readonly StubMember[], limitMs = startMs): Promise<StubProcess> {
		const stub = new StubProcess(netns, members);
		try {
			await stub.#untilReady(configured, limitMs);
			return stub;
		} catch (error) {
			await stub[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly #members: ReadonlyMap<string, StubMember>;
	readonly #process: LongProcess;
	readonly #invalid = new Map<string, (done: Done) => void>();
	readonly #asked = new Map<number, () => void>();
	#askedCount = 0;
	#ended: string | undefined;
	#onReady: {resolve: () => void; reject: (error: unknown) => void} | undefined;

	private constructor(netns: Netns, members: readonly StubMember[]) {
		this.#members = new Map(members.map(member => [member.spec.name, member]));
		this.#process = startNode(program, {
			netns: netns.descriptor,
			onMessage: message => {
				this.#receive(message as FromActor);
			},
		});
		void this.#watch();
	}

	get pid(): number {
		return this.#process.pid;
	}

	/** Sends one packet that conntrack classifies as invalid for one of its actors, and resolves when it is refused or times out. */
	async sendInvalid(actor: string, {id, to, source}: {readonly id: string; readonly to: Endpoint; readonly source: string | undefined}): Promise<Done> {
		return new Promise(resolve => {
			this.#invalid.set(id, resolve);
			this.#send({
				type: 'send-invalid', actor, id, to, source,
			});
		});
	}

	async flush(): Promise<void> {
		return this.#ask('flush');
	}

	async untilIdle(): Promise<void> {
		return this.#ask('until-idle');
	}

	kill(): void {
		this.#process.kill();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#process.kill();
		await this.#process.ended;
	}

	async #untilReady(configured: ProcessPlace['configured'], limitMs: number): Promise<void> {
		const ready = new Promise<void>((resolve, reject) => {
			this.#onReady = {resolve, reject};
		});
		let isOver = false;
		let timer: NodeJS.Timeout | undefined;
		const armTimer = async (): Promise<void> => {
			// The namespace's commands have limits of their own.
			await this.#sendStart(configured);
			if (!isOver) {
				timer = setTimeout(() => {
					this.#onReady?.reject(new TestbedError('ACTOR_FAILED', {
						message: `${this.#names} (pid ${this.pid}) did not start within ${limitMs / 1000} s.`, hint: 'Is the machine very busy, or short of threads (ulimit -u, pids.max of the control group)?',
					}));
				}, limitMs);
			}
		};

		void armTimer();
		try {
			await ready;
		} finally {
			isOver = true;
			clearTimeout(timer);
		}
	}

	async #sendStart(configured: ProcessPlace['configured']): Promise<void> {
		const [result] = await configured ?? [undefined];
		if (result?.status === 'rejected') {
			// Report why the namespace could not be configured, not the resulting missing address.
			this.#onReady?.reject(result.reason);
			return;
		}

		this.#send({type: 'start', specs: [...this.#members.values()].map(({spec}) => spec)});
	}

	/** Asks the process for something, and resolves once it has done it, or has ended. */
	async #ask(type: 'flush' | 'until-idle'): Promise<void> {
		if (this.#ended !== undefined) {
			return;
		}

		const number = ++this.#askedCount;
		await new Promise<void>(resolve => {
			this.#asked.set(number, resolve);
			this.#send({type, number});
		});
	}

	#send(message: ToActor): void {
		this.#process.send(message);
	}

	get #names(): string {
		return [...this.#members.keys()].join(' and ');
	}

	async #watch(): Promise<void> {
		const {exitCode, signal, stderr} = await this.#process.ended;
		const how = signal === null ? `with status ${exitCode}` : `by ${signal}`;
		const endOf = (name: string): string => `The process of ${name} (pid ${this.pid}) ended ${how}.${stderr === '' ? '' : ` ${stderr.trim()}`}`;
		this.#ended = endOf(this.#names);
		for (const [name, {events}] of this.#members) {
			events.onEnd(endOf(name));
		}

		this.#onReady?.reject(new TestbedError('ACTOR_FAILED', {message: this.#ended}));
		for (const resolve of this.#invalid.values()) {
			resolve({answered: false, reason: this.#ended});
		}

		for (const resolve of this.#asked.values()) {
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
				this.#members.get(message.actor)?.events.onRecord(message.record);
				break;
			}

			case 'done': {
				this.#invalid.get(message.id)?.(message);
				this.#invalid.delete(message.id);
				break;
			}

			case 'trouble': {
				this.#members.get(message.actor)?.events.onTrouble(message.message);
				break;
			}

			case 'heard': {
				this.#asked.get(message.number)?.();
				this.#asked.delete(message.number);
				break;
			}

			case 'failed': {
				const {spec: {uid, gid}} = [...this.#members.values()][0]!;
				this.#onReady?.reject(new TestbedError('ACTOR_FAILED', {message: `${message.actor ?? this.#names} could not start as uid ${uid} gid ${gid}: ${message.message}`}));
				break;
			}
		}
	}
}

/** The built-in proxy: it handles sockets like Envoy (docs/limits.md lists the differences). */
export const stubProxy: Proxy = {
	name: 'stub',
	async start(place, events) {
		return StubProcess.start(place, [{spec: place.spec, events}]);
	},
};
