/**
The trace source of the real kernel. It switches tracing on from a table of its own, so the rules under test stay as they are, and reads what the kernel says of each packet.
*/

import {Worker} from 'node:worker_threads';
import type {Backend} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import type {Netns} from '../sandbox/netns.js';
import {
	closeDescriptor, createWaker, joinNetlinkGroup, openNetfilterSocket, wake,
} from '../syscalls.js';
import {configureNflog} from './nflog-config.js';
import type {Recording, TraceSource, TraceStream} from './recording.js';
import {switchTableText} from './switch-table.js';
import type {WorkerInput, WorkerOutput} from './worker.js';

const nftraceGroup = 9; // NFNLGRP_NFTRACE (linux/netfilter/nfnetlink.h)

/** Bytes that the kernel may queue per socket: enough for some 60,000 events. */
export const defaultBufferBytes = 64 << 20;

/** Reads trace events of one namespace. Nft's events come for both back ends: on iptables-legacy only those of the switch, which prove that a packet was seen. */
export class NetlinkTraceSource implements TraceSource {
	readonly #netns: Netns;
	readonly #backend: Backend;
	readonly #bufferBytes: number;
	#sockets: WorkerInput['sockets'] = [];
	#waker: number | undefined;
	#worker: Worker | undefined;
	#end: Promise<Recording> | undefined;

	constructor(netns: Netns, {backend, bufferBytes = defaultBufferBytes}: {readonly backend: Backend; readonly bufferBytes?: number}) {
		this.#netns = netns;
		this.#backend = backend;
		this.#bufferBytes = bufferBytes;
	}

	/** Opens the sockets, starts the reader, then switches tracing on: no packet is traced that nobody reads. */
	async start(): Promise<void> {
		const streams: readonly TraceStream[] = this.#backend === 'iptables-legacy' ? ['nft', 'nflog'] : ['nft'];
		this.#sockets = this.#netns.enter(() => streams.map(stream => {
			const fd = openNetfilterSocket(this.#bufferBytes);
			if (stream === 'nft') {
				joinNetlinkGroup(fd, nftraceGroup);
			} else {
				configureNflog(fd);
			}

			return {stream, fd};
		}));
		this.#waker = createWaker();
		const worker = new Worker(new URL('worker.js', import.meta.url), {workerData: {sockets: this.#sockets, waker: this.#waker} satisfies WorkerInput});
		this.#worker = worker;
		let ready: () => void = () => undefined;
		const started = new Promise<void>(resolve => {
			ready = resolve;
		});
		this.#end = new Promise<Recording>((resolve, reject) => {
			worker.on('error', reject);
			worker.on('exit', () => {
				reject(new TestbedError('SYSCALL_FAILED', {message: 'The thread that reads the trace ended before its time.'}));
			});
			worker.on('message', (message: WorkerOutput) => {
				if (message.type === 'ready') {
					ready();
				} else if (message.type === 'end') {
					resolve({datagrams: message.datagrams, overruns: message.overruns});
				} else {
					reject(new TestbedError('SYSCALL_FAILED', {message: message.message}));
				}
			});
		});
		this.#end.catch(() => undefined); // `stop` reports it; a run that fails earlier has its own error.
		await Promise.race([started, this.#end]);
		await this.#netns.run('nft', ['-f', '-'], {input: switchTableText});
	}

	async stop(): Promise<Recording> {
		if (this.#end === undefined || this.#waker === undefined) {
			throw new Error('The trace source was not started.');
		}

		wake(this.#waker);
		return this.#end;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (this.#waker !== undefined) {
			wake(this.#waker);
		}

		await this.#end?.catch(() => undefined);
		await this.#worker?.terminate();
		for (const fd of [...this.#sockets.map(socket => socket.fd), ...(this.#waker === undefined ? [] : [this.#waker])]) {
			closeDescriptor(fd);
		}

		this.#sockets = [];
		this.#waker = undefined;
	}
}
