/**
A handle on the thread that reads the trace (`reader-thread.ts`) and on its sockets.
*/

import {streamsOf, type TraceStream} from '../../src/netfilter/backends.js';
import type {Traversal} from '../../src/netfilter/path.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';
import type {Netns} from '../sandbox/netns.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {openTraceSocket, packetsWithRoom} from '../tracer/trace-socket.js';
import {traceTable} from '../sandbox/own-table.js';
import {
	commands, shared, type ReaderAnswer, type ReaderInput, type ReaderRequest,
} from './protocol.js';
import {Thread} from './thread.js';

/** The trace of a batch: rows of packets, new traversals, and what is missing. */
export type TakenTrace = {readonly rows: Int32Array; readonly traversals: readonly Traversal[]; readonly gaps: readonly Gap[]};

/** How many probes the reader may lag behind: some 15,000 messages, half of the default buffer. */
const lagMax = 512;
/** Messages that the first packet of a probe leaves at most, counted generously. */
const messagesOfProbe = 30;

/** Reads the trace of one namespace. */
export class TraceReader implements AsyncDisposable {
	/** Opens the sockets, tells the senders how far the reader may lag behind (`shared.window`), and starts the thread; resolves once it is reading. */
	static async start({netns, backend, bufferBytes, ...input}: {
		readonly netns: Netns;
		readonly backend: Backend;
		readonly bufferBytes: number;
		readonly memory: SharedArrayBuffer;
		readonly ruleSet: RuleSet;
		readonly loaded: readonly LoadedRule[];
	}): Promise<TraceReader> {
		const sockets: Array<{readonly stream: TraceStream; readonly fd: number}> = [];
		let thread: Thread | undefined;
		try {
			netns.enter(() => {
				for (const stream of streamsOf(backend)) {
					sockets.push({stream, fd: openTraceSocket(stream, bufferBytes)});
				}
			});
			const descriptors = sockets.map(({fd}) => fd);
			const words = new Int32Array(input.memory);
			Atomics.store(words, shared.window, Math.min(lagMax, packetsWithRoom(descriptors, {askedBytes: bufferBytes, messages: messagesOfProbe}) ?? lagMax));
			thread = new Thread(new URL('reader-thread.js', import.meta.url), {
				name: 'reads the trace', youngMb: 4, workerData: {
					...input, sockets, interfaces: netns.interfaces(), traceTable,
				} satisfies ReaderInput,
			});
			const reader = new TraceReader(thread, descriptors, words);
			await thread.next<ReaderAnswer, 'ready'>('ready');
			return reader;
		} catch (error) {
			await thread?.[Symbol.asyncDispose]();
			for (const {fd} of sockets) {
				closeDescriptor(fd);
			}

			throw error;
		}
	}

	readonly #thread: Thread;
	readonly #descriptors: readonly number[];
	readonly #words: Int32Array;

	private constructor(thread: Thread, descriptors: readonly number[], words: Int32Array) {
		this.#thread = thread;
		this.#descriptors = descriptors;
		this.#words = words;
	}

	/** The trace of the current batch so far: rows of packets, which may not be complete yet, and new traversals. */
	async peek(): Promise<Pick<TakenTrace, 'rows' | 'traversals'>> {
		this.#command(commands.peek);
		return this.#thread.next<ReaderAnswer, 'rows'>('rows');
	}

	/** Everything traced since the last call; ends the batch. */
	async take(): Promise<TakenTrace> {
		this.#command(commands.take);
		const {batch: {rows, gaps, orphans}, traversals, overruns} = await this.#thread.next<ReaderAnswer, 'batch'>('batch');
		return {
			rows,
			traversals,
			gaps: [
				...gaps,
				...(overruns > 0 ? [{kind: 'lost-events', message: `The trace socket overflowed ${overruns} times, so events were lost.`} satisfies Gap] : []),
				...(orphans > 0 ? [{kind: 'lost-events', message: `${orphans} trace events do not follow from the events before them.`} satisfies Gap] : []),
			],
		};
	}

	/** Reads from now on with other rules. No packet may be in flight. */
	async renew(request: ReaderRequest): Promise<void> {
		this.#thread.tell(request);
		this.#command(commands.renew);
		await this.#thread.next<ReaderAnswer, 'renewed'>('renewed');
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#command(commands.end);
		await this.#thread[Symbol.asyncDispose]();
		for (const fd of this.#descriptors) {
			closeDescriptor(fd);
		}
	}

	#command(command: number): void {
		Atomics.store(this.#words, shared.command, command);
		Atomics.add(this.#words, shared.tick, 1);
		Atomics.notify(this.#words, shared.tick);
	}
}
