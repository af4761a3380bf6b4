/**
The trace source of the real kernel. It switches tracing on from a table of its own, so the rules under test stay as they are, and reads what the kernel says of each packet.
*/

import {once} from 'node:events';
import {Worker} from 'node:worker_threads';
import {streamsOf} from '../../src/netfilter/backends.js';
import type {Backend} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import type {Netns} from '../sandbox/netns.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {createWaker, wake} from '../syscalls/poll.js';
import {openTraceSocket} from './trace-socket.js';
import {defaultBufferBytes, type Recording, type TraceSource} from './trace-source.js';
import {traceTableText} from './trace-table.js';
import type {WorkerInput, WorkerOutput} from './trace-thread.js';

/** The next message of a thread; rejects when the thread fails. */
async function nextMessage(worker: Worker): Promise<WorkerOutput> {
	const [message] = await once(worker, 'message') as [WorkerOutput];
	return message;
}

/** Reads trace events of one namespace. Nft's events come for both back ends: on iptables-legacy only those of the switch, which prove that a packet was seen. */
export class NetlinkTraceSource implements TraceSource {
	readonly #netns: Netns;
	readonly #backend: Backend;
	readonly #bufferBytes: number;
	readonly #hasInvalid: boolean;
	#sockets: Array<WorkerInput['sockets'][number]> = [];
	#waker: number | undefined;
	#worker: Worker | undefined;
	#end: Promise<readonly [PromiseSettledResult<WorkerOutput>]> | undefined;

	constructor(netns: Netns, {backend, bufferBytes = defaultBufferBytes, hasInvalid = false}: {readonly backend: Backend; readonly bufferBytes?: number; readonly hasInvalid?: boolean}) {
		this.#netns = netns;
		this.#backend = backend;
		this.#bufferBytes = bufferBytes;
		this.#hasInvalid = hasInvalid;
	}

	/** Opens the sockets, starts the reader, then switches tracing on: no packet is traced that nobody reads. */
	async start(): Promise<void> {
		this.#netns.enter(() => {
			for (const stream of streamsOf(this.#backend)) {
				this.#sockets.push({stream, fd: openTraceSocket(stream, this.#bufferBytes)});
			}
		});
		this.#waker = createWaker();
		this.#worker = new Worker(new URL('trace-thread.js', import.meta.url), {workerData: {sockets: this.#sockets, waker: this.#waker} satisfies WorkerInput});
		await nextMessage(this.#worker);
		// Settled, not thrown: `stop` reports what the thread says, and a run that fails earlier has its own error.
		this.#end = Promise.allSettled([nextMessage(this.#worker)]);
		await this.#netns.runConfined('nft', ['-f', '-'], {input: traceTableText({hasInvalid: this.#hasInvalid})});
	}

	async stop(): Promise<Recording> {
		if (this.#end === undefined || this.#waker === undefined) {
			throw new Error('The trace source was not started.');
		}

		wake(this.#waker);
		const [end] = await this.#end;
		if (end.status === 'rejected') {
			throw new TestbedError('SYSCALL_FAILED', {message: 'The thread that reads the trace failed.', cause: end.reason});
		}

		if (end.value.type !== 'end') {
			throw new TestbedError('SYSCALL_FAILED', {message: end.value.type === 'error' ? end.value.message : 'The thread that reads the trace began twice.'});
		}

		const {datagrams, overruns} = end.value;
		return {datagrams, overruns};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#waker !== undefined) {
			wake(this.#waker);
		}

		await this.#end;
		await this.#worker?.terminate();
		for (const fd of [...this.#sockets.map(socket => socket.fd), ...(this.#waker === undefined ? [] : [this.#waker])]) {
			closeDescriptor(fd);
		}

		this.#sockets = [];
		this.#waker = undefined;
	}
}
