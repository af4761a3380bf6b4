/**
The fast path from bytes to packets: the same as decoding, `assemblePackets` and `lostInSequence`, but without an object per event. Each kind of message is decoded once, each sequence of kinds is assembled once (`TraversalCache`), and what differs between packets is copied as integers (`packed-packet.ts`). A property test compares it with the reference.
*/

import type {TraceEvent} from '../decode/event.js';
import type {Gap} from '../gap.js';
import {controlTypes, NetlinkFormatError} from '../decode/netlink.js';
import {newestMet} from '../attempts.js';
import {protocolNumbers} from '../decode/packet.js';
import {decodeNflog, nflogMessageType} from '../decode/nflog.js';
import {decodeNftTrace, nftTraceMessageType} from '../decode/nft-trace.js';
import {isSendersHook, saysInvalid, type Lookup} from '../packets.js';
import {OpenPackets, type OpenPacket} from './open-packet.js';
import {identityOf, MessageScan} from './message-scan.js';
import {LogSequence} from './log-sequence.js';
import {facts, protocolMask} from './packed-packet.js';
import {KnownMessages, type Token} from './known-messages.js';
import {RecentMap} from './recent-map.js';
import {ShapeTrie} from './traversal-cache.js';

/** The result of a batch: rows of packets (`packed-packet.ts`), cached traversals that are new since the last batch, and what is known to be lost or not understood. */
export type FastBatch = {
	readonly rows: Int32Array;
	readonly packets: number;
	readonly orphans: number;
	readonly gaps: readonly Gap[];
};

type Current = {readonly packet: OpenPacket; readonly index: number};

/** Chains of the trace table by what a message in them means: see `entries` in ../packets.ts, and the prober's trace table. */
const switchFacts: Readonly<Record<string, number>> = {
	prerouting: facts.entryPrerouting, output: facts.entryOutput, arrived: facts.arrivedInput, sent: facts.arrivedPostrouting,
};
const entryFacts = facts.entryPrerouting | facts.entryOutput;
const arrivalFacts = facts.arrivedInput | facts.arrivedPostrouting;

/** What a message of the trace table says. */
function saidBy(event: TraceEvent): number {
	return event.source === 'nft' && saysInvalid(event) ? facts.invalid : switchFacts[event.chain] ?? 0;
}

/** Assembles batch after batch of one loaded rule set. */
export class FastTrace {
	readonly shapes: ShapeTrie;
	readonly #lookup: Lookup;
	readonly #known = new KnownMessages();
	#scan: MessageScan | undefined;
	/** By buffer: with iptables-legacy, those of two sockets come in turn, and a scanner takes 128 KiB. */
	readonly #scans = new WeakMap<Uint8Array, MessageScan>();
	readonly #packets: OpenPackets;
	#newest = new RecentMap<number | string, OpenPacket>();
	/** As in ../packets.ts, by nft's trace id. */
	#sent = new Map<number, OpenPacket>();
	#current = new RecentMap<number, Current>();
	#orphans = 0;
	#complaints = new Map<string, number>();
	readonly #log: LogSequence;

	/** `log` follows the sequence numbers of the socket's messages, which continue when the rules change. */
	constructor(lookup: Lookup, log = new LogSequence()) {
		this.#lookup = lookup;
		this.#log = log;
		this.shapes = new ShapeTrie(lookup);
		this.#packets = new OpenPackets(id => this.shapes.at(id));
	}

	/** Reads one datagram, which begins at a multiple of 4 in a buffer that is itself aligned. Reusing one buffer avoids allocations. */
	add(buffer: Uint8Array, start: number, length: number): void {
		if (this.#scan?.bytes !== buffer) {
			this.#scan = this.#scans.get(buffer) ?? new MessageScan(buffer);
			this.#scans.set(buffer, this.#scan);
		}

		const end = start + length;
		// As in `parseMessages`: if the framing of a datagram is broken, nothing in it counts, not even what precedes the break.
		for (let at = start; at < end; at = this.#scan.next(at)) {
			if (this.#scan.lengthAt(at, end) === 0) {
				this.#complain(() => decodeNftTrace(buffer.slice(start, end)));
				return;
			}
		}

		for (let at = start; at < end; at = this.#scan.next(at)) {
			this.#message(this.#scan, at, this.#scan.lengthAt(at, end));
		}
	}

	/** The rows of the packets so far; the batch continues, and its packets can meet more. */
	peek(): Int32Array {
		return this.#packets.rows();
	}

	/** Ends the batch. Cached traversals and kinds are kept. */
	take(): FastBatch {
		const batch: FastBatch = {
			rows: this.peek(), packets: this.#packets.size, orphans: this.#orphans, gaps: this.#gaps(),
		};
		this.#packets.clear();
		this.#newest = new RecentMap();
		this.#sent = new Map();
		this.#current = new RecentMap();
		this.#orphans = 0;
		this.#complaints = new Map();
		return batch;
	}

	#gaps(): readonly Gap[] {
		const lost = this.#log.take();
		return [
			...[...this.#complaints].map(([what, count]): Gap => ({kind: 'not-understood', message: `The kernel sent ${what}${count === 1 ? '' : ` (${count} times)`}.`})),
			...(lost === undefined ? [] : [{kind: 'lost-events', message: lost} satisfies Gap]),
		];
	}

	/** Passes a message to the reference decoder, and records the result. */
	#complain(decode: () => {readonly notUnderstood: readonly string[]}): void {
		let complaints: readonly string[];
		try {
			complaints = decode().notUnderstood;
		} catch (error) {
			if (!(error instanceof NetlinkFormatError)) {
				throw error;
			}

			complaints = [`a datagram that is not netlink's: ${error.message}`];
		}

		for (const what of complaints.length === 0 ? ['a message that only the slow decoder understands'] : complaints) {
			this.#complaints.set(what, (this.#complaints.get(what) ?? 0) + 1);
		}
	}

	#message(scan: MessageScan, at: number, size: number): void {
		const token = this.#known.like(scan, at, size) ?? this.#scanned(scan, at, size);
		if (token === undefined) {
			return;
		}

		if (token.event.source === 'nft') {
			this.#nft(scan, token);
		} else {
			this.#logged(scan, token);
		}
	}

	/** The kind of a message that is not like one of those expected; undefined for one of netlink's own, and for one that is not understood. */
	#scanned(scan: MessageScan, at: number, size: number): Token | undefined {
		const type = scan.typeAt(at);
		if (type === controlTypes.done || type === controlTypes.noop) {
			return undefined;
		}

		const decode = type === nflogMessageType ? decodeNflog : decodeNftTrace;
		const message = (): Uint8Array => scan.bytes.slice(at, at + size);
		const isScanned = (type === nflogMessageType || type === nftTraceMessageType) && scan.scan(at, size);
		const token = isScanned ? this.#known.ofKind(scan) ?? this.#learn(scan, () => decode(message())) : undefined;
		if (token === undefined || (token.event.source === 'nft' && !scan.hasTraceId)) {
			this.#complain(() => decode(message()));
			return undefined;
		}

		this.#known.expect(token, scan.layout(at, size));
		return token;
	}

	#learn(scan: MessageScan, decode: () => {readonly events: readonly TraceEvent[]}): Token | undefined {
		let event: TraceEvent | undefined;
		try {
			[event] = decode().events;
		} catch (error) {
			if (!(error instanceof NetlinkFormatError)) {
				throw error;
			}
		}

		// Undefined: `#complain` finds out what is wrong with it.
		return event === undefined ? undefined : this.#known.add(scan, event, event.table === this.#lookup.traceTable ? saidBy(event) : undefined);
	}

	#nft(scan: MessageScan, token: Token): void {
		const {event, said} = token;
		if (scan.hasPacket) {
			if (said === undefined) {
				const packet = this.#packetAt(scan, event);
				const shape = this.shapes.begin(token);
				if (shape === undefined) {
					this.#current.delete(scan.traceId);
					this.#orphans++;
				} else {
					this.#current.set(scan.traceId, {packet, index: this.#packets.begin(packet, scan, shape)});
					this.#orphans += shape.orphans;
				}
			} else {
				this.#switched(scan, said);
				this.#current.delete(scan.traceId);
			}

			return;
		}

		if (said !== undefined) {
			return;
		}

		const current = this.#current.get(scan.traceId);
		if (current === undefined) {
			this.#orphans++;
			return;
		}

		const shape = this.#packets.shape(current.packet, current.index);
		const {family, table} = shape.traversal;
		if (family !== event.family || table !== event.table) {
			this.#orphans++;
			return;
		}

		const next = this.shapes.follow(shape, token);
		this.#orphans += next.orphans - shape.orphans;
		this.#packets.change(current.packet, current.index, next);
	}

	/** A message of the trace table itself: the packet was seen, arrived or was sent, or has left netfilter. */
	#switched(scan: MessageScan, said: number): void {
		const packet = this.#switchedOf(scan, said & entryFacts);
		if ((said & facts.entryOutput) !== 0 && scan.protocol !== protocolNumbers.tcp) {
			this.#sent.set(scan.traceId, packet);
		}

		packet.entered |= said & entryFacts;
		let known = this.#packets.known(packet) | facts.seen | (said & facts.invalid);
		if ((known & entryFacts) === 0) {
			known |= said & entryFacts;
		}

		if ((said & arrivalFacts) !== 0) {
			known = (known & ~arrivalFacts) | said;
			this.#packets.arrive(packet, scan);
		}

		this.#packets.know(packet, known);
	}

	#logged(scan: MessageScan, token: Token): void {
		this.#log.count(scan.logSequence);
		const event = token.event as Extract<TraceEvent, {source: 'nflog'}>;
		const packets = this.#packets;
		let packet = this.#loggedOf(scan);
		const index = packets.traversals(packet) - 1;
		const last = index < 0 ? undefined : packets.shape(packet, index);
		if (last?.traversal.table === event.table && last.traversal.hook === event.hook && last.traversal.end.by === 'open') {
			packets.change(packet, index, this.shapes.follow(last, token));
		} else {
			packet = this.#freshAt(packet, scan, event);
			// A logged event always begins a traversal, because it names its hook itself.
			packets.begin(packet, scan, this.shapes.begin(token)!);
		}

		const known = packets.known(packet);
		if (scan.owner === 3 && isSendersHook(event.hook) && (known & facts.owner) === 0) {
			packets.know(packet, known | facts.owner);
			packets.own(packet, scan);
		}
	}

	/** As in ../packets.ts. `entry` is a bit of `entryFacts`, or 0. */
	#switchedOf(scan: MessageScan, entry: number): OpenPacket {
		const known = newestMet(this.#newest.get(identityOf(scan)));
		if (known === undefined) {
			return (entry === 0 ? this.#renamed(scan) : undefined) ?? this.#add(scan);
		}

		const isAgain = (known.entered & entry) !== 0;
		if (!isAgain && entry !== facts.entryOutput) {
			return known;
		}

		const isSame = this.#packets.isSamePair(scan, known);
		if (!isAgain && isSame) {
			return known;
		}

		const ahead = isSame ? known.next : undefined;
		if (ahead === undefined) {
			return this.#add(scan, isSame ? known : undefined);
		}

		ahead.isAhead = false;
		return ahead;
	}

	/** As in ../packets.ts. */
	#renamed(scan: MessageScan): OpenPacket | undefined {
		const sent = this.#sent.get(scan.traceId);
		if (sent === undefined || (this.#packets.known(sent) & protocolMask) !== scan.protocol || this.#packets.identification(sent) !== scan.identification) {
			return undefined;
		}

		this.#newest.set(identityOf(scan), sent);
		return sent;
	}

	/** As `#attemptAt` in ../packets.ts. */
	#packetAt(scan: MessageScan, event: TraceEvent): OpenPacket {
		const known = newestMet(this.#newest.get(identityOf(scan)));
		const packet = known === undefined ? this.#add(scan) : this.#freshAt(known, scan, event);
		packet.isAhead = false;
		return packet;
	}

	/** As in ../packets.ts: of all attempts, the last that has been in a chain. */
	#loggedOf(scan: MessageScan): OpenPacket {
		const newest = this.#newest.get(identityOf(scan));
		if (newest === undefined) {
			return this.#add(scan);
		}

		let latest = newest.first ?? newest;
		for (let {next} = latest; next !== undefined && this.#packets.traversals(next) > 0; {next} = next) {
			latest = next;
		}

		return latest;
	}

	/** As in ../packets.ts: the given attempt, or the one after it. */
	#freshAt(known: OpenPacket, scan: MessageScan, event: TraceEvent): OpenPacket {
		if (!this.#hasMet(known, event)) {
			return known;
		}

		if (known.next !== undefined) {
			return known.next;
		}

		const again = this.#add(scan, known);
		const shown = this.#packets.known(known) & (facts.seen | entryFacts);
		this.#packets.know(again, this.#packets.known(again) | shown);
		if (event.source === 'nflog') {
			again.isAhead = true;
		} else {
			again.entered = shown & entryFacts;
		}

		return again;
	}

	/** Whether a packet has passed the base chain of an event before. */
	#hasMet(packet: OpenPacket, event: TraceEvent): boolean {
		for (let index = this.#packets.traversals(packet) - 1; index >= 0; index--) {
			const {family, table, chain} = this.#packets.shape(packet, index).traversal;
			if (family === event.family && table === event.table && chain === event.chain) {
				return true;
			}
		}

		return false;
	}

	/** A new packet; `before` is the previous attempt, if it is the same packet sent again. */
	#add(scan: MessageScan, before?: OpenPacket): OpenPacket {
		const packet = this.#packets.add(scan, before);
		this.#newest.set(identityOf(scan), packet);
		return packet;
	}
}
