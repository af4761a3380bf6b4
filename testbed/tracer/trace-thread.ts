/**
The thread that reads trace sockets. It waits in the kernel, not in the event loop, so that a busy main thread loses no event.
*/

import {parentPort, workerData} from 'node:worker_threads';
import type {TraceStream} from '../../src/netfilter/backends.js';
import {errno} from '../syscalls/netns.js';
import {waitReadable} from '../syscalls/poll.js';
import {receiveNow} from '../syscalls/netlink-socket.js';

/** What the thread is given: sockets by stream, and the waker that tells it to drain and end. */
export type WorkerInput = {readonly sockets: ReadonlyArray<{readonly stream: TraceStream; readonly fd: number}>; readonly waker: number};

/** What it says: first `ready`, last the datagrams. */
export type WorkerOutput =
	| {readonly type: 'ready'}
	| {readonly type: 'end'; readonly datagrams: ReadonlyArray<{readonly stream: TraceStream; readonly bytes: Uint8Array}>; readonly overruns: number}
	| {readonly type: 'error'; readonly message: string};

const {sockets, waker} = workerData as WorkerInput;
const datagrams: Array<{stream: TraceStream; bytes: Uint8Array}> = [];
const buffer = new Uint8Array(1 << 17); // A batch of NFLOG is at most 64 KiB, a trace message some hundred bytes.
let overruns = 0;

/** Longest wait without a turn of this thread. Node ends a thread only between two calls, and a process only when its threads have ended: a wait without a limit would keep both for ever when the main thread fails (measured). */
const turnMs = 250;

/** Takes what a socket has queued. Returns an error number that is none of those that are expected here. */
function drain(stream: TraceStream, fd: number): number {
	for (;;) {
		const length = receiveNow(fd, buffer);
		if (length > 0) {
			datagrams.push({stream, bytes: buffer.slice(0, length)});
		} else if (length === -errno.ENOBUFS) {
			overruns++;
		} else if (length !== -errno.EINTR) {
			return length === -errno.EAGAIN ? 0 : -length;
		}
	}
}

function read(): WorkerOutput {
	for (;;) {
		const readable = waitReadable([waker, ...sockets.map(({fd}) => fd)], turnMs);
		for (const {stream, fd} of sockets) {
			const error = drain(stream, fd);
			if (error !== 0) {
				return {type: 'error', message: `reading the trace socket failed with error number ${error}`};
			}
		}

		// The kernel queues an event before it lets the packet go on, so what a finished connection left is all here by now.
		if (readable.includes(0)) {
			return {type: 'end', datagrams, overruns};
		}
	}
}

parentPort!.postMessage({type: 'ready'} satisfies WorkerOutput);
const output = read();
parentPort!.postMessage(output, output.type === 'end' ? output.datagrams.map(({bytes}) => bytes.buffer as ArrayBuffer) : []);
