/**
Scans the bytes of a trace message in one pass, without objects: the words that identify its kind, and the position of its packet. The decoders ../decode/nft-trace.ts and ../decode/nflog.ts remain the reference: they have the attribute numbers, and a message of a new kind goes through them.
*/

import {generalHeaderBytes} from '../decode/netlink.js';
import {flowLabelMask, isNumberless, protocolNumbers} from '../decode/packet.js';
import {
	act, actsFor, headerBytes, layoutOf, type MessageLayout,
} from './message-layout.js';

/** A scanner over one buffer. Its fields describe the message scanned last. */
export class MessageScan {
	/** The words of the kind, and how many of them count. */
	readonly words = new Int32Array(1 << 15);
	wordCount = 0;
	hash = 0;
	traceId = 0;
	hasTraceId = false;
	hasPacket = false;
	uid = 0;
	gid = 0;
	/** 1: the uid was present; 2: the gid. */
	owner = 0;
	logSequence = -1;
	/** The packet's protocol, ports (source in the upper half), the offsets of its addresses in the buffer, and what identifies it. */
	protocol = 0;
	isIpv6 = false;
	ports = 0;
	sourceAt = 0;
	destinationAt = 0;
	sequence = 0;
	tcpFlags = 0;
	identification = 0;
	readonly bytes: Uint8Array;
	readonly #int32: Int32Array;
	readonly #view: DataView;

	/** The buffer must be aligned to 4 bytes, and so must every message in it. */
	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
		this.#int32 = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	/** The length of the message at `start`, or 0 if it does not fit before `end`. */
	lengthAt(start: number, end: number): number {
		const length = start + headerBytes <= end ? this.#view.getUint32(start, true) : 0;
		return length < headerBytes || start + length > end ? 0 : length;
	}

	/** Where the message after the one at `start` begins, whose length is known to fit. */
	next(start: number): number {
		return start + ((this.#view.getUint32(start, true) + 3) & ~3);
	}

	typeAt(start: number): number {
		return this.#view.getUint16(start + 4, true);
	}

	wordAt(offset: number): number {
		return this.#int32[offset >> 2]!;
	}

	/** Scans the message at `start`. False if only the reference decoder can handle it. */
	scan(start: number, length: number): boolean {
		const type = this.typeAt(start);
		const acts = actsFor(type);
		const end = start + length;
		let at = start + headerBytes + generalHeaderBytes;
		if (at > end) {
			return false;
		}

		let [count, network, networkEnd, transport, transportEnd] = [2, 0, 0, -1, 0];
		this.words[0] = type;
		this.words[1] = this.bytes[start + headerBytes]!;
		this.hasTraceId = false;
		this.hasPacket = false;
		this.owner = 0;
		this.logSequence = -1;
		while (at + 4 <= end) {
			const header = this.wordAt(at);
			const size = header & 0xFF_FF;
			if (size < 4 || at + size > end) {
				return false;
			}

			const next = at + ((size + 3) & ~3);
			const wanted = acts[(header >>> 16) & 0x3F_FF]!;
			switch (wanted) {
				case act.word: {
					for (let offset = at; offset < next; offset += 4) {
						this.words[count++] = this.wordAt(offset);
					}

					break;
				}

				case act.id: {
					this.hasTraceId = size === 8;
					this.traceId = this.#view.getUint32(at + 4);
					break;
				}

				case act.payload:
				case act.network: {
					network = at + 4;
					networkEnd = at + size;
					this.hasPacket = true;
					break;
				}

				case act.transport: {
					transport = at + 4;
					transportEnd = at + size;
					break;
				}

				case act.uid:
				case act.gid:
				case act.sequence: {
					if (size !== 8) {
						return false;
					}

					this.#number(wanted, at + 4);
					break;
				}

				default:
			}

			at = next;
		}

		if (this.hasPacket && !this.#packet({
			network, networkEnd, transport, transportEnd,
		})) {
			return false;
		}

		// The family of a logged packet is only in its bytes, and the decoder checks whether there was a packet at all.
		this.words[count++] = this.hasPacket ? (this.isIpv6 ? 6 : 4) : 0;
		this.wordCount = count;
		this.#hash();
		return true;
	}

	/** Whether the words are those of a kind. */
	isOf(words: Int32Array): boolean {
		if (words.length !== this.wordCount) {
			return false;
		}

		for (let index = 0; index < words.length; index++) { // eslint-disable-line unicorn/no-for-loop -- Four times as fast as with an iterator.
			if (words[index] !== this.words[index]) {
				return false;
			}
		}

		return true;
	}

	/** The layout of the message at `start`, which was scanned last. */
	layout(start: number, length: number): MessageLayout {
		return layoutOf({
			start, length, type: this.typeAt(start), family: this.bytes[start + headerBytes]!, isIpv6: this.hasPacket && this.isIpv6, wordAt: offset => this.wordAt(offset),
		});
	}

	/** Reads the message at `start` like one with this layout: what a scan would find, except for `words` and `hash`. False if it has another layout; then it must be scanned. */
	readLike(layout: MessageLayout, start: number, length: number): boolean {
		const {places, words} = layout;
		if (length !== layout.bytes || this.typeAt(start) !== layout.type || this.bytes[start + headerBytes] !== layout.family) {
			return false;
		}

		const first = start >> 2;
		for (let index = 0; index < places.length; index++) { // eslint-disable-line unicorn/no-for-loop -- As above.
			if (this.#int32[first + places[index]!] !== words[index]) {
				return false;
			}
		}

		this.hasTraceId = layout.id !== 0;
		this.traceId = layout.id === 0 ? 0 : this.#view.getUint32(start + layout.id);
		this.owner = Number(layout.uid !== 0) | (Number(layout.gid !== 0) << 1);
		this.uid = layout.uid === 0 ? 0 : this.#view.getUint32(start + layout.uid);
		this.gid = layout.gid === 0 ? 0 : this.#view.getUint32(start + layout.gid);
		this.logSequence = layout.sequence === 0 ? -1 : this.#view.getUint32(start + layout.sequence);
		this.hasPacket = layout.network !== 0;
		return !this.hasPacket || (this.#packet({
			network: start + layout.network, networkEnd: start + layout.networkEnd, transport: layout.transport < 0 ? -1 : start + layout.transport, transportEnd: start + layout.transportEnd,
		}) && this.isIpv6 === layout.isIpv6);
	}

	#number(wanted: typeof act.uid | typeof act.gid | typeof act.sequence, at: number): void {
		const value = this.#view.getUint32(at);
		switch (wanted) {
			case act.sequence: {
				this.logSequence = value;
				break;
			}

			case act.uid: {
				this.uid = value;
				this.owner |= 1;
				break;
			}

			case act.gid: {
				this.gid = value;
				this.owner |= 2;
			}
		}
	}

	#hash(): void {
		let hash = -2_128_831_035; // 0x811C9DC5, signed. FNV-1a by words; comparing the words reveals collisions.
		for (let index = 0; index < this.wordCount; index++) {
			hash = Math.imul(hash ^ this.words[index]!, 0x01_00_01_93);
			hash ^= hash >>> 15;
		}

		this.hash = hash;
	}

	/** Reads the packet's header as `parsePacket` does; false if that would fail. */
	#packet({network, networkEnd, transport, transportEnd}: {network: number; networkEnd: number; transport: number; transportEnd: number}): boolean {
		const version = networkEnd > network ? this.bytes[network]! >> 4 : 0;
		let headerEnd: number;
		if (version === 4 && networkEnd - network >= 20) {
			const size = (this.bytes[network]! & 0xF) * 4;
			if (size < 20) {
				return false;
			}

			headerEnd = network + size;
			this.isIpv6 = false;
			this.protocol = this.bytes[network + 9]!;
			this.identification = this.#view.getUint16(network + 4);
			this.sourceAt = network + 12;
			this.destinationAt = network + 16;
		} else if (version === 6 && networkEnd - network >= 40) {
			headerEnd = network + 40;
			this.isIpv6 = true;
			this.protocol = this.bytes[network + 6]!;
			this.identification = this.#view.getUint32(network) & flowLabelMask;
			this.sourceAt = network + 8;
			this.destinationAt = network + 24;
		} else {
			return false;
		}

		return transport < 0
			? this.#transport(Math.min(headerEnd, networkEnd), networkEnd)
			: this.#transport(transport, transportEnd);
	}

	#transport(at: number, end: number): boolean {
		const isTcp = this.protocol === protocolNumbers.tcp;
		if (!isTcp && this.protocol !== protocolNumbers.udp) {
			this.ports = 0;
			return true;
		}

		if (end - at < (isTcp ? 14 : 4)) {
			return false;
		}

		this.ports = this.#view.getInt32(at);
		if (isTcp) {
			this.sequence = this.#view.getUint32(at + 4);
			this.tcpFlags = this.bytes[at + 13]!;
			if (isNumberless(this.tcpFlags, this.sequence)) {
				this.sequence = this.#view.getUint32(at + 8);
			}
		}

		return true;
	}
}

/** What identifies the packet scanned last at all its hooks: as in ../packets.ts. */
export function identityOf(scan: MessageScan): number | string {
	if (scan.protocol === protocolNumbers.tcp) {
		return scan.sequence;
	}

	const address = scan.isIpv6 ? [0, 4, 8, 12].map(offset => scan.wordAt(scan.sourceAt + offset)).join(':') : scan.wordAt(scan.sourceAt);
	return `${scan.protocol} ${scan.identification} ${scan.ports >>> 16} ${address}`;
}
