/**
A worker thread that answers one message at a time.
*/

import type {Worker} from 'node:worker_threads';
import {TestbedError} from '../errors.js';
import {startThread} from '../system/start-thread.js';

type Answer = {readonly type: string};
type Waiting = {readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void};

/** One thread, whose program says something once it is loaded. Answers that arrive while none is awaited are queued. An idle thread does not keep the process alive, even if it is never disposed of. */
export class Thread implements AsyncDisposable {
	readonly #worker: Worker;
	readonly #name: string;
	readonly #said: Answer[] = [];
	readonly #loaded: Promise<unknown>;
	#waiting: Waiting | undefined;
	#failure: Error | undefined;

	/** `youngMb` limits the memory for new objects, in MiB: for a thread that keeps none of them. */
	constructor(program: URL, {name, workerData, youngMb}: {readonly name: string; readonly workerData: object; readonly youngMb?: number}) {
		this.#name = name;
		this.#worker = startThread(program, {workerData, ...(youngMb === undefined ? {} : {resourceLimits: {maxYoungGenerationSizeMb: youngMb}})});
		this.#worker.unref();
		this.#loaded = Promise.race(['message', 'error', 'exit'].map(async event => new Promise(resolve => {
			this.#worker.once(event, resolve);
		})));
		this.#worker.on('message', (answer: Answer) => {
			if (answer.type === 'error') {
				this.#fail((answer as unknown as {message: string}).message);
			} else if (this.#waiting === undefined) {
				this.#said.push(answer);
			} else {
				this.#waiting.resolve(answer);
				this.#waiting = undefined;
			}
		});
		this.#worker.on('error', (error: Error) => {
			this.#fail(error.message, error);
		});
		this.#worker.on('exit', () => {
			this.#fail('it ended unexpectedly');
		});
	}

	/**
	The next answer, which must be of the given type.

	@throws {TestbedError} SYSCALL_FAILED if the thread fails or ends.
	*/
	async next<T extends Answer, K extends T['type']>(type: K): Promise<Extract<T, {type: K}>> {
		const answer = await this.#answer();
		if (answer.type !== type) {
			throw new Error(`The thread that ${this.#name} answered ${answer.type}; expected ${type}.`);
		}

		return answer as Extract<T, {type: K}>;
	}

	/** Posts a message to the thread. */
	tell(message: object): void {
		this.#worker.postMessage(message);
	}

	/** Ends the thread, once it is loaded: koffi 3.3 aborts the whole process if its thread is ended while it loads (`napi_throw`, measured with Node 20.20). */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#worker.ref();
		await this.#loaded;
		await this.#worker.terminate();
	}

	async #answer(): Promise<Answer> {
		this.#worker.ref();
		try {
			return await new Promise<Answer>((resolve, reject) => {
				const said = this.#said.shift();
				if (said !== undefined) {
					resolve(said);
				} else if (this.#failure === undefined) {
					this.#waiting = {resolve, reject};
				} else {
					reject(this.#failure);
				}
			});
		} finally {
			this.#worker.unref();
		}
	}

	#fail(reason: string, cause?: Error): void {
		this.#failure ??= new TestbedError('SYSCALL_FAILED', {message: `The thread that ${this.#name} failed: ${reason}.`, cause});
		this.#waiting?.reject(this.#failure);
		this.#waiting = undefined;
	}
}
