/**
What a trace source hands over: raw datagrams and what is known to be lost. Everything behind it can be done again from these bytes, without a kernel.
*/

import type {TraceStream} from '../../src/netfilter/backends.js';

/** Bytes that the kernel may queue per socket: enough for some 60,000 events. */
export const defaultBufferBytes = 64 << 20;

/** Datagrams in the order in which each socket gave them, and how often the kernel said that it had dropped some. */
export type Recording = {
	readonly datagrams: ReadonlyArray<{readonly stream: TraceStream; readonly bytes: Uint8Array}>;
	/** Overruns reported by the kernel (ENOBUFS). One overrun can stand for many lost messages. */
	readonly overruns: number;
};

/** One kind of source. `start` resolves when no event of a new packet can be missed any more. */
export type TraceSource = AsyncDisposable & {
	readonly start: () => Promise<void>;
	/** Drains what the kernel has queued and returns everything. */
	readonly stop: () => Promise<Recording>;
};
