/**
The thread that reads trace sockets, for one source after another. It waits in the kernel instead of the event loop, so that no event is lost while the main thread is busy.
*/

import {parentPort} from 'node:worker_threads';
import type {TraceStream} from '../../src/netfilter/backends.js';
import {errno} from '../syscalls/netns.js';
import {waitReadable} from '../syscalls/poll.js';
import {receiveNow} from '../syscalls/netlink-socket.js';

/** What the thread gets for each source: sockets by stream, and the waker that tells it to drain and end. */
export type WorkerInput = {readonly sockets: ReadonlyArray<{readonly stream: TraceStream; readonly fd: number}>; readonly waker: number};

/** The thread's messages about each source: first `ready`, at the end the datagrams. */
export type WorkerOutput =
	| {readonly type: 'ready'}
	| {readonly type: 'end'; readonly datagrams: ReadonlyArray<{readonly stream: TraceStream; readonly bytes: Uint8Array}>; readonly overruns: number}
	| {readonly type: 'error'; readonly message: string};

const buffer = new Uint8Array(1 << 17); // A batch of NFLOG is at most 64 KiB, a trace message some hundred bytes.

/** Longest wait in one call. Node can end a thread only between calls, and a process only after its threads: an unlimited wait would keep both alive forever if the main thread fails (measured). */
const turnMs = 250;

/** What was read so far. */
type Read = {readonly datagrams: Array<{stream: TraceStream; bytes: Uint8Array}>; overruns: number};

/** Reads everything that a socket has queued. Returns an unexpected error number, or 0. */
function drain(stream: TraceStream, fd: number, into: Read): number {
	for (;;) {
		const length = receiveNow(fd, buffer);
		if (length > 0) {
			into.datagrams.push({stream, bytes: buffer.slice(0, length)});
		} else if (length === -errno.ENOBUFS) {
			into.overruns++;
		} else if (length !== -errno.EINTR) {
			return length === -errno.EAGAIN ? 0 : -length;
		}
	}
}

function read({sockets, waker}: WorkerInput): WorkerOutput {
	const all: Read = {datagrams: [], overruns: 0};
	for (;;) {
		const readable = waitReadable([waker, ...sockets.map(({fd}) => fd)], turnMs);
		for (const {stream, fd} of sockets) {
			const error = drain(stream, fd, all);
			if (error !== 0) {
				return {type: 'error', message: `reading the trace socket failed with error number ${error}`};
			}
		}

		// The kernel queues an event before it lets the packet continue, so all events of a finished connection are here by now.
		if (readable.includes(0)) {
			return {type: 'end', ...all};
		}
	}
}

parentPort!.on('message', (input: WorkerInput) => {
	parentPort!.postMessage({type: 'ready'} satisfies WorkerOutput);
	const output = read(input);
	parentPort!.postMessage(output, output.type === 'end' ? output.datagrams.map(({bytes}) => bytes.buffer as ArrayBuffer) : []);
});
