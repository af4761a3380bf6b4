/**
The trace source of the real kernel. It turns tracing on from its own table, so the rules under test stay unchanged, and reads the kernel's events for each packet.

It reads on this thread: the kernel queues everything that a group of probes leaves, and reports what it had no room for. A thread of its own costs 60 ms of processor time to start (measured with Node 20.20), a tenth of a run.
*/

import {streamsOf, type TraceStream} from '../../src/netfilter/backends.js';
import type {Backend} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import type {Netns} from '../sandbox/netns.js';
import {closeDescriptor, errno} from '../syscalls/netns.js';
import {receiveNow} from '../syscalls/netlink-socket.js';
import {openTraceSocket, roomIn, smallestBuffer} from './trace-socket.js';
import {defaultBufferBytes, type Recording, type TraceSource} from './trace-source.js';
import type {TraceSwitch} from './trace-switch.js';
import type {TraceChoice} from './trace-table.js';

/** Messages that a probe of a run leaves at most, with all legs of its path: five times as many as the longest of the six types. */
const messagesOfProbe = 100;

/** How often the sockets are read while probes are in flight: rules that send packets round and round leave more messages than probes do. */
const everyMs = 20;

const buffer = new Uint8Array(1 << 17); // A batch of NFLOG is at most 64 KiB, a trace message some hundred bytes.

/** Reads the trace events of one namespace. nft events exist for all back ends: on iptables-legacy only those of the trace table, which prove that a packet was seen. */
export class NetlinkTraceSource implements TraceSource {
	readonly #netns: Netns;
	readonly #backend: Backend;
	readonly #bufferBytes: number;
	readonly #choice: TraceChoice;
	readonly #switch: TraceSwitch;
	readonly #datagrams: Array<Recording['datagrams'][number]> = [];
	#overruns = 0;
	#fault: string | undefined;
	#probesAtOnce: number | undefined;
	#sockets: Array<{readonly stream: TraceStream; readonly fd: number}> = [];
	#timer: NodeJS.Timeout | undefined;

	/** `traceSwitch` is that of the namespace. */
	constructor(netns: Netns, traceSwitch: TraceSwitch, {backend, bufferBytes = defaultBufferBytes, hasInvalid = false, hasAnswers = false}: Partial<TraceChoice> & {
		readonly backend: Backend; readonly bufferBytes?: number;
	}) {
		this.#netns = netns;
		this.#backend = backend;
		this.#bufferBytes = bufferBytes;
		this.#choice = {hasInvalid, hasAnswers};
		this.#switch = traceSwitch;
	}

	/** As the contract says. */
	get probesAtOnce(): number | undefined {
		return this.#probesAtOnce;
	}

	/** Opens the sockets, then turns tracing on, so that no event is missed. */
	async start(): Promise<void> {
		this.#netns.enter(() => {
			for (const stream of streamsOf(this.#backend)) {
				this.#sockets.push({stream, fd: openTraceSocket(stream, this.#bufferBytes)});
			}
		});
		this.#probesAtOnce = roomIn(smallestBuffer(this.#sockets.map(({fd}) => fd)), messagesOfProbe);
		this.#timer = setInterval(() => {
			this.drain();
		}, everyMs).unref();
		await this.#switch.turnOn(this.#choice);
	}

	/** As the contract says. The kernel queues an event before it lets the packet continue, so all events of a finished connection are here then. */
	drain(): void {
		for (const {stream, fd} of this.#sockets) {
			for (let length = receiveNow(fd, buffer); length !== -errno.EAGAIN; length = receiveNow(fd, buffer)) {
				if (length > 0) {
					this.#datagrams.push({stream, bytes: buffer.slice(0, length)});
				} else if (length === -errno.ENOBUFS) {
					this.#overruns++;
				} else if (length !== -errno.EINTR) {
					this.#fault = `reading the trace socket failed with error number ${-length}`;
					return;
				}
			}
		}
	}

	async stop(): Promise<Recording> {
		if (this.#timer === undefined) {
			throw new Error('The trace source was not started.');
		}

		this.drain();
		clearInterval(this.#timer);
		if (this.#fault !== undefined) {
			throw new TestbedError('SYSCALL_FAILED', {message: this.#fault, state: 'What the packets met is not known.', hint: 'Run it again.'});
		}

		return {datagrams: this.#datagrams, overruns: this.#overruns};
	}

	async [Symbol.asyncDispose](): Promise<void> {
		clearInterval(this.#timer);
		for (const {fd} of this.#sockets) {
			closeDescriptor(fd);
		}

		this.#sockets = [];
	}
}
