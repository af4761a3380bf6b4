/**
What the threads of the prober say to each other. Probes and their results travel as rows of whole numbers, for cloning thousands of objects costs more than sending the probes.
*/

import type {TraceStream} from '../../src/netfilter/backends.js';
import type {Traversal} from '../../src/netfilter/path.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {socketOptionFields} from '../../src/scenario/probe-spec.js';
import type {FastBatch} from '../../src/trace/fast/fast-trace.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';

/** Words of the memory that the threads share. `tick` grows with everything that the reader should look at; it waits for that alone. */
export const shared = {
	tick: 0, sent: 1, drained: 2, command: 3, words: 4,
} as const;

/** What the reader is told by {@link shared}. */
export const commands = {none: 0, take: 1, end: 2, renew: 3, peek: 4} as const;

/** Words of a probe. Addresses and texts stand in tables beside the rows; -1 is none. `options` has a bit for each of {@link socketOptionFields} that the probe sets, and from `firstOption` on each of them has a word for its value. */
export const probeWords = {
	uid: 0, gid: 1, kind: 2, to: 3, source: 4, options: 5, firstOption: 6, words: 6 + socketOptionFields.length,
} as const;

/** Bits of the word `kind`. */
export const kinds = {ipv6: 1, udp: 2, invalid: 4} as const;

/** Words of a result. */
export const resultWords = {
	state: 0, error: 1, uid: 2, gid: 3, port: 4, address: 5, isForeign: 9, words: 10,
} as const;

/** What became of a probe. `reused`: its five-tuple was that of another probe of the batch; `failed` in a step of {@link steps}: nothing was sent. */
export const states = {
	unsent: 0, refused: 1, connected: 2, pending: 3, unreachable: 4, quiet: 5, reused: 6, failed: 16,
} as const;

/** Steps before a packet leaves, in the order of `states.failed + n`. */
export const steps = ['socket', ...socketOptionFields.map(({step}) => step), 'bind', 'connect', 'send'] as const;

/** What the sender is given when it starts. `quietNetns` is a namespace with lo and without rules: see `backlog.ts`. */
export type SenderInput = {readonly netns: number; readonly quietNetns: number; readonly memory: SharedArrayBuffer; readonly window: number};

/** What it is told: send a batch; wait for those of its sockets that have come to nothing yet, and close all. `waitedMs` is how long a connection of the batch has been waiting elsewhere when this part of it begins. */
export type SenderRequest =
	| {readonly type: 'send'; readonly probes: Int32Array; readonly addresses: readonly Uint8Array[]; readonly texts: readonly string[]; readonly waitedMs?: number | undefined}
	| {readonly type: 'settle'; readonly indices: readonly number[]; readonly timeoutMs: number};

/** What it answers: rows of results, of which `tried` were tried; what each waiting socket came to. `waitedMs` is for how long a connection has been waiting by now, if one does; `isDrained` is false where the answer to a datagram may still be on its way. */
export type SenderAnswer =
	| {readonly type: 'ready'}
	| {readonly type: 'sent'; readonly results: Int32Array; readonly tried: number; readonly waitedMs: number | undefined; readonly isDrained: boolean}
	| {readonly type: 'settled'; readonly ends: ReadonlyArray<readonly [index: number, state: number, error: number]>}
	| {readonly type: 'error'; readonly message: string};

/** What the reader is given when it starts. */
export type ReaderInput = {
	readonly sockets: ReadonlyArray<{readonly stream: TraceStream; readonly fd: number}>;
	readonly memory: SharedArrayBuffer;
	readonly ruleSet: RuleSet;
	readonly loaded: readonly LoadedRule[];
	readonly interfaces: ReadonlyMap<number, string>;
	readonly traceTable: string;
};

/** What it finds in its port when it is told to renew: the rules are others. */
export type ReaderRequest = Pick<ReaderInput, 'ruleSet' | 'loaded'>;

/** What it says. `traversals` are those of the shapes that are new since it last told some; `rows` are those of a batch that goes on. */
export type ReaderAnswer =
	| {readonly type: 'ready'}
	| {readonly type: 'renewed'}
	| {readonly type: 'rows'; readonly rows: Int32Array; readonly traversals: readonly Traversal[]}
	| {readonly type: 'batch'; readonly batch: FastBatch; readonly traversals: readonly Traversal[]; readonly overruns: number}
	| {readonly type: 'error'; readonly message: string};
