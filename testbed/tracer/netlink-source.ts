/**
The trace source of the real kernel. It turns tracing on from its own table, so the rules under test stay unchanged, and reads the kernel's events for each packet.
*/

import {once} from 'node:events';
import {Worker} from 'node:worker_threads';
import {streamsOf} from '../../src/netfilter/backends.js';
import type {Backend} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import type {Netns} from '../sandbox/netns.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {createWaker, wake} from '../syscalls/poll.js';
import {openTraceSocket, packetsWithRoom} from './trace-socket.js';
import {defaultBufferBytes, type Recording, type TraceSource} from './trace-source.js';
import {traceTableText} from './trace-table.js';
import type {WorkerInput, WorkerOutput} from './trace-thread.js';

/** Messages that a probe of a run leaves at most, with all legs of its path: five times as many as the longest of the six types. */
const messagesOfProbe = 100;

/** Threads that are not reading. Starting one costs 60 ms of processor time (measured with Node 20.20), and `mutate` has hundreds of sources, one after another. */
const idle: Worker[] = [];

/** A thread that is not reading yet. It keeps the process alive until it is given back. */
function takeThread(): Worker {
	for (let worker = idle.pop(); worker !== undefined; worker = idle.pop()) {
		if (worker.threadId !== -1) { // Otherwise it has ended meanwhile.
			worker.ref();
			return worker;
		}
	}

	return new Worker(new URL('trace-thread.js', import.meta.url));
}

/** Keeps a thread that has finished one source for the next. */
function giveBack(worker: Worker): void {
	worker.unref();
	idle.push(worker);
}

/** Rejects once a thread has ended, whether by an error or without one. */
async function endOf(worker: Worker, options: {readonly signal: AbortSignal}): Promise<never> {
	// The thread of an earlier source may have ended meanwhile; then there is no further event.
	const [exitCode] = worker.threadId === -1 ? ['unknown'] : await once(worker, 'exit', options) as [unknown];
	throw new Error(`it ended unexpectedly (exit code ${String(exitCode)})`);
}

/**
The next message of a thread.

@throws {TestbedError} SYSCALL_FAILED if the thread fails or ends: it never answers then.
*/
async function nextMessage(worker: Worker): Promise<WorkerOutput> {
	const over = new AbortController();
	try {
		const [message] = await Promise.race([once(worker, 'message', over), endOf(worker, over)]) as [WorkerOutput];
		return message;
	} catch (error) {
		throw new TestbedError('SYSCALL_FAILED', {
			message: `The thread that reads the trace failed: ${error instanceof Error ? error.message : String(error)}.`, state: 'What the packets met is not known.', hint: 'Run it again.', cause: error,
		});
	} finally {
		over.abort();
	}
}

/** Reads the trace events of one namespace. nft events exist for all back ends: on iptables-legacy only those of the trace table, which prove that a packet was seen. */
export class NetlinkTraceSource implements TraceSource {
	readonly #netns: Netns;
	readonly #backend: Backend;
	readonly #bufferBytes: number;
	#probesAtOnce: number | undefined;
	readonly #switch: {readonly hasInvalid: boolean; readonly hasAnswers: boolean};
	#sockets: Array<WorkerInput['sockets'][number]> = [];
	#waker: number | undefined;
	#worker: Worker | undefined;
	#end: Promise<readonly [PromiseSettledResult<WorkerOutput>]> | undefined;

	constructor(netns: Netns, {backend, bufferBytes = defaultBufferBytes, hasInvalid = false, hasAnswers = false}: {
		readonly backend: Backend; readonly bufferBytes?: number; readonly hasInvalid?: boolean; readonly hasAnswers?: boolean;
	}) {
		this.#netns = netns;
		this.#backend = backend;
		this.#bufferBytes = bufferBytes;
		this.#switch = {hasInvalid, hasAnswers};
	}

	/** As the contract says. */
	get probesAtOnce(): number | undefined {
		return this.#probesAtOnce;
	}

	/** Opens the sockets, starts the reader, then turns tracing on, so that no event is missed. */
	async start(): Promise<void> {
		this.#netns.enter(() => {
			for (const stream of streamsOf(this.#backend)) {
				this.#sockets.push({stream, fd: openTraceSocket(stream, this.#bufferBytes)});
			}
		});
		this.#probesAtOnce = packetsWithRoom(this.#sockets.map(({fd}) => fd), {askedBytes: this.#bufferBytes, messages: messagesOfProbe});
		this.#waker = createWaker();
		this.#worker = takeThread();
		this.#worker.postMessage({sockets: this.#sockets, waker: this.#waker} satisfies WorkerInput);
		await nextMessage(this.#worker);
		// `allSettled`, so that it never rejects: `stop` reports the thread's error, and a run that fails earlier has its own.
		this.#end = Promise.allSettled([nextMessage(this.#worker)]);
		await this.#netns.runConfined('nft', ['-f', '-'], {input: traceTableText(this.#switch)});
	}

	async stop(): Promise<Recording> {
		if (this.#end === undefined || this.#waker === undefined) {
			throw new Error('The trace source was not started.');
		}

		wake(this.#waker);
		const [end] = await this.#end;
		if (end.status === 'rejected') {
			throw end.reason as TestbedError;
		}

		if (end.value.type !== 'end') {
			throw new TestbedError('SYSCALL_FAILED', {message: end.value.type === 'error' ? end.value.message : 'The thread that reads the trace reported ready twice.'});
		}

		const {datagrams, overruns} = end.value;
		return {datagrams, overruns};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#waker !== undefined) {
			wake(this.#waker);
		}

		const [end] = await this.#end ?? [undefined];
		if (this.#worker !== undefined) {
			if (end?.status === 'fulfilled' && end.value.type === 'end') {
				giveBack(this.#worker);
			} else {
				await this.#worker.terminate();
			}

			this.#worker = undefined;
		}

		for (const fd of [...this.#sockets.map(socket => socket.fd), ...(this.#waker === undefined ? [] : [this.#waker])]) {
			closeDescriptor(fd);
		}

		this.#sockets = [];
		this.#waker = undefined;
	}
}
