/**
Sends any number of probes through one rule set, some at a time, in as many sandboxes as keep the processors busy. A prober's thread that sends is a processor's work, and reading the trace, joining, and what its caller does with the results are less than another's: so a second sandbox with the same rules sends half as many again (bench/prober.ts), and is worth its start only if there is much to send.
*/

import os from 'node:os';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {TestbedError} from '../errors.js';
import {OneByOne} from '../system/one-by-one.js';
import type {ProberSandbox, ProbeOutcome, SendOptions} from './prober-sandbox.js';

/** Probes that were sent together, and what was seen of each. */
export type SentProbes = {readonly questions: readonly ProbeSpec[]; readonly probeResults: readonly ProbeOutcome[]};

/** What is needed of a sandbox. */
export type ProbeSender = Pick<ProberSandbox, 'send' | 'repeated'> & AsyncDisposable;

/** A sandbox, and what waits for it: it takes one call at a time. */
type Job = {readonly sender: ProbeSender; readonly calls: OneByOne};

const jobsMax = Math.min(2, os.availableParallelism());
/** After so many chunks, a second sandbox has earned its start if there are as many again. */
const earlyChunks = 4;

/** One sandbox, and later another one. The creator disposes of it. */
export class ManyProbes implements AsyncDisposable {
	/**
	Opens the first sandbox. For the second, `open` is called again, once there is much to send; `max` is how many it may be, by default as many as there are processors, two at most.

	@throws what `open` throws.
	*/
	static async open(open: () => Promise<ProbeSender>, max = jobsMax): Promise<ManyProbes> {
		return new ManyProbes(await open(), {open, max});
	}

	readonly #jobs: Job[];
	readonly #open: () => Promise<ProbeSender>;
	readonly #max: number;
	#opening: Promise<void> | undefined;
	#failure: {readonly error: unknown} | undefined;

	private constructor(first: ProbeSender, {open, max}: {readonly open: () => Promise<ProbeSender>; readonly max: number}) {
		this.#open = open;
		this.#max = max;
		this.#jobs = [{sender: first, calls: new OneByOne()}];
	}

	/** The number of probes that were sent again because their evidence was incomplete. */
	get repeated(): number {
		return this.#jobs.reduce((sum, {sender}) => sum + sender.repeated, 0);
	}

	/**
	Sends the probes of each chunk, and returns what was seen in the order of the chunks, as soon as it is there. If reading chunks fails, what was sent before is returned first. `read` must end when its signal says so, even if it waits for someone who is typing: then nobody wants more.

	@throws what reading them throws, and {@link ProberSandbox.send}.
	*/
	async * send(read: (signal: AbortSignal) => AsyncIterable<readonly ProbeSpec[]>, options: SendOptions): AsyncGenerator<SentProbes, void> {
		const enough = new AbortController();
		const iterator = read(AbortSignal.any([enough.signal, ...(options.signal === undefined ? [] : [options.signal])]))[Symbol.asyncIterator]();
		const pending: Array<Promise<SentProbes>> = [];
		let reading: Promise<Read> | undefined;
		let [taken, isOver] = [0, false];
		let fault: {readonly error: unknown} | undefined;
		try {
			for (;;) {
				// One more than are being sent, so that none of the sandboxes waits for it.
				if (reading === undefined && !isOver && pending.length <= this.#jobs.length) {
					reading = readOf(iterator);
				}

				const [oldest] = pending;
				if (reading === undefined && oldest === undefined) {
					break;
				}

				const event = await Promise.race([...(reading === undefined ? [] : [reading]), ...(oldest === undefined ? [] : [oldest])]); // eslint-disable-line no-await-in-loop -- What comes first decides what follows.
				if ('probeResults' in event) {
					void pending.shift();
					yield event;
					continue;
				}

				reading = undefined;
				if ('error' in event || event.done === true) {
					isOver = true;
					fault = 'error' in event ? event : undefined;
					continue;
				}

				const sent = this.#sendChunk(event.value, taken++, options);
				void Promise.allSettled([sent]); // A failure is noticed when its turn has come.
				pending.push(sent);
				this.#openAnother(taken);
			}
		} finally {
			enough.abort();
			await Promise.allSettled([...pending, reading]);
			await iterator.return?.();
		}

		if (fault !== undefined) {
			throw fault.error as Error;
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#opening;
		for (const {sender, calls} of this.#jobs) {
			await calls.ended(); // eslint-disable-line no-await-in-loop -- At most two.
			await sender[Symbol.asyncDispose](); // eslint-disable-line no-await-in-loop -- As above.
		}
	}

	async #sendChunk(questions: readonly ProbeSpec[], place: number, options: SendOptions): Promise<SentProbes> {
		if (this.#failure !== undefined) {
			throw this.#failure.error as Error;
		}

		const {sender, calls} = this.#jobs[place % this.#jobs.length]!;
		return {questions, probeResults: await calls.run(async () => sender.send(questions, options))};
	}

	#openAnother(chunks: number): void {
		if (this.#opening === undefined && this.#max > 1 && chunks > earlyChunks) {
			this.#opening = this.#add();
		}
	}

	/** If the machine has no room for another sandbox, the first one does all. */
	async #add(): Promise<void> {
		try {
			this.#jobs.push({sender: await this.#open(), calls: new OneByOne()});
		} catch (error) {
			this.#failure = error instanceof TestbedError ? undefined : {error};
		}
	}
}

/** What was read, or why nothing was. */
type Read = IteratorResult<readonly ProbeSpec[]> | {readonly error: unknown};

async function readOf(iterator: AsyncIterator<readonly ProbeSpec[]>): Promise<Read> {
	try {
		return await iterator.next();
	} catch (error) {
		return {error};
	}
}
