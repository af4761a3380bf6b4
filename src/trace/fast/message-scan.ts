/**
One pass over the bytes of a trace message, without objects: the words that tell what kind of message it is, and where its packet stands. Attribute numbers as in ../decode/nft-trace.ts and ../decode/nflog.ts, which stay the reference: a message whose kind is new goes through them.
*/

import {generalHeaderBytes} from '../decode/netlink.js';
import {protocolNumbers} from '../decode/packet.js';
import {nflogMessageType} from '../decode/nflog.js';

const headerBytes = 16; // `struct nlmsghdr`

/** What is done with an attribute: 0 skips it, the others by name. */
const act = {
	word: 1, id: 2, network: 3, transport: 4, payload: 5, uid: 6, gid: 7, sequence: 8,
} as const;
const nftActs = actsOf([[1, act.word], [2, act.word], [3, act.word], [4, act.word], [5, act.word], [6, act.id], [8, act.network], [9, act.transport], [10, act.word], [12, act.word], [16, act.word]]);
const nflogActs = actsOf([[1, act.word], [4, act.word], [5, act.word], [9, act.payload], [10, act.word], [11, act.uid], [12, act.sequence], [14, act.gid]]);

function actsOf(entries: ReadonlyArray<readonly [number, number]>): Uint8Array {
	const acts = new Uint8Array(0x40_00); // Every type that 14 bits can name.
	for (const [type, value] of entries) {
		acts[type] = value;
	}

	return acts;
}

/** A scanner over one buffer. Its fields tell of the message scanned last. */
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
	/** 1: the uid was there; 2: the gid. */
	owner = 0;
	logSequence = -1;
	/** Of the packet: its protocol, ports (source in the upper half), the offsets of its addresses in the buffer, and what tells it apart. */
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

	/** The buffer must begin at a multiple of 4, and so must every message in it. */
	constructor(bytes: Uint8Array) {
		this.bytes = bytes;
		this.#int32 = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	/** The length of the message at `start`, or 0 when it does not fit before `end`. */
	lengthAt(start: number, end: number): number {
		const length = start + headerBytes <= end ? this.#view.getUint32(start, true) : 0;
		return length < headerBytes || start + length > end ? 0 : length;
	}

	/** Where the message behind the one at `start` begins, whose length is known to fit. */
	next(start: number): number {
		return start + ((this.#view.getUint32(start, true) + 3) & ~3);
	}

	typeAt(start: number): number {
		return this.#view.getUint16(start + 4, true);
	}

	wordAt(offset: number): number {
		return this.#int32[offset >> 2]!;
	}

	/** Scans the message at `start`. False when only the reference can tell what to make of it. */
	scan(start: number, length: number): boolean {
		const type = this.typeAt(start);
		const acts = type === nflogMessageType ? nflogActs : nftActs;
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
			switch (acts[(header >>> 16) & 0x3F_FF]!) {
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

					this.#number((header >>> 16) & 0x3F_FF, at + 4);
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

		// The family of a logged packet is in its bytes only, and the decoder asks whether there was a packet at all.
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

		for (const [index, word] of words.entries()) {
			if (word !== this.words[index]) {
				return false;
			}
		}

		return true;
	}

	#number(attribute: number, at: number): void {
		const value = this.#view.getUint32(at);
		if (attribute === 12) {
			this.logSequence = value;
		} else if (attribute === 11) {
			this.uid = value;
			this.owner |= 1;
		} else {
			this.gid = value;
			this.owner |= 2;
		}
	}

	#hash(): void {
		let hash = -2_128_831_035; // 0x811C9DC5, signed. FNV-1a by words; a collision is found by comparing the words.
		for (let index = 0; index < this.wordCount; index++) {
			hash = Math.imul(hash ^ this.words[index]!, 0x01_00_01_93);
			hash ^= hash >>> 15;
		}

		this.hash = hash;
	}

	/** Reads the packet's header as `parsePacket` does; false when it would not. */
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
			this.identification = -1;
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
		}

		return true;
	}
}

/** What stays the same of the packet scanned last at all its hooks: as in ../packets.ts. */
export function identityOf(scan: MessageScan): number | string {
	if (scan.protocol === protocolNumbers.tcp) {
		return scan.sequence;
	}

	const address = scan.isIpv6 ? [0, 4, 8, 12].map(offset => scan.wordAt(scan.sourceAt + offset)).join(':') : scan.wordAt(scan.sourceAt);
	return `${scan.protocol} ${scan.identification} ${scan.ports >>> 16} ${address}`;
}
