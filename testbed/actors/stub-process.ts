/**
A handle on a stub process. Its program is `stub.ts`. It is the proxy of a run unless another is chosen, and all other actors that listen.
*/

import type {Endpoint} from '../../src/netfilter/path.js';
import {TestbedError} from '../errors.js';
import {startNode, type LongProcess} from '../system/exec.js';
import type {Done} from './client.js';
import type {ActorSpec, FromActor, ToActor} from './protocol.js';
import type {
	Configured, ListeningProcess, ProcessEvents, ProcessPlace, Proxy,
} from './proxy.js';

const program = new URL('stub.js', import.meta.url);

/** A running stub. */
export class StubProcess implements ListeningProcess {
	/** Starts one, as specified by {@link Proxy.start}. It loads its code while the namespace is still being configured. */
	static async start(place: ProcessPlace, events: ProcessEvents): Promise<StubProcess> {
		const stub = new StubProcess(place, events);
		try {
			await stub.#untilReady(place.configured);
			return stub;
		} catch (error) {
			await stub[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly #spec: ActorSpec;
	readonly #events: ProcessEvents;
	readonly #process: LongProcess;
	readonly #invalid = new Map<string, (done: Done) => void>();
	readonly #flushes = new Map<number, () => void>();
	#flushCount = 0;
	#ended: string | undefined;
	#onReady: {resolve: () => void; reject: (error: unknown) => void} | undefined;

	private constructor({netns, spec}: ProcessPlace, events: ProcessEvents) {
		this.#spec = spec;
		this.#events = events;
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

	/** Sends one packet that conntrack classifies as invalid, and resolves when it is refused or times out. */
	async sendInvalid({id, to, source}: {readonly id: string; readonly to: Endpoint; readonly source: string | undefined}): Promise<Done> {
		return new Promise(resolve => {
			this.#invalid.set(id, resolve);
			this.#send({
				type: 'send-invalid', id, to, source,
			});
		});
	}

	async flush(): Promise<void> {
		if (this.#ended !== undefined) {
			return;
		}

		const number = ++this.#flushCount;
		await new Promise<void>(resolve => {
			this.#flushes.set(number, resolve);
			this.#send({type: 'flush', number});
		});
	}

	kill(): void {
		this.#process.kill();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#process.kill();
		await this.#process.ended;
	}

	async #untilReady(configured: Configured | undefined): Promise<void> {
		const ready = new Promise<void>((resolve, reject) => {
			this.#onReady = {resolve, reject};
		});
		void this.#sendStart(configured);
		await ready;
	}

	async #sendStart(configured: Configured | undefined): Promise<void> {
		const [result] = await configured ?? [undefined];
		if (result?.status === 'rejected') {
			// Report why the namespace could not be configured, not the resulting missing address.
			this.#onReady?.reject(result.reason);
			return;
		}

		this.#send({type: 'start', spec: this.#spec});
	}

	#send(message: ToActor): void {
		this.#process.send(message);
	}

	async #watch(): Promise<void> {
		const {exitCode, signal, stderr} = await this.#process.ended;
		const how = signal === null ? `with status ${exitCode}` : `by ${signal}`;
		this.#ended = `The process of ${this.#spec.name} (pid ${this.pid}) ended ${how}.${stderr === '' ? '' : ` ${stderr.trim()}`}`;
		this.#events.onEnd(this.#ended);
		this.#onReady?.reject(new TestbedError('ACTOR_FAILED', {message: this.#ended}));
		for (const resolve of this.#invalid.values()) {
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
				this.#events.onRecord(message.record);
				break;
			}

			case 'done': {
				this.#invalid.get(message.id)?.(message);
				this.#invalid.delete(message.id);
				break;
			}

			case 'trouble': {
				this.#events.onTrouble(message.message);
				break;
			}

			case 'flushed': {
				this.#flushes.get(message.number)?.();
				this.#flushes.delete(message.number);
				break;
			}

			case 'failed': {
				const {name, uid, gid} = this.#spec;
				this.#onReady?.reject(new TestbedError('ACTOR_FAILED', {message: `${name} could not start as uid ${uid} gid ${gid}: ${message.message}`}));
				break;
			}
		}
	}
}

/** The built-in proxy: it handles sockets like Envoy (docs/limits.md lists the differences). */
export const stubProxy: Proxy = {name: 'stub', start: StubProcess.start};
