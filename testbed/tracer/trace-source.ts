/**
What a trace source returns: raw datagrams, and what is known to be lost. All further processing can be repeated from these bytes without a kernel.
*/

import type {TraceStream} from '../../src/netfilter/backends.js';

/** Bytes that the kernel may queue per socket: enough for some 60,000 events. */
export const defaultBufferBytes = 64 << 20;

/** Datagrams in the order of each socket, and how often the kernel reported drops. */
export type Recording = {
	readonly datagrams: ReadonlyArray<{readonly stream: TraceStream; readonly bytes: Uint8Array}>;
	/** Overruns reported by the kernel (ENOBUFS). One overrun can stand for many lost messages. */
	readonly overruns: number;
};

/** A trace source. `start` resolves once no event of a new packet can be missed. */
export type TraceSource = AsyncDisposable & {
	readonly start: () => Promise<void>;
	/** Drains what the kernel has queued and returns everything. */
	readonly stop: () => Promise<Recording>;
	/** Known once started: how many probes may be sent at once, so that the kernel has room for what they leave. After each group, call `drain`. */
	readonly probesAtOnce?: number | undefined;
	/** Reads what the kernel has queued. */
	readonly drain: () => void;
};
