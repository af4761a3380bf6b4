/**
The thread that sends probes from one namespace. It stays in that namespace, and takes on the credentials of each socket while it creates it: this needs no process and does not affect other threads.
*/

import {parentPort, workerData} from 'node:worker_threads';
import {socketOptionFields} from '../../src/scenario/probe-spec.js';
import {
	abortSocket, bindSocket, closeSocket, connectSocket, joinNetns, openRawSocket, openSocket, ownAddress, probeErrors,
	readOwnAddress, sendByte, setThreadCredentials, socketError, socketOptionSetters, socketOwner, waitSockets,
} from '../syscalls/probe-socket.js';
import {Backlog} from '../sandbox/backlog.js';
import {threadHasLoaded} from '../system/start-thread.js';
import {InvalidPacket} from './invalid-packet.js';
import {
	kinds, probeWords, resultWords, shared, states, steps, type SenderAnswer, type SenderInput, type SenderRequest,
} from './protocol.js';

const {netns, quietNetns, memory, window} = workerData as SenderInput;
const words = new Int32Array(memory);
const wakeEvery = Math.min(32, window); // Probes after which the reader is woken: often enough to keep it busy, rarely enough to cost nothing.
const waitingMax = 4096; // Sockets that may be left open in one batch.
const waitedMaxMs = 300; // How long a connection may wait while others are sent: see "Retransmissions" in prober.ts.
const queuedMax = 256; // Unanswered datagrams that may be in the kernel's receive queues: a processor silently drops packets when it has a thousand (net.core.netdev_max_backlog).
const readerMs = 30_000; // A live reader takes a millisecond; the limit is for a dead one.
const own = new Int32Array(ownAddress.buffer);
const waiting = new Map<number, {readonly fd: number; readonly isUdp: boolean; readonly isRaw: boolean; readonly to: Uint8Array; readonly invalid: InvalidPacket | undefined}>();
let current = {uid: 0, gid: 0};

function say(answer: SenderAnswer, transfer: readonly ArrayBuffer[] = []): void {
	parentPort!.postMessage(answer, transfer);
}

/** Tells the reader how many probes were sent, and waits while it is too far behind: the trace socket's buffer is limited. */
function tell(count: number): void {
	const sent = Atomics.add(words, shared.sent, count) + count;
	Atomics.add(words, shared.tick, 1);
	Atomics.notify(words, shared.tick);
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
type Outcome = {readonly state: number; readonly error: number; readonly invalid?: InvalidPacket};

function failed(step: typeof steps[number], error: number): Outcome {
	return {state: states.failed + steps.indexOf(step), error};
}

/** The outcome that a repeated `connect` on a connecting socket reports. */
function outcomeOf(error: number): Outcome {
	switch (error) {
		case 0:
		case probeErrors.EISCONN: {
			return {state: states.connected, error: 0};
		}

		case probeErrors.EALREADY: {
			return {state: states.pending, error: 0};
		}

		case probeErrors.ECONNREFUSED: {
			return {state: states.refused, error};
		}

		default: {
			return {state: states.unreachable, error};
		}
	}
}

/** The state of a connection so far. An error of ICMP that arrives while the socket is in connect(2) is only noted, until one answers the repeated packet (`tcp_v4_err` in net/ipv4/tcp_ipv4.c); but SO_ERROR tells it (`sk_err_soft`, socket(7)), so nobody has to wait a second for that. */
function outcomeOfTcp(fd: number, to: Uint8Array): Outcome {
	const outcome = outcomeOf(connectSocket(fd, to));
	const error = outcome.state === states.pending ? socketError(fd) : 0;
	return error === 0 ? outcome : outcomeOf(error);
}

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

/** Sends one probe from an open socket. */
function send(fd: number, {probe, batch, results, row}: {readonly probe: number; readonly batch: Batch; readonly results: Int32Array; readonly row: number}): Outcome {
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

/** How many datagrams may be in the receive queues now; waits for them when there are too many. */
function withRoom(datagrams: number): number {
	return datagrams === queuedMax && backlog.drain() ? 0 : datagrams % queuedMax;
}

/** Checks the unanswered datagrams once more after waiting for all answers in flight: see `backlog.ts`. Returns whether none can still be in flight. */
function askAgain(results: Int32Array): boolean {
	const open = [...waiting].filter(([, {isUdp, isRaw}]) => isUdp || isRaw);
	if (open.length === 0) {
		return true;
	}

	const isDrained = backlog.drain();
	for (const [index, {fd, invalid}] of open) {
		const end = endOfDatagram(fd, invalid);
		if (end !== undefined) {
			results[(index * resultWords.words) + resultWords.state] = end.state;
			results[(index * resultWords.words) + resultWords.error] = end.error;
			invalid?.close();
			closeSocket(fd);
			waiting.delete(index);
		}
	}

	return isDrained;
}

/** The answer to one packet; undefined if there is none. */
function endOfDatagram(fd: number, invalid: InvalidPacket | undefined): Outcome | undefined {
	const error = invalid === undefined ? socketError(fd) : (invalid.isRefused() ? probeErrors.ECONNREFUSED : 0);
	return error === 0 ? undefined : outcomeOf(error);
}

/** Sends a batch, up to the first probe with an already used five-tuple: its packet would not be the first of a connection. If connections are left waiting, the batch also ends by time. */
function sendAll(batch: Batch): SenderAnswer & {type: 'sent'} {
	const {probes, addresses, waitedMs} = batch;
	let waitingSince = waitedMs === undefined ? undefined : performance.now() - waitedMs;
	const count = probes.length / probeWords.words;
	const results = new Int32Array(count * resultWords.words);
	const used = new Set<number>();
	const sources = new Map<number | string, number>();
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
		const fd = isRaw ? openRawSocket((kind & kinds.ipv6) !== 0) : openSocket((kind & kinds.ipv6) !== 0, isUdp);
		let outcome = failed('socket', -fd);
		if (fd >= 0) {
			const owner = socketOwner(fd);
			results[row + resultWords.uid] = owner.uid;
			results[row + resultWords.gid] = owner.gid;
			outcome = send(fd, {
				probe, batch, results, row,
			});
			if (outcome.state === states.pending) {
				waiting.set(index, {
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

		if (outcome.state < states.failed && isUsed(used, {
			probes, probe, results, row, sources,
		})) {
			results[row + resultWords.state] = states.reused;
			break;
		}

		if (outcome.error === probeErrors.EADDRNOTAVAIL && waiting.size > 0) {
			results[row + resultWords.state] = states.reused; // Ports may be free again once the waiting sockets are closed.
			break;
		}
	}

	become(0, 0);
	const isDrained = askAgain(results);
	tell(unreported);
	return {
		type: 'sent', results, tried: index, waitedMs: waitingSince === undefined ? undefined : performance.now() - waitingSince, isDrained,
	};
}

/** Records the five-tuple of a probe; returns whether it was already used. */
function isUsed(used: Set<number>, {probes, probe, results, row, sources}: {
	readonly probes: Int32Array; readonly probe: number; readonly results: Int32Array; readonly row: number; readonly sources: Map<number | string, number>;
}): boolean {
	const before = used.size;
	const kind = probes[probe + probeWords.kind]!;
	const at = row + resultWords.address;
	const address = (kind & kinds.ipv6) === 0 ? results[at]! : results.subarray(at, at + 4).join(' ');
	let source = sources.get(address);
	if (source === undefined) {
		source = sources.size;
		sources.set(address, source);
	}

	// No overflow: 65,536 ports, two protocols, and at most as many sources and destinations as a batch has probes.
	used.add((((((probes[probe + probeWords.to]! * 65_536) + source) * 2) + Number((kind & kinds.udp) !== 0)) * 65_536) + results[row + resultWords.port]!);
	return used.size === before;
}

/** Waits for the sockets at these indices until each has an end or time is up; then closes all. */
function awaitPending(indices: readonly number[], timeoutMs: number): SenderAnswer {
	const ends: Array<[number, number, number]> = [];
	const deadline = performance.now() + timeoutMs;
	let left = indices.flatMap(index => waiting.has(index) ? [{index, ...waiting.get(index)!}] : []);
	while (left.length > 0) {
		// Checked at least once, and once more when time is up: a thread that got no processor time would otherwise miss what has arrived.
		const remaining = Math.max(0, deadline - performance.now());
		const ready = new Set(waitSockets(left, remaining));
		left = left.filter(({index, fd, isUdp, to, invalid}, place) => {
			if (!ready.has(place) && remaining > 0) {
				return true;
			}

			// A raw socket is also woken by unrelated packets, and a socket reported as ready may turn out not to be. When time is up, all are asked: an error that is only noted wakes nobody.
			const end = isUdp || invalid !== undefined ? endOfDatagram(fd, invalid) : outcomeOfTcp(fd, to);
			if (end === undefined || end.state === states.pending) {
				return true;
			}

			ends.push([index, end.state, end.error]);
			return false;
		});
		if (remaining === 0) {
			break;
		}
	}

	ends.push(...left.map(({index}) => [index, states.quiet, 0] as [number, number, number]));
	for (const {fd, invalid} of waiting.values()) {
		abortSocket(fd);
		invalid?.close();
	}

	waiting.clear();
	return {type: 'settled', ends};
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
			say(awaitPending(request.indices, request.timeoutMs));
		}
	} catch (error) {
		say({type: 'error', message: error instanceof Error ? error.message : String(error)});
	}
});
threadHasLoaded();
say({type: 'ready'});
