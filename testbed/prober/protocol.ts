/**
The messages between the threads of the prober. Probes and their results are passed as rows of integers, because cloning thousands of objects costs more than sending the probes.
*/

import type {TraceStream} from '../../src/netfilter/backends.js';
import type {Traversal} from '../../src/netfilter/path.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {socketOptionFields} from '../../src/scenario/probe-spec.js';
import type {FastBatch} from '../../src/trace/fast/fast-trace.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';

/** Words of the memory that the threads share. `tick` grows whenever the reader has something to do; the reader waits on it alone. `window` is how many probes may be sent before it has read the messages of the first. */
export const shared = {
	tick: 0, sent: 1, drained: 2, command: 3, window: 4, words: 5,
} as const;

/** The memory of one prober's threads, in which `window` probes may be sent ahead of the reader. */
export function sharedMemory(window = 0): SharedArrayBuffer {
	const memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * shared.words);
	Atomics.store(new Int32Array(memory), shared.window, window);
	return memory;
}

/** Commands to the reader, in {@link shared}. */
export const commands = {none: 0, take: 1, end: 2, renew: 3, peek: 4} as const;

/** Words of a probe. Addresses and texts are in separate tables; -1 means none. `options` has a bit for each of {@link socketOptionFields} that the probe sets, and from `firstOption` on each of them has a word for its value. */
export const probeWords = {
	uid: 0, gid: 1, kind: 2, to: 3, source: 4, options: 5, firstOption: 6, words: 6 + socketOptionFields.length,
} as const;

/** Bits of the word `kind`. */
export const kinds = {ipv6: 1, udp: 2, invalid: 4} as const;

/** Words of a result. */
export const resultWords = {
	state: 0, error: 1, uid: 2, gid: 3, port: 4, address: 5, isForeign: 9, words: 10,
} as const;

/** States of a probe. `reused`: another probe of the batch had the same five-tuple; `failed` plus the index of a step in {@link steps}: nothing was sent. */
export const states = {
	unsent: 0, refused: 1, connected: 2, pending: 3, unreachable: 4, quiet: 5, reused: 6, failed: 16,
} as const;

/** Steps before a packet leaves, in the order of `states.failed + n`. */
export const steps = ['socket', ...socketOptionFields.map(({step}) => step), 'bind', 'connect', 'send'] as const;

/** What the sender gets when it starts. `quietNetns` is a namespace with lo and without rules: see `backlog.ts`. */
export type SenderInput = {readonly netns: number; readonly quietNetns: number; readonly memory: SharedArrayBuffer};

/** Requests to the sender: send a batch; or wait for the given sockets, then close all. `waitedMs` is how long a connection of the batch has already been waiting in the other namespace. */
export type SenderRequest =
	| {readonly type: 'send'; readonly probes: Int32Array; readonly addresses: readonly Uint8Array[]; readonly texts: readonly string[]; readonly waitedMs?: number | undefined}
	| {readonly type: 'settle'; readonly indices: readonly number[]; readonly timeoutMs: number};

/** Its answers: rows of results, of which the first `tried` were tried; or the end of each waiting socket. `waitedMs` is how long a connection has been waiting by now, if any; `isDrained` is false if the answer to a datagram may still be in flight. */
export type SenderAnswer =
	| {readonly type: 'ready'}
	| {readonly type: 'sent'; readonly results: Int32Array; readonly tried: number; readonly waitedMs: number | undefined; readonly isDrained: boolean}
	| {readonly type: 'settled'; readonly ends: ReadonlyArray<readonly [index: number, state: number, error: number]>}
	| {readonly type: 'error'; readonly message: string};

/** What the reader gets when it starts. */
export type ReaderInput = {
	readonly sockets: ReadonlyArray<{readonly stream: TraceStream; readonly fd: number}>;
	readonly memory: SharedArrayBuffer;
	readonly ruleSet: RuleSet;
	readonly loaded: readonly LoadedRule[];
	readonly interfaces: ReadonlyMap<number, string>;
	readonly traceTable: string;
};

/** The new rules, which the reader finds in its port on the command `renew`. */
export type ReaderRequest = Pick<ReaderInput, 'ruleSet' | 'loaded'>;

/** The reader's answers. `traversals` are those of shapes that are new since the last answer; `rows` are those of the current batch so far. */
export type ReaderAnswer =
	| {readonly type: 'ready'}
	| {readonly type: 'renewed'}
	| {readonly type: 'rows'; readonly rows: Int32Array; readonly traversals: readonly Traversal[]}
	| {readonly type: 'batch'; readonly batch: FastBatch; readonly traversals: readonly Traversal[]; readonly overruns: number}
	| {readonly type: 'error'; readonly message: string};
