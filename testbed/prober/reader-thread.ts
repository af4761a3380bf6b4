/**
The thread that reads the trace while probes are sent. It does not wait on the socket but is woken by the senders after a handful of probes: waking it for each of some twenty messages per probe would cost the sender more than the trace itself (bench).
*/

import {parentPort, receiveMessageOnPort, workerData} from 'node:worker_threads';
import type {Traversal} from '../../src/netfilter/path.js';
import {FastTrace} from '../../src/trace/fast/fast-trace.js';
import {LogSequence} from '../../src/trace/fast/log-sequence.js';
import {createLookup} from '../../src/trace/lookup.js';
import {errno} from '../syscalls/netns.js';
import {errorName} from '../syscalls/libc.js';
import {ManyDatagrams} from '../syscalls/receive-many.js';
import {threadHasLoaded} from '../system/start-thread.js';
import {
	commands, shared, type ReaderAnswer, type ReaderInput, type ReaderRequest,
} from './protocol.js';

const {sockets, memory, ruleSet, loaded, ...context} = workerData as ReaderInput;
const words = new Int32Array(memory);
const log = new LogSequence();
let trace = new FastTrace(createLookup({ruleSet, loaded, ...context}), log);
/** An nft message has some 300 bytes, with the longest names some 1,200; a batch of NFLOG at most 64 KiB. */
const buffers = {nft: {slots: 256, slotBytes: 2048}, nflog: {slots: 32, slotBytes: 1 << 17}} as const;
let overruns = 0;
let shapesReported = 0;

function say(answer: ReaderAnswer, transfer: readonly ArrayBuffer[] = []): void {
	parentPort!.postMessage(answer, transfer);
}

/** Reads everything that a socket has queued. */
function drain(fd: number, datagrams: ManyDatagrams): void {
	for (;;) {
		const count = datagrams.receiveNow(fd);
		if (count < 0) {
			if (count === -errno.EAGAIN) {
				return;
			}

			if (count === -errno.ENOBUFS) {
				overruns++;
			} else if (count !== -errno.EINTR) {
				throw new Error(`reading the trace socket failed: ${errorName(-count)}`);
			}
		}

		for (let slot = 0; slot < count; slot++) {
			const length = datagrams.lengthOf(slot);
			if (length < 0) {
				overruns++; // Longer than any message should be: what did not fit is lost.
			} else {
				trace.add(datagrams.bytes, slot * datagrams.slotBytes, length);
			}
		}
	}
}

function newTraversals(): readonly Traversal[] {
	const traversals = trace.shapes.since(shapesReported).map(({traversal}) => traversal);
	shapesReported = trace.shapes.size;
	return traversals;
}

function read(): void {
	const opened = sockets.map(({stream, fd}) => ({fd, datagrams: new ManyDatagrams(buffers[stream])}));
	threadHasLoaded();
	say({type: 'ready'});
	for (;;) {
		const tick = Atomics.load(words, shared.tick);
		const command = Atomics.load(words, shared.command);
		const sent = Atomics.load(words, shared.sent);
		// The kernel queues a message before it lets the packet continue, so the messages of every probe sent so far are here by now.
		for (const {fd, datagrams} of opened) {
			drain(fd, datagrams);
		}

		Atomics.store(words, shared.drained, sent);
		Atomics.notify(words, shared.drained);
		if (command === commands.end) {
			return;
		}

		if (command === commands.none) {
			Atomics.wait(words, shared.tick, tick);
		} else {
			Atomics.store(words, shared.command, commands.none);
			obey(command);
		}
	}
}

function obey(command: number): void {
	switch (command) {
		case commands.take: {
			const batch = trace.take();
			say({
				type: 'batch', batch, traversals: newTraversals(), overruns,
			}, [batch.rows.buffer as ArrayBuffer]);
			overruns = 0;
			break;
		}

		case commands.peek: {
			const rows = trace.peek();
			say({type: 'rows', rows, traversals: newTraversals()}, [rows.buffer as ArrayBuffer]);
			break;
		}

		default: { // `renew`
			// Posted before the command was set, so it is there; this thread never returns to its event loop.
			const {message} = receiveMessageOnPort(parentPort!) as {readonly message: ReaderRequest};
			trace = new FastTrace(createLookup({...message, ...context}), log);
			shapesReported = 0;
			overruns = 0;
			say({type: 'renewed'});
		}
	}
}

try {
	read();
} catch (error) {
	say({type: 'error', message: error instanceof Error ? error.message : String(error)});
}
