/**
The thread that sends probes from one namespace. It stays in that namespace, and takes on the credentials of each socket while it creates it: this needs no process and does not affect other threads.
*/

import {parentPort, workerData} from 'node:worker_threads';
import {socketOptionFields} from '../../src/scenario/probe-spec.js';
import {
	abortSocket, bindSocket, closeSocket, connectSocket, joinNetns, openRawSocket, openSocket, ownAddress, probeErrors,
	readOwnAddress, sendByte, setThreadCredentials, socketError, socketOptionSetters, socketOwner,
} from '../syscalls/probe-socket.js';
import {Backlog} from '../sandbox/backlog.js';
import {threadHasLoaded} from '../system/start-thread.js';
import {InvalidPacket} from './invalid-packet.js';
import {failed, outcomeOf, outcomeOfTcp, type Outcome} from './outcome.js';
import {
	kinds, probeWords, resultWords, shared, states, type SenderAnswer, type SenderInput, type SenderRequest,
} from './protocol.js';
import {UsedTuples} from './used-tuples.js';
import {WaitingSockets} from './waiting-sockets.js';

const {netns, quietNetns, memory} = workerData as SenderInput;
const words = new Int32Array(memory);
const wakeMax = 32; // Probes after which the reader is woken: often enough to keep it busy, rarely enough to cost nothing.
const waitingMax = 4096; // Sockets that may be left open in one batch.
const waitedMaxMs = 300; // How long a connection may wait while others are sent: see "Retransmissions" in prober.ts.
const queuedMax = 256; // Unanswered datagrams that may be in the kernel's receive queues: a processor silently drops packets when it has a thousand (net.core.netdev_max_backlog).
const portsMax = 64; // Sockets that a datagram may open until one has a port that no other datagram of the batch had.
const readerMs = 30_000; // A live reader takes a millisecond; the limit is for a dead one.
const own = new Int32Array(ownAddress.buffer);
const waiting = new WaitingSockets();
let current = {uid: 0, gid: 0};

function say(answer: SenderAnswer, transfer: readonly ArrayBuffer[] = []): void {
	parentPort!.postMessage(answer, transfer);
}

/** Tells the reader how many probes were sent, and waits while it is too far behind: the trace socket's buffer is limited. */
function tell(count: number): void {
	const sent = Atomics.add(words, shared.sent, count) + count;
	Atomics.add(words, shared.tick, 1);
	Atomics.notify(words, shared.tick);
	const window = Atomics.load(words, shared.window);
	for (;;) {
		const drained = Atomics.load(words, shared.drained);
		if (sent - drained <= window) {
			return;
		}

		if (Atomics.wait(words, shared.drained, drained, readerMs) === 'timed-out') {
			throw new Error(`the trace reader did not respond for ${readerMs / 1000} s`);
		}
	}
}

function become(uid: number, gid: number): void {
	if (uid !== current.uid || gid !== current.gid) {
		setThreadCredentials(uid, gid);
		current = {uid, gid};
	}
}

type Batch = Extract<SenderRequest, {type: 'send'}>;

/** Writes a socket's own address and port into a result. */
function noteOwn(fd: number, {isIpv6, results, row}: {readonly isIpv6: boolean; readonly results: Int32Array; readonly row: number}): void {
	readOwnAddress(fd);
	const start = isIpv6 ? 2 : 1;
	results[row + resultWords.port] = (ownAddress[2]! << 8) | ownAddress[3]!;
	for (let word = 0; word < (isIpv6 ? 4 : 1); word++) {
		results[row + resultWords.address + word] = own[start + word]!;
	}
}

/** Sends an invalid packet. The RST that refuses it has usually arrived by then; the socket stays open only if it has not. */
function sendInvalid(invalid: InvalidPacket, {source, note}: {readonly source: Uint8Array | undefined; readonly note: (fd: number) => void}): Outcome {
	let error = invalid.reservePort(source);
	if (error !== 0) {
		invalid.close();
		return failed('bind', error);
	}

	note(invalid.holder);
	error = invalid.send();
	if (error === 0 && !invalid.isRefused()) {
		return {state: states.pending, error, invalid};
	}

	invalid.close();
	if (error === 0) {
		return {state: states.refused, error: probeErrors.ECONNREFUSED};
	}

	return error === probeErrors.EPERM ? {state: states.quiet, error} : failed('send', error);
}

/** One probe of a batch, and where its result goes. `hasSent`: whether another datagram of the batch was sent from a port. */
type Sending = {readonly probe: number; readonly batch: Batch; readonly results: Int32Array; readonly row: number; readonly hasSent: (port: number) => boolean};

/** Sends one probe from an open socket. */
function send(fd: number, {probe, batch, results, row, hasSent}: Sending): Outcome {
	const {probes, addresses, texts} = batch;
	const kind = probes[probe + probeWords.kind]!;
	const isIpv6 = (kind & kinds.ipv6) !== 0;
	let error = 0;
	const asked = probes[probe + probeWords.options]!;
	for (let place = 0; asked >>> place !== 0; place++) {
		if (((asked >>> place) & 1) !== 0) {
			const {step, isText} = socketOptionFields[place]!;
			const word = probes[probe + probeWords.firstOption + place]!;
			error = socketOptionSetters[step](fd, isText ? texts[word]! : word, {isIpv6});
			if (error !== 0) {
				return failed(step, error);
			}
		}
	}

	const source = probes[probe + probeWords.source]!;
	if (source >= 0) {
		const bound = bindSocket(fd, addresses[source]!);
		if (bound.error !== 0) {
			return failed('bind', bound.error);
		}

		results[row + resultWords.isForeign] = Number(bound.foreign);
	}

	const to = addresses[probes[probe + probeWords.to]!]!;
	const isUdp = (kind & kinds.udp) !== 0;
	const note = (socket: number): void => {
		noteOwn(socket, {isIpv6, results, row});
	};

	error = connectSocket(fd, to);
	if (error !== 0 && error !== probeErrors.EINPROGRESS) {
		return failed('connect', error);
	}

	if ((kind & kinds.invalid) !== 0) {
		return sendInvalid(new InvalidPacket(fd, to), {source: source < 0 ? undefined : addresses[source], note});
	}

	// Between the two calls, because querying a refused connection clears the socket's addresses.
	note(fd);

	if (!isUdp) {
		return outcomeOfTcp(fd, to);
	}

	if (!isPortAsked(batch, source) && hasSent(results[row + resultWords.port]!)) {
		return {state: states.unsent, error: 0};
	}

	error = sendByte(fd);
	if (error === probeErrors.EPERM) {
		return {state: states.quiet, error}; // Netfilter dropped it on its way out.
	}

	if (error !== 0) {
		return error === probeErrors.ECONNREFUSED ? {state: states.refused, error} : failed('send', error);
	}

	error = socketError(fd);
	return error === 0 ? {state: states.pending, error} : outcomeOf(error);
}

/** Whether a probe asks for its source port. */
function isPortAsked({addresses}: Batch, source: number): boolean {
	return source >= 0 && (addresses[source]![2]! | addresses[source]![3]!) !== 0;
}

/** Opens the socket of a probe and sends. A datagram from a port that the kernel gave to another one before is not sent, but gets another socket: of a datagram of IPv6, NFLOG shows nothing that DNAT cannot change but its source (src/trace/packets.ts). */
function openAndSend(sending: Sending): {readonly fd: number; readonly outcome: Outcome} {
	const {probe, batch: {probes}, results, row} = sending;
	const kind = probes[probe + probeWords.kind]!;
	const isIpv6 = (kind & kinds.ipv6) !== 0;
	for (let attempt = 1; ; attempt++) {
		const fd = (kind & kinds.invalid) === 0 ? openSocket(isIpv6, (kind & kinds.udp) !== 0) : openRawSocket(isIpv6);
		if (fd < 0) {
			return {fd, outcome: failed('socket', -fd)};
		}

		const owner = socketOwner(fd);
		results[row + resultWords.uid] = owner.uid;
		results[row + resultWords.gid] = owner.gid;
		const outcome = send(fd, attempt === portsMax ? {...sending, hasSent: () => false} : sending);
		if (outcome.state !== states.unsent) {
			return {fd, outcome};
		}

		closeSocket(fd);
	}
}

/** How many datagrams may be in the receive queues now; waits for them when there are too many. */
function withRoom(datagrams: number): number {
	return datagrams === queuedMax && backlog.drain() ? 0 : datagrams % queuedMax;
}

/** Sends a batch, up to the first probe with an already used five-tuple: its packet would not be the first of a connection. If connections are left waiting, the batch also ends by time. */
function sendAll(batch: Batch): SenderAnswer & {type: 'sent'} {
	const {probes, addresses, waitedMs} = batch;
	let waitingSince = waitedMs === undefined ? undefined : performance.now() - waitedMs;
	const count = probes.length / probeWords.words;
	const results = new Int32Array(count * resultWords.words);
	const used = new UsedTuples();
	const datagramPorts = new Set<number>();
	const hasSent = (port: number): boolean => datagramPorts.has(port);
	const wakeEvery = Math.min(wakeMax, Atomics.load(words, shared.window));
	let unreported = 0;
	let datagrams = 0;
	let index = 0;
	while (index < count && waiting.size < waitingMax && (waitingSince === undefined || performance.now() - waitingSince < waitedMaxMs)) {
		const probe = index * probeWords.words;
		const row = index * resultWords.words;
		const kind = probes[probe + probeWords.kind]!;
		const isUdp = (kind & kinds.udp) !== 0;
		become(probes[probe + probeWords.uid]! >>> 0, probes[probe + probeWords.gid]! >>> 0);
		const isRaw = (kind & kinds.invalid) !== 0;
		const {fd, outcome} = openAndSend({
			probe, batch, results, row, hasSent,
		});
		if (fd >= 0) {
			if (isUdp) {
				datagramPorts.add(results[row + resultWords.port]!);
			}

			if (outcome.state === states.pending) {
				waiting.add(index, {
					fd, isUdp, isRaw, to: addresses[probes[probe + probeWords.to]!]!, invalid: outcome.invalid,
				});
				datagrams += Number(isUdp || isRaw);
				waitingSince ??= isUdp || isRaw ? undefined : performance.now();
			} else if (outcome.state === states.connected) {
				abortSocket(fd);
			} else {
				closeSocket(fd);
			}
		}

		datagrams = withRoom(datagrams);

		results[row + resultWords.state] = outcome.state;
		results[row + resultWords.error] = outcome.error;
		index++;
		if (++unreported === wakeEvery) {
			tell(unreported);
			unreported = 0;
		}

		if (outcome.state < states.failed && used.isUsed({
			probes, probe, results, row,
		})) {
			results[row + resultWords.state] = states.reused;
			waiting.abandon(index - 1);
			break;
		}

		if (outcome.error === probeErrors.EADDRNOTAVAIL && waiting.size > 0) {
			results[row + resultWords.state] = states.reused; // Ports may be free again once the waiting sockets are closed.
			break;
		}
	}

	become(0, 0);
	const isDrained = waiting.askAgain(results, backlog);
	tell(unreported);
	return {
		type: 'sent', results, tried: index, waitedMs: waitingSince === undefined ? undefined : performance.now() - waitingSince, isDrained,
	};
}

joinNetns(quietNetns);
const backlog = new Backlog();
joinNetns(netns);
parentPort!.on('message', (request: SenderRequest) => {
	try {
		if (request.type === 'send') {
			const answer = sendAll(request);
			say(answer, [answer.results.buffer as ArrayBuffer]);
		} else {
			say(waiting.awaitEnds(request.indices, request.timeoutMs));
		}
	} catch (error) {
		say({type: 'error', message: error instanceof Error ? error.message : String(error)});
	}
});
threadHasLoaded();
say({type: 'ready'});
