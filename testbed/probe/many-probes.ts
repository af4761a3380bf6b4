/**
Sends any number of probes through one rule set, some at a time, in as many sandboxes as keep the processors busy. A prober's thread that sends is a processor's work, and reading the trace, joining, and what its caller does with the results are less than another's: so a second sandbox with the same rules sends half as many again (bench/many-rules.ts), and is worth its start only if there is much to send.
*/

import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {TestbedError} from '../errors.js';
import {OneByOne} from '../system/one-by-one.js';
import {shortageOf} from '../system/shortage.js';
import {busyJobs} from '../system/worker-pool.js';
import type {ProberSandbox, ProbeOutcome, SendOptions} from './prober-sandbox.js';

/** Probes that were sent together, and what was seen of each. */
export type SentProbes = {readonly questions: readonly ProbeSpec[]; readonly probeResults: readonly ProbeOutcome[]};

/** What is needed of a sandbox. */
export type ProbeSender = Pick<ProberSandbox, 'send' | 'repeated'> & AsyncDisposable;

/** A sandbox, and what waits for it: it takes one call at a time. */
type Job = {readonly sender: ProbeSender; readonly calls: OneByOne};

/** After so many probes, a second sandbox has earned its start if there are as many again. */
const usuallyMany = 8192;

/** One sandbox, and later another one. The creator disposes of it. */
export class ManyProbes implements AsyncDisposable {
	/**
	Opens the first sandbox. For the second, `open` is called again, once there are more than `many` probes; `max` is how many it may be: one, if the rules count packets, because each sandbox counts for itself; by default as many as there are processors, two at most.

	@throws what `open` throws.
	*/
	static async open(open: () => Promise<ProbeSender>, {max = busyJobs, many = usuallyMany}: {readonly max?: number; readonly many?: number} = {}): Promise<ManyProbes> {
		return new ManyProbes(await open(), {open, max, many});
	}

	readonly #jobs: Job[];
	readonly #open: () => Promise<ProbeSender>;
	readonly #max: number;
	readonly #many: number;
	/** What opening the second sandbox failed with, if that is to be told. */
	#opening: Promise<{readonly error: unknown} | undefined> | undefined;

	private constructor(first: ProbeSender, {open, max, many}: {readonly open: () => Promise<ProbeSender>; readonly max: number; readonly many: number}) {
		this.#open = open;
		this.#max = max;
		this.#many = many;
		this.#jobs = [{sender: first, calls: new OneByOne()}];
	}

	/** The number of probes that were sent again because their evidence was incomplete. */
	get repeated(): number {
		return this.#jobs.reduce((sum, {sender}) => sum + sender.repeated, 0);
	}

	/**
	Sends the probes of each chunk, and returns what was seen in the order of the chunks, as soon as it is there. If reading chunks fails, what was sent before is returned first. `read` must end when its signal says so, even if it waits for someone who is typing: then nobody wants more. `before` is how many probes messages number before the first.

	@throws what reading them throws, and {@link ProberSandbox.send}.
	*/
	async * send(read: (signal: AbortSignal) => AsyncIterable<readonly ProbeSpec[]>, {signal: given, before = 0, ...options}: Pick<SendOptions, 'follow' | 'signal'> & {readonly before?: number | undefined}): AsyncGenerator<SentProbes, void> {
		const enough = new AbortController();
		const signal = AbortSignal.any([enough.signal, ...(given === undefined ? [] : [given])]);
		const iterator = read(signal)[Symbol.asyncIterator]();
		const pending: Array<Promise<SentProbes>> = [];
		let reading: Promise<Read> | undefined;
		const taken = {chunks: 0, probes: 0};
		let isOver = false;
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

				const first = before + taken.probes + 1;
				const sent = this.#sendChunk(event.value, taken.chunks++, {...options, signal, numberOf: index => first + index});
				void Promise.allSettled([sent]); // A failure is noticed when its turn has come.
				pending.push(sent);
				taken.probes += event.value.length;
				this.#openAnother(taken.probes);
			}
		} finally {
			enough.abort();
			await Promise.allSettled([...pending, reading]);
			await iterator.return?.();
		}

		fault ??= await this.#opening;
		if (fault !== undefined) {
			throw fault.error as Error;
		}
	}

	/** Removes both sandboxes, even if removing one of them fails. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.#opening;
		const ended = await Promise.allSettled(this.#jobs.map(async ({sender, calls}) => {
			await calls.ended();
			await sender[Symbol.asyncDispose]();
		}));
		for (const each of ended) {
			if (each.status === 'rejected') {
				throw each.reason as Error;
			}
		}
	}

	async #sendChunk(questions: readonly ProbeSpec[], place: number, options: SendOptions): Promise<SentProbes> {
		const {sender, calls} = this.#jobs[place % this.#jobs.length]!;
		return {
			questions,
			probeResults: await calls.run(async () => {
				options.signal?.throwIfAborted();
				return sender.send(questions, options);
			}),
		};
	}

	#openAnother(probes: number): void {
		if (this.#opening === undefined && this.#max > 1 && probes > this.#many) {
			this.#opening = this.#add();
		}
	}

	/** Adds a sandbox. If the machine has no room for it, the first one does all; any other error is returned. */
	async #add(): Promise<{readonly error: unknown} | undefined> {
		try {
			this.#jobs.push({sender: await this.#open(), calls: new OneByOne()});
			return undefined;
		} catch (error) {
			return error instanceof TestbedError || shortageOf(error) !== undefined ? undefined : {error};
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
