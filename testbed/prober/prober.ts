/**
Sends first packets at kernel speed: from any UID, GID, source, device and mark, out of the pod or into it, without a process per probe. One thread per namespace sends, one reads the trace, and this one joins the results.

The evidence for each part of an answer:
- the path: the trace of the first packet, and for each batch the counters of all rules;
- the credentials: the owner that the kernel recorded when it created the socket (`fstat` of each socket), which comes from the same credentials in the same system call as what the owner match reads; for each batch, the packets that nftables counted by `meta skuid . meta skgid`; on iptables-legacy also the UID and GID of each NFLOG message;
- the end: the state of the socket. Where the packet was delivered: the last chain, after everything else, that saw it.

Probes with incomplete evidence are sent again in smaller batches; if it stays incomplete, they get a gap.

Retransmissions. A connection without an answer retransmits its SYN after a second (TCP_TIMEOUT_INIT, include/net/tcp.h), and on a slow or throttled machine a batch takes longer than that. No socket option prevents the first retransmission: TCP_SYNCNT and net.ipv4.tcp_syn_retries are at least 1, and TCP_USER_TIMEOUT counts from the first retransmission on (`retransmits_timed_out` in net/ipv4/tcp_timer.c). Dropping it in a chain of the trace table would change what happens under the rules. So retransmissions are not prevented but recognized: a packet with the sequence number of one that the trace table saw before (src/trace/packets.ts) is another packet of the same socket, in all counts, and does not contradict the first. However late the trace is read, the answers are the same. A batch ends once a connection has waited for 300 ms, and no answer is waited for longer than half a second, only to save work.
*/

import {isLoopback} from '../../src/netfilter/address.js';
import type {ProbeRequest} from '../../src/scenario/probe-spec.js';
import {somewhereIn} from '../../src/trace/lost-end.js';
import {ProbeJoiner, type JoinedProbe} from '../../src/trace/fast/join-probes.js';
import {limitHeap, isYoungGrown} from '../system/heap-growth.js';
import {LockFile} from '../system/lock-file.js';
import {OneByOne} from '../system/one-by-one.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';
import {Conntrack} from '../sandbox/conntrack.js';
import {checkRequest, encodeBatch} from './encode.js';
import {fullConntrack} from './conntrack.js';
import {invalidTableText, proberTableText, removeTableText} from './trace-table.js';
import {isAnySilent, tracingAnswers} from './trace-answers.js';
import {Listeners} from './listeners.js';
import {sharedMemory, states, type SenderAnswer} from './protocol.js';
import {startSender} from './sender.js';
import type {Thread} from './thread.js';
import type {ProbeAnswer, ProberOptions, Sending} from './options.js';
import {sendableOf} from './missing-users.js';
import {SentCount} from './sent-count.js';
import {TraceReader} from './trace-reader.js';
import {CrossCheck} from './cross-check.js';
import {
	batchSizeFor, decodePlace, planBatch, stateOf, type Batch, type MayChoose, type Place, type Side,
} from './batch.js';
import {isUntried, judgeBatch, type SentBatch} from './judge-batch.js';
import {ownAddresses, prepareNamespace} from './prepare-netns.js';

export type {ProbeAnswer, ProberOptions} from './options.js';

const datagramMs = 200; // Wait for a datagram whose end the trace does not show. The kernel's own answers are already there (backlog.ts).
const connectionMs = 500; // Wait for TCP, which learns of a missing neighbor after 300 ms (sysctl-table.ts).
const repeats = 3; // How often the probes of an incomplete batch are sent again, each time in batches an eighth the size.
const shrink = 8;

/** Sends probes through one loaded rule set. The creator disposes of it. */
export class Prober implements AsyncDisposable {
	/**
	Prepares the namespaces, turns tracing on and starts the threads. The rules must already be installed, and must not change.

	@throws {TestbedError} if the machine cannot do it.
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

	/** The number of probes that were sent again because their evidence was incomplete. */
	repeated = 0;
	/** The number of probes that timed out without an answer. */
	unanswered = 0;
	readonly #options: ProberOptions & Required<Pick<ProberOptions, 'timeoutMs' | 'bufferBytes'>>;
	readonly #givenBatchSize: number | undefined;
	readonly #memory = sharedMemory();
	#batchSize = 1;
	#joiner: ProbeJoiner;
	/** Clean-up steps, run last to first. (Node 20 has no `AsyncDisposableStack`.) */
	readonly #undo: Array<() => Promise<void> | void> = [];
	readonly #senders = new Map<'pod' | 'remote', Promise<Thread>>();
	#reader: TraceReader | undefined;
	#listeners: Listeners | undefined;
	#lockFile: LockFile | undefined;
	#conntrack: Conntrack | undefined;
	#crossCheck: CrossCheck | undefined;
	readonly #calls = new OneByOne();
	#isHeapLimited = false;
	#hasInvalid = false;
	readonly #sent = new SentCount(this.#memory);
	readonly #mayChoose: MayChoose;

	private constructor(options: ProberOptions) {
		this.#options = {timeoutMs: 1000, bufferBytes: defaultBufferBytes, ...options};
		this.#givenBatchSize = options.batchSize;
		this.#joiner = new ProbeJoiner(options.ruleSet);
		const own = ownAddresses(options.sandbox.pod);
		this.#mayChoose = (from, address) => (isLoopback(address) || own.has(address)) === (from === 'pod');
	}

	/**
	Sends probes and returns their answers, in the order of the requests. Concurrent calls run one after the other. `signal` ends it between two batches.

	@throws {TestbedError} INPUT for an invalid request, before anything is sent; SYSCALL_FAILED if a thread fails. The signal's reason.
	*/
	async probe(batch: readonly ProbeRequest[], signal?: AbortSignal): Promise<readonly ProbeAnswer[]> {
		for (const request of batch) {
			checkRequest(request, {hasInvalid: this.#hasInvalid, podInterface: this.#options.sandbox.podInterface});
		}

		return this.#calls.run(async () => {
			const answers: ProbeAnswer[] = [];
			this.#sent.begin(batch.length);
			await this.#run({
				batch, indices: sendableOf(batch, answers), size: this.#batchSize, repeat: 0, answers, signal,
			});
			return answers;
		});
	}

	/**
	Continues with other rules of the same back end and families, which must already be installed. Threads and sockets stay.

	@throws {TestbedError} as {@link create}.
	*/
	async renew(rules: Pick<ProberOptions, 'ruleSet' | 'listening' | 'hasInvalid'>): Promise<void> {
		return this.#calls.run(async () => {
			await this.#takeRules(rules);
			await this.#reader!.renew({ruleSet: rules.ruleSet, loaded: this.#crossCheck!.rules});
		});
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
			await undo(); // eslint-disable-line no-await-in-loop -- In order: the reader must end before its sockets are closed.
		}
	}

	async #start({ruleSet, listening, hasInvalid}: ProberOptions): Promise<void> {
		const {sandbox: {pod, remote}, backend, bufferBytes} = this.#options;
		prepareNamespace(pod);
		prepareNamespace(remote);
		const loading = this.#sender('pod'); // Meanwhile.
		void Promise.allSettled([loading]);
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
		await this.#takeRules({ruleSet, listening, hasInvalid}, true);
		const reader = await TraceReader.start({
			netns: pod, backend, bufferBytes, memory: this.#memory, ruleSet, loaded: this.#crossCheck!.rules,
		});
		this.#reader = reader;
		this.#undo.push(async () => reader[Symbol.asyncDispose]());
		await loading;
	}

	/** Sets up everything that depends on the rules rather than the sandbox, except the reader. */
	async #takeRules({ruleSet, listening = [], hasInvalid = false}: Pick<ProberOptions, 'ruleSet' | 'listening' | 'hasInvalid'>, isFirst = false): Promise<void> {
		const {sandbox: {pod}, backend, families} = this.#options;
		const isOther = [this.#listeners!.open(listening), hasInvalid !== this.#hasInvalid].includes(true);
		this.#hasInvalid = hasInvalid;
		if (isFirst || isOther) {
			await this.#turnTracingOn(isFirst);
		}

		this.#batchSize = this.#givenBatchSize ?? batchSizeFor(ruleSet);
		this.#joiner = new ProbeJoiner(ruleSet, listening, address => somewhereIn(this.#options.sandbox.answered)(address));
		this.#crossCheck = await CrossCheck.create({
			netns: pod, backend, families, ruleSet, lockFile: this.#lockFile!.path,
		});
	}

	#limitHeap(): void {
		if (!this.#isHeapLimited && isYoungGrown()) {
			this.#isHeapLimited = true;
			const {[Symbol.dispose]: undo} = limitHeap();
			this.#undo.push(undo);
		}
	}

	async #turnTracingOn(isFirst: boolean): Promise<void> {
		const {sandbox: {pod}, isSandboxRemoved = false} = this.#options;
		await pod.runConfined('nft', ['-f', '-'], {input: `${proberTableText(this.#listeners!.protocols, isFirst)}${this.#hasInvalid ? invalidTableText : ''}`});
		if (isFirst) {
			// Without a reader, the start has failed, and the sandbox may be used again.
			this.#undo.push(async () => {
				await (isSandboxRemoved && this.#reader !== undefined ? undefined : pod.runConfined('nft', ['-f', '-'], {input: removeTableText}));
			});
		}
	}

	async #sender(side: 'pod' | 'remote'): Promise<Thread> {
		const known = this.#senders.get(side);
		if (known !== undefined) {
			return known;
		}

		const {sandbox} = this.#options;
		const starting = startSender({netns: sandbox[side].descriptor, quietNetns: sandbox.remote.descriptor, memory: this.#memory}, side);
		this.#senders.set(side, starting);
		this.#undo.push(async () => {
			const [started] = await Promise.allSettled([starting]); // One that failed has disposed of itself.
			await (started.status === 'fulfilled' ? started.value[Symbol.asyncDispose]() : undefined);
		});
		return starting;
	}

	/** How many probes of the current call have been sent so far, counting each once. */
	get sent(): number {
		return this.#sent.count;
	}

	/** Sends until every probe has an answer. While a batch is being sent, the one before is joined. */
	async #run(sending: Sending): Promise<void> {
		const {batch, size, repeat, answers, signal} = sending;
		const again = async (doubtful: readonly number[], next: number): Promise<void> => {
			if (doubtful.length > 0) {
				this.repeated += doubtful.length;
				await this.#run({...sending, indices: doubtful, size: next, repeat: repeat + 1});
			}
		};

		const lost: number[] = [];
		const open: number[] = [];
		const clashing: number[] = [];
		const short: number[] = [];
		const judge = async (sent: SentBatch): Promise<void> => {
			const {judged, gaps} = await judgeBatch(sent, {joiner: this.#joiner, crossCheck: this.#crossCheck!});
			for (const {index, answer, isSent, isClash} of judged) {
				// The counts say nothing about probes that were not sent, so the batch's gaps do not apply to them.
				answers[index] = gaps.length === 0 || !isSent ? answer : {...answer, gaps: [...gaps, ...answer.gaps]};
				if (!isSent) {
					short.push(...answer.unsendable === undefined && repeat < repeats ? [index] : []);
					continue;
				}

				// If the batch lost evidence, smaller batches may be complete; if a single probe lacks something, it gets one more try; if it met another one's connection, it is sent without that one.
				if (gaps.length > 0 && repeat < repeats) {
					lost.push(index);
				} else if (isClash && sent.requests.length > 1) {
					clashing.push(index);
				} else if (gaps.length === 0 && repeat < 1 && answer.gaps.length > 0) {
					open.push(index);
				}
			}
		};

		let left = sending.indices;
		let lastJoin: Promise<void> = Promise.resolve();
		try {
			while (left.length > 0) {
				signal?.throwIfAborted();
				const {nextBatch, rest} = planBatch(batch, left, {size, mayChoose: this.#mayChoose});
				const sent = await this.#sendBatch(nextBatch, lastJoin); // eslint-disable-line no-await-in-loop -- One batch at a time, because counters are compared per batch.
				await lastJoin; // eslint-disable-line no-await-in-loop -- One batch at a time.
				lastJoin = judge(sent);
				this.#limitHeap();
				void Promise.allSettled([lastJoin]); // It is awaited after the next batch; if it fails before, that is not unhandled.
				const untried = sent.places.flatMap((place, position) => isUntried(place) ? [sent.indices[position]!] : []);
				left = untried.length === 0 ? rest : [...untried, ...rest];
				if (repeat === 0) {
					this.#sent.note(batch.length - left.length);
				}
			}
		} finally {
			// Also after an error: the next call has the same joiner. If both fail, the first error counts.
			await Promise.allSettled([lastJoin]);
		}

		await lastJoin;
		await again(lost, Math.max(1, Math.ceil(Math.min(size, lost.length) / shrink)));
		if (clashing.length > 0) {
			// Of those that meet each other, the first one sent meets none, so there are fewer each time; if there are not, each is sent alone.
			await this.#run({...sending, indices: clashing, size: clashing.length < sending.indices.length ? size : 1});
		}

		if (short.length > 0) {
			// What was missing may have been held by other probes, or by another process for a moment. They are not counted as sent again, because they were not sent.
			await this.#run({...sending, indices: short, repeat: repeat + 1});
		}

		// If the rules drop an answer, only the answer's own trace shows it.
		await (isAnySilent(open, batch, answers) ? tracingAnswers(this.#options.sandbox.pod, async () => again(open, size)) : again(open, size));
	}

	/** Sends one batch and gathers all evidence. `lastJoin` is the joining of the batch before. */
	async #sendBatch({requests, indices}: Batch, lastJoin: Promise<void>): Promise<SentBatch> {
		this.#conntrack!.flush();
		this.#crossCheck!.prepare(requests.length);
		const sides: Side[] = [];
		let waiting: {readonly ms: number; readonly at: number} | undefined;
		const places: Place[] = [];
		for (const from of ['pod', 'remote'] as const) {
			const own = requests.flatMap((request, index) => request.from === from ? [index] : []);
			if (own.length > 0) {
				const waitedMs = waiting === undefined ? undefined : waiting.ms + performance.now() - waiting.at;
				const side = await this.#send(from, own.map(index => requests[index]!), waitedMs); // eslint-disable-line no-await-in-loop -- One namespace after the other: packets sent from both at once could not be told apart by their order.
				sides.push(side);
				waiting = side.sent.waitedMs === undefined ? undefined : {ms: side.sent.waitedMs, at: performance.now()};
				let index = 0;
				for (const position of own) {
					places[position] = {side, index: index++};
				}
			}
		}

		await this.#options.beforeRead?.();
		const pending = requests.flatMap((_, position) => stateOf(places[position]!) === states.pending ? [position] : []);
		if (pending.length > 0) {
			await lastJoin;
			await this.#peek();
			await this.#awaitPending({
				requests, places, sides, isOver: position => this.#joiner.isOver((decodePlace(requests[position]!, places[position]!) as {probe: JoinedProbe}).probe), pending,
			});
		}

		// No packet is in flight, so both can be read at once.
		const [{rows, gaps}, counts] = await Promise.all([this.#take(), this.#crossCheck!.read()]);
		return {
			requests, indices, places, rows, counts, gaps: pending.length === 0 ? gaps : [...gaps, ...fullConntrack(this.#options.sandbox.pod)],
		};
	}

	async #send(from: 'pod' | 'remote', requests: readonly ProbeRequest[], waitedMs: number | undefined): Promise<Side> {
		const sender = await this.#sender(from);
		const encoded = encodeBatch(requests);
		sender.tell({...encoded.request, waitedMs});
		return {encoded, sent: await sender.next<SenderAnswer, 'sent'>('sent'), late: new Map()};
	}

	/** Waits for probes that have no end yet, except those for which no answer can come. */
	async #awaitPending({requests, places, sides, isOver, pending}: {
		readonly requests: readonly ProbeRequest[];
		readonly places: readonly Place[];
		readonly sides: readonly Side[];
		readonly isOver: (position: number) => boolean;
		readonly pending: readonly number[];
	}): Promise<void> {
		const waiting = pending.filter(position => !isOver(position));
		const {timeoutMs} = this.#options;
		for (const side of sides) {
			const own = waiting.filter(position => places[position]!.side === side);
			const from = requests[pending.find(position => places[position]!.side === side) ?? -1]?.from;
			if (from === undefined) {
				continue;
			}

			const isAnyTcp = own.some(position => requests[position]!.protocol === 'tcp' && requests[position]!.packet !== 'invalid');
			const sender = await this.#sender(from); // eslint-disable-line no-await-in-loop -- At most two.
			sender.tell({type: 'settle', indices: own.map(position => places[position]!.index), timeoutMs: Math.min(timeoutMs, isAnyTcp ? connectionMs : datagramMs)});
			const {ends} = await sender.next<SenderAnswer, 'settled'>('settled'); // eslint-disable-line no-await-in-loop -- As above.
			for (const [index, state, error] of ends) {
				side.late.set(index, {state, error});
				this.unanswered += Number(state === states.quiet);
			}
		}
	}

	/** Shows the joiner the rows of the current batch so far. */
	async #peek(): Promise<void> {
		const {rows, traversals} = await this.#reader!.peek();
		this.#joiner.learn(traversals);
		this.#joiner.load(rows);
	}

	async #take(): Promise<Pick<SentBatch, 'rows' | 'gaps'>> {
		const {rows, gaps, traversals} = await this.#reader!.take();
		this.#joiner.learn(traversals);
		return {rows, gaps};
	}
}
