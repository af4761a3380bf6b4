/**
The packets that the fast path is assembling: see fast-trace.ts. What will be their rows is kept in one array, which every batch uses again, and not in objects: thousands of them stay until the end of a batch, so V8 would copy each twice and then keep it until its next full collection.
*/

import {protocolNumbers} from '../decode/packet.js';
import type {MessageScan} from './message-scan.js';
import {facts, layout} from './packed-packet.js';
import type {Shape} from './traversal-cache.js';

/** A packet: where its words are, and how it is linked to the other attempts to send it. */
export type OpenPacket = {
	readonly slot: number;
	/** The entries of the trace table at which it was met, as bits of {@link facts}. */
	entered: number;
	/** The first of all attempts to send it, if it is another one; the attempt after this one. As in ../packets.ts. */
	readonly first: OpenPacket | undefined;
	next: OpenPacket | undefined;
	/** NFLOG has shown this attempt, but the trace table's messages about it have not been read yet. As in ../packets.ts. */
	isAhead: boolean;
};

/** Traversals for which every packet has room. Those of a packet that passes more base chains are in an array of its own. */
const roomyTraversals = 4;
const slotWords = layout.traversals + (roomyTraversals * layout.traversalWords);
const slotsAtFirst = 256;

/** All packets of a batch, in the order in which they were first seen. */
export class OpenPackets {
	#words = new Int32Array(slotsAtFirst * slotWords);
	#count = 0;
	/** By slot, the words of the traversals beyond {@link roomyTraversals}. */
	readonly #more = new Map<number, number[]>();
	readonly #shapeAt: (id: number) => Shape;

	/** `shapeAt` finds a cached traversal by its id. */
	constructor(shapeAt: (id: number) => Shape) {
		this.#shapeAt = shapeAt;
	}

	get size(): number {
		return this.#count;
	}

	/** A new packet as a message shows it; `before` is the previous attempt, if it is the same packet sent again, and is linked to this one. */
	add(scan: MessageScan, before: OpenPacket | undefined): OpenPacket {
		const slot = this.#count * slotWords;
		this.#count++;
		if (slot + slotWords > this.#words.length) {
			const larger = new Int32Array(2 * this.#words.length);
			larger.set(this.#words);
			this.#words = larger;
		}

		const packet: OpenPacket = {
			slot, entered: 0, first: before === undefined ? undefined : before.first ?? before, next: undefined, isAhead: false,
		};
		if (before !== undefined) {
			before.next = packet;
		}

		const words = this.#words;
		const isTcp = scan.protocol === protocolNumbers.tcp;
		words.fill(0, slot, slot + layout.traversals);
		words[slot + layout.facts] = scan.protocol | (scan.isIpv6 ? facts.ipv6 : 0) | (isTcp ? facts.sequence : 0);
		words[slot + layout.sequence] = isTcp ? scan.sequence : 0;
		words[slot + layout.identification] = scan.identification;
		words[slot + layout.tcpFlags] = isTcp ? scan.tcpFlags : 0;
		words[slot + layout.ports] = scan.ports;
		copyAddress(scan, scan.sourceAt, {to: words, at: slot + layout.source});
		copyAddress(scan, scan.destinationAt, {to: words, at: slot + layout.destination});
		return packet;
	}

	/** What is known of a packet, as bits of {@link facts} above its protocol. */
	known({slot}: OpenPacket): number {
		return this.#words[slot + layout.facts]!;
	}

	/** Replaces what is known of a packet. */
	know({slot}: OpenPacket, known: number): void {
		this.#words[slot + layout.facts] = known;
	}

	identification({slot}: OpenPacket): number {
		return this.#words[slot + layout.identification]!;
	}

	/** Records where a message shows a packet last. */
	arrive({slot}: OpenPacket, scan: MessageScan): void {
		this.#words[slot + layout.arrivalPorts] = scan.ports;
		copyAddress(scan, scan.destinationAt, {to: this.#words, at: slot + layout.arrival});
	}

	/** Records the owner of a packet, as a message says. */
	own({slot}: OpenPacket, {uid, gid}: MessageScan): void {
		this.#words[slot + layout.uid] = uid;
		this.#words[slot + layout.gid] = gid;
	}

	/** Whether a message shows the packet with the addresses and ports that it had at first. */
	isSamePair(scan: MessageScan, {slot}: OpenPacket): boolean {
		const words = this.#words;
		if (words[slot + layout.ports] !== scan.ports || ((words[slot + layout.facts]! & facts.ipv6) !== 0) !== scan.isIpv6) {
			return false;
		}

		for (let word = 0; word < (scan.isIpv6 ? 4 : 1); word++) {
			if (words[slot + layout.source + word] !== scan.wordAt(scan.sourceAt + (word * 4)) || words[slot + layout.destination + word] !== scan.wordAt(scan.destinationAt + (word * 4))) {
				return false;
			}
		}

		return true;
	}

	/** How many base chains a packet has passed so far. */
	traversals({slot}: OpenPacket): number {
		return this.#words[slot + layout.count]!;
	}

	/** What a packet has met in a base chain so far. */
	shape({slot}: OpenPacket, index: number): Shape {
		return this.#shapeAt(index < roomyTraversals ? this.#words[placeOf(slot, index)]! : this.#more.get(slot)![placeOf(0, index) - slotWords]!);
	}

	/** Replaces what a packet has met in a base chain. */
	change({slot}: OpenPacket, index: number, {id}: Shape): void {
		if (index < roomyTraversals) {
			this.#words[placeOf(slot, index)] = id;
		} else {
			this.#more.get(slot)![placeOf(0, index) - slotWords] = id;
		}
	}

	/** Begins a traversal with the ports and addresses of a message; its index among those of its packet. */
	begin({slot}: OpenPacket, scan: MessageScan, {id}: Shape): number {
		const index = this.#words[slot + layout.count]!++;
		if (index < roomyTraversals) {
			writeTraversal(scan, id, {to: this.#words, at: placeOf(slot, index)});
		} else {
			const more = this.#more.get(slot) ?? [];
			this.#more.set(slot, more);
			writeTraversal(scan, id, {to: more, at: placeOf(0, index) - slotWords});
		}

		return index;
	}

	/** The rows of all packets. */
	rows(): Int32Array {
		const words = this.#words;
		const end = this.#count * slotWords;
		let total = 0;
		for (let slot = 0; slot < end; slot += slotWords) {
			total += placeOf(0, words[slot + layout.count]!);
		}

		const rows = new Int32Array(total);
		let at = 0;
		for (let slot = 0; slot < end; slot += slotWords) {
			const length = placeOf(0, words[slot + layout.count]!);
			const inSlot = Math.min(length, slotWords);
			// One by one, because `subarray` would make an object for each packet.
			for (let word = 0; word < inSlot; word++) {
				rows[at + word] = words[slot + word]!;
			}

			if (length > slotWords) {
				rows.set(this.#more.get(slot)!, at + slotWords);
			}

			at += length;
		}

		return rows;
	}

	/** Forgets all packets. */
	clear(): void {
		this.#count = 0;
		this.#more.clear();
	}
}

/** Where a traversal begins in a row that begins at `row`. */
function placeOf(row: number, index: number): number {
	return row + layout.traversals + (index * layout.traversalWords);
}

function writeTraversal(scan: MessageScan, id: number, {to, at}: Target): void {
	to[at + layout.shape] = id;
	to[at + layout.traversalPorts] = scan.ports;
	copyAddress(scan, scan.sourceAt, {to, at: at + layout.traversalSource});
	copyAddress(scan, scan.destinationAt, {to, at: at + layout.traversalDestination});
}

type Target = {readonly to: Int32Array | number[]; readonly at: number};

/** Copies the address at an offset of a message into four words; an IPv4 address fills the first. */
function copyAddress(scan: MessageScan, from: number, {to, at}: Target): void {
	const {isIpv6} = scan;
	to[at] = scan.wordAt(from);
	to[at + 1] = isIpv6 ? scan.wordAt(from + 4) : 0;
	to[at + 2] = isIpv6 ? scan.wordAt(from + 8) : 0;
	to[at + 3] = isIpv6 ? scan.wordAt(from + 12) : 0;
}
