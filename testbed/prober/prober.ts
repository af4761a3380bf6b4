/**
First packets at kernel speed: from any UID, GID, source, device and mark, out of the pod or into it, without a process per probe. One thread per namespace sends, one reads the trace, this one joins.

Which evidence stands for what:
- the path: the trace of the first packet, and for each batch the counters of all rules;
- the credentials: the owner that the kernel wrote on the socket when it was made (`fstat` of each socket), which comes from the same credentials in the same system call as what the owner match reads; for each batch the packets that nftables counted by `meta skuid . meta skgid`; on iptables-legacy also the UID and GID of each NFLOG message;
- the end: what the socket came to. Where the packet was delivered: the last chain, behind everything else, that saw it.

What is not whole is repeated in smaller batches, and what stays so ends in a gap.

Sent again. A connection without an answer sends its SYN anew after a second (TCP_TIMEOUT_INIT, include/net/tcp.h), and on a slow or throttled machine a batch takes longer than that. No socket option forbids the first repetition: TCP_SYNCNT and net.ipv4.tcp_syn_retries are 1 at least, and TCP_USER_TIMEOUT counts from the first repetition on (`retransmits_timed_out` in net/ipv4/tcp_timer.c). To drop it in a chain of the switch would change what happens under the rules. So the repetition is not prevented but known for what it is: a packet with the sequence number of one that met the switch before (src/trace/packets.ts) is one more of the same socket, by every witness, and says nothing against the first. However late the trace is read, the answers are the same. That a batch ends when a connection has waited for 300 ms, and that nobody is waited for longer than half a second, only spares the work.
*/

import type {AddressFamily, Backend, RuleSet} from '../../src/netfilter/types.js';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import type {DeliveredLeg} from '../../src/trace/fast/first-leg.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Listening} from '../../src/trace/tproxy-socket.js';
import {ProbeJoiner, type JoinedProbe} from '../../src/trace/fast/join-probes.js';
import {LockFile} from '../system/lock-file.js';
import type {Netns} from '../sandbox/netns.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';
import {
	checkRequest, decodeResult, encodeBatch, type Unsendable,
} from './encode.js';
import {Conntrack, fullConntrack} from './conntrack.js';
import {invalidTableText, proberTableText, removeTableText} from './trace-table.js';
import {Listeners} from './listeners.js';
import {shared, states, type SenderAnswer} from './protocol.js';
import {startSender} from './sender.js';
import type {Thread} from './thread.js';
import {TraceReader} from './trace-reader.js';
import {CrossCheck} from './cross-check.js';
import {
	batchSizeFor, lateGap, planBatch, stateOf, type Side, type Batch,
} from './batch.js';
import {prepareNamespace} from './prepare-netns.js';

/** What came of a probe. `leg` is undefined when nothing was sent: `unsendable` says then why the kernel sends no such packet, or a gap what was missing. */
export type ProbeAnswer = {readonly id: string; readonly leg: DeliveredLeg | undefined; readonly gaps: readonly Gap[]; readonly unsendable?: Unsendable};

/** What a prober is made for. */
export type ProberOptions = {
	readonly sandbox: {readonly pod: Netns; readonly remote: Netns};
	readonly backend: Backend;
	readonly families: readonly AddressFamily[];
	/** As the kernel holds it: what `installRules` returned. */
	readonly ruleSet: RuleSet;
	/** Transparent sockets that wait in the pod for what TPROXY gives them, as the proxy's would: none. Without one the target drops. */
	readonly listening?: readonly Listening[] | undefined;
	/** How long an answer may take before its probe counts as quiet; half a second at most. */
	readonly timeoutMs?: number;
	/** Probes between two readings of the counters: 4,096, and more where there are so many rules that the reading takes long. */
	readonly batchSize?: number;
	/** Whether invalid packets are sent as well: see `ProbeRequest`. It turns conntrack on in the pod, whatever the rules do, and costs each probe two messages more. */
	readonly hasInvalid?: boolean | undefined;
	/** Bytes that the kernel may queue of the trace. */
	readonly bufferBytes?: number;
	/** For tests: what happens between the sending of a batch and the first reading of its trace, as on a machine that gives the testbed no processor then. */
	readonly beforeRead?: (() => Promise<void>) | undefined;
};

const window = 512; // Probes that the trace may be behind: some 15,000 messages of at most 2 KiB in the kernel's memory, a half of the default buffer.
const datagramMs = 200; // For a datagram that the trace does not show at its end. What the kernel answers by itself is there already (backlog.ts).
const connectionMs = 500; // For TCP, which is told of a missing neighbour after 300 ms (prepare-netns.ts).
const repeats = 3; // How often the probes of a batch that is not whole are sent again, each time in batches of an eighth.
const shrink = 8;

type Judged = {readonly index: number; readonly answer: ProbeAnswer; readonly isSent: boolean};

/** Sends probes through one loaded rule set. Who creates it disposes of it. */
export class Prober implements AsyncDisposable {
	/**
	Prepares the namespaces, switches tracing on and starts the threads. The rules must be installed, and stay as they are.

	@throws {TestbedError} when the machine cannot do it.
	*/
	static async create(options: ProberOptions): Promise<Prober> {
		const prober = new Prober(options);
		try {
			await prober.#start(options);
			return prober;
		} catch (error) {
			await prober[Symbol.asyncDispose]();
			throw error;
		}
	}

	/** Probes that were sent more than once, because their evidence was not whole. */
	repeated = 0;
	/** Probes whose answer was waited for in vain. */
	unanswered = 0;
	readonly #options: Required<Omit<ProberOptions, 'ruleSet' | 'listening' | 'batchSize' | 'hasInvalid' | 'beforeRead'>> & Pick<ProberOptions, 'beforeRead'>;
	readonly #givenBatchSize: number | undefined;
	readonly #memory = new SharedArrayBuffer(4 * shared.words);
	#batchSize = 1;
	#joiner: ProbeJoiner;
	/** What undoes everything that was made, last first. (Node 20 has no `AsyncDisposableStack`.) */
	readonly #undo: Array<() => Promise<void> | void> = [];
	readonly #senders = new Map<'pod' | 'remote', Thread>();
	#reader: TraceReader | undefined;
	#listeners: Listeners | undefined;
	#lockFile: LockFile | undefined;
	#conntrack: Conntrack | undefined;
	#crossCheck: CrossCheck | undefined;
	#turn: Promise<unknown> = Promise.resolve();
	#hasInvalid = false;

	private constructor(options: ProberOptions) {
		this.#options = {timeoutMs: 1000, bufferBytes: defaultBufferBytes, ...options};
		this.#givenBatchSize = options.batchSize;
		this.#joiner = new ProbeJoiner(options.ruleSet);
	}

	/**
	Sends probes and says what came of each, in the order of the requests. One call after the other.

	@throws {TestbedError} INPUT for a request that makes no sense, before anything is sent; SYSCALL_FAILED when a thread fails.
	*/
	async probe(batch: readonly ProbeRequest[]): Promise<readonly ProbeAnswer[]> {
		for (const request of batch) {
			checkRequest(request, {hasInvalid: this.#hasInvalid});
		}

		return this.#inTurn(async () => {
			const answers: ProbeAnswer[] = [];
			await this.#run({
				batch, indices: [...batch.keys()], size: this.#batchSize, repeat: 0, answers,
			});
			return answers;
		});
	}

	/**
	Goes on with other rules of the same back end and families, which are installed already. Threads and sockets stay.

	@throws {TestbedError} as {@link create}.
	*/
	async renew(rules: Pick<ProberOptions, 'ruleSet' | 'listening' | 'hasInvalid'>): Promise<void> {
		return this.#inTurn(async () => {
			await this.#takeRules(rules);
			await this.#reader!.renew({ruleSet: rules.ruleSet, loaded: this.#crossCheck!.rules});
		});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
			await undo(); // eslint-disable-line no-await-in-loop -- In order: the threads end before their sockets are closed.
		}
	}

	/** One thing after the other, also when one fails. */
	async #inTurn<T>(act: () => Promise<T>): Promise<T> {
		const before = this.#turn;
		const turn = (async () => {
			await before;
			return act();
		})();
		this.#turn = Promise.allSettled([turn]);
		return turn;
	}

	async #start({ruleSet, listening, hasInvalid}: ProberOptions): Promise<void> {
		const {sandbox: {pod, remote}, backend, bufferBytes} = this.#options;
		prepareNamespace(pod);
		prepareNamespace(remote);
		const lockFile = await LockFile.create();
		this.#lockFile = lockFile;
		this.#undo.push(async () => lockFile[Symbol.asyncDispose]());
		const conntrack = new Conntrack(pod);
		this.#conntrack = conntrack;
		this.#undo.push(() => {
			conntrack[Symbol.dispose]();
		});
		const listeners = new Listeners(pod);
		this.#listeners = listeners;
		this.#undo.push(() => {
			listeners[Symbol.dispose]();
		});
		await this.#switchOn();
		this.#undo.push(async () => {
			await pod.runConfined('nft', ['-f', '-'], {input: removeTableText});
		});
		await this.#takeRules({ruleSet, listening, hasInvalid});
		const reader = await TraceReader.start({
			netns: pod, backend, bufferBytes, memory: this.#memory, ruleSet, loaded: this.#crossCheck!.rules,
		});
		this.#reader = reader;
		this.#undo.push(async () => reader[Symbol.asyncDispose]());
	}

	/** Everything that belongs to the rules and not to the sandbox; the reader learns them by itself. */
	async #takeRules({ruleSet, listening = [], hasInvalid = false}: Pick<ProberOptions, 'ruleSet' | 'listening' | 'hasInvalid'>): Promise<void> {
		const {sandbox: {pod}, backend, families} = this.#options;
		const isSwitchOther = hasInvalid !== this.#hasInvalid;
		this.#hasInvalid = hasInvalid;
		if (this.#listeners!.open(listening) || isSwitchOther) {
			await this.#switchOn();
		}

		this.#batchSize = this.#givenBatchSize ?? batchSizeFor(ruleSet);
		this.#joiner = new ProbeJoiner(ruleSet, listening);
		this.#crossCheck = await CrossCheck.create({
			netns: pod, backend, families, ruleSet, lockFile: this.#lockFile!.path,
		});
	}

	async #switchOn(): Promise<void> {
		await this.#options.sandbox.pod.runConfined('nft', ['-f', '-'], {input: `${proberTableText(this.#listeners!.protocols)}${this.#hasInvalid ? invalidTableText : ''}`});
	}

	async #sender(side: 'pod' | 'remote'): Promise<Thread> {
		const known = this.#senders.get(side);
		if (known !== undefined) {
			return known;
		}

		const {sandbox} = this.#options;
		const sender = await startSender({
			netns: sandbox[side].descriptor, quietNetns: sandbox.remote.descriptor, memory: this.#memory, window,
		}, side);
		this.#undo.push(async () => sender[Symbol.asyncDispose]());
		this.#senders.set(side, sender);
		return sender;
	}

	/** Sends until every probe has an answer. */
	async #run({batch, indices, size, repeat, answers}: {
		readonly batch: readonly ProbeRequest[]; readonly indices: readonly number[]; readonly size: number; readonly repeat: number; readonly answers: ProbeAnswer[];
	}): Promise<void> {
		const again = async (doubtful: readonly number[], next: number): Promise<void> => {
			if (doubtful.length > 0) {
				this.repeated += doubtful.length;
				await this.#run({
					batch, indices: doubtful, size: next, repeat: repeat + 1, answers,
				});
			}
		};

		const lost: number[] = [];
		const open: number[] = [];
		let left = indices;
		while (left.length > 0) {
			const {nextBatch, rest} = planBatch(batch, left, size);
			const {judged, gaps, untried} = await this.#sendBatch(nextBatch); // eslint-disable-line no-await-in-loop -- One batch after the other: each has the counters to itself.
			for (const {index, answer, isSent} of judged) {
				// Of what was not sent the witnesses know nothing, so nothing that they miss is a doubt of it.
				answers[index] = gaps.length === 0 || !isSent ? answer : {...answer, gaps: [...gaps, ...answer.gaps]};
				// What was lost may be whole in a smaller batch; what one probe lacks gets one more chance.
				if (isSent && repeat < (gaps.length > 0 ? repeats : 1) && answers[index].gaps.length > 0) {
					(gaps.length > 0 ? lost : open).push(index);
				}
			}

			left = untried.length === 0 ? rest : [...untried, ...rest];
		}

		await again(lost, Math.max(1, Math.ceil(Math.min(size, lost.length) / shrink)));
		await again(open, size);
	}

	/** Sends one batch and reads all witnesses. `untried` are the probes that it has left out. */
	async #sendBatch({requests, indices}: Batch): Promise<{readonly judged: readonly Judged[]; readonly gaps: readonly Gap[]; readonly untried: readonly number[]}> {
		this.#conntrack!.flush();
		await this.#crossCheck!.prepare(requests.length);
		const sides: Side[] = [];
		let waiting: {readonly ms: number; readonly at: number} | undefined;
		const places: Array<readonly [side: Side, index: number] | undefined> = [];
		for (const from of ['pod', 'remote'] as const) {
			const own = requests.flatMap((request, index) => request.from === from ? [index] : []);
			if (own.length > 0) {
				const waitedMs = waiting === undefined ? undefined : waiting.ms + performance.now() - waiting.at;
				const side = await this.#send(from, own.map(index => requests[index]!), waitedMs); // eslint-disable-line no-await-in-loop -- One namespace after the other: the packets of both at once could not be told apart by their order.
				sides.push(side);
				waiting = side.sent.waitedMs === undefined ? undefined : {ms: side.sent.waitedMs, at: performance.now()};
				for (const [index, position] of own.entries()) {
					places[position] = [side, index];
				}
			}
		}

		const decode = (position: number) => {
			const [{encoded, sent: {results}, late}, index] = places[position]!;
			return decodeResult(requests[position]!, {
				results, index, toWords: encoded.toWords[index]!, late: late.get(index),
			});
		};

		await this.#options.beforeRead?.();
		const isOpen = (position: number): boolean => stateOf(places[position]!) === states.pending;
		const pending = requests.flatMap((_, position) => isOpen(position) ? [position] : []);
		if (pending.length > 0) {
			await this.#peek();
			await this.#awaitPending({
				requests, places, sides, isOver: position => this.#joiner.isOver((decode(position) as {probe: JoinedProbe}).probe), pending,
			});
		}

		const {rows, gaps: traceGaps} = await this.#take();
		const gaps = pending.length === 0 ? traceGaps : [...traceGaps, ...fullConntrack(this.#options.sandbox.pod)];
		const {hits, sentPackets} = this.#joiner.load(rows);
		const owners = new Map<number, string>();
		const judged: Judged[] = [];
		const untried: number[] = [];
		for (const [position, {id}] of requests.entries()) {
			const state = stateOf(places[position]!);
			const index = indices[position]!;
			if (state === states.unsent) {
				untried.push(index);
				continue;
			}

			const sent = decode(position);
			if ('failure' in sent) {
				const {failure, isAnswer} = sent;
				judged.push({index, answer: isAnswer ? {id, leg: undefined, gaps: [], unsendable: failure} : {id, leg: undefined, gaps: [{kind: 'no-end', message: failure.message}]}, isSent: false});
				continue;
			}

			const {leg, gaps: own, rows: found} = this.#joiner.join(sent.probe);
			if (sent.probe.isLocal) {
				// Of two probes with one five-tuple, the second sent the last packet.
				for (const row of state === states.reused ? found.slice(-1) : found) {
					owners.set(row, `${sent.probe.made.uid}:${sent.probe.made.gid}`);
				}
			}

			if (state === states.reused) {
				untried.push(index);
			} else {
				judged.push({index, answer: {id, leg, gaps: leg.end.kind === 'unknown' && !places[position]![0].sent.isDrained ? [...own, lateGap(id)] : own}, isSent: true});
			}
		}

		return {judged, gaps: [...gaps, ...await this.#crossCheck!.compare({hits, owners: [...owners.values()], strangers: sentPackets - owners.size})], untried};
	}

	async #send(from: 'pod' | 'remote', requests: readonly ProbeRequest[], waitedMs: number | undefined): Promise<Side> {
		const sender = await this.#sender(from);
		const encoded = encodeBatch(requests);
		sender.tell({...encoded.request, waitedMs});
		return {encoded, sent: await sender.next<SenderAnswer, 'sent'>('sent'), late: new Map()};
	}

	/** Waits for what has no end yet, but for that of which nothing will come. */
	async #awaitPending({requests, places, sides, isOver, pending}: {
		readonly requests: readonly ProbeRequest[];
		readonly places: ReadonlyArray<readonly [side: Side, index: number] | undefined>;
		readonly sides: readonly Side[];
		readonly isOver: (position: number) => boolean;
		readonly pending: readonly number[];
	}): Promise<void> {
		const waiting = pending.filter(position => !isOver(position));
		const {timeoutMs} = this.#options;
		for (const side of sides) {
			const own = waiting.filter(position => places[position]![0] === side);
			const from = requests[pending.find(position => places[position]![0] === side) ?? -1]?.from;
			if (from === undefined) {
				continue;
			}

			const isAnyTcp = own.some(position => requests[position]!.protocol === 'tcp' && requests[position]!.packet !== 'invalid');
			const sender = await this.#sender(from); // eslint-disable-line no-await-in-loop -- Two at most.
			sender.tell({type: 'settle', indices: own.map(position => places[position]![1]), timeoutMs: Math.min(timeoutMs, isAnyTcp ? connectionMs : datagramMs)});
			const {ends} = await sender.next<SenderAnswer, 'settled'>('settled'); // eslint-disable-line no-await-in-loop -- As above.
			for (const [index, state, error] of ends) {
				side.late.set(index, {state, error});
				this.unanswered += Number(state === states.quiet);
			}
		}
	}

	/** Lets the joiner see the rows of a batch that goes on. */
	async #peek(): Promise<void> {
		const {rows, traversals} = await this.#reader!.peek();
		this.#joiner.learn(traversals);
		this.#joiner.load(rows);
	}

	async #take(): Promise<{readonly rows: Int32Array; readonly gaps: readonly Gap[]}> {
		const {rows, gaps, traversals} = await this.#reader!.take();
		this.#joiner.learn(traversals);
		return {rows, gaps};
	}
}
