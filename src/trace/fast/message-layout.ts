/**
What the fast path does with each attribute of a trace message, and the layout of a message that has been scanned. Another message with the same words in the same places has the same attributes in the same places, so they need not be searched again: comparing some 20 words takes a third of the time of a scan.
*/

import {generalHeaderBytes} from '../decode/netlink.js';
import {nflogAttribute, nflogMessageType} from '../decode/nflog.js';
import {nftAttribute} from '../decode/nft-trace.js';

/** Bytes of `struct nlmsghdr`. */
export const headerBytes = 16;

/**
What to do with an attribute. `word` makes it part of the message's kind, so that messages which differ in it are of different kinds; all others have a value that is read from each message.

Every attribute that a decoder reads needs an entry below. An attribute without one is skipped, and then all messages of a kind would get the value that the first of them had.
*/
export const act = {
	word: 1, id: 2, network: 3, transport: 4, payload: 5, uid: 6, gid: 7, sequence: 8,
} as const;

type Act = typeof act[keyof typeof act];
const nftActs = actsOf(nftAttribute, {
	table: act.word, chain: act.word, handle: act.word, type: act.word, verdict: act.word, policy: act.word, inInterface: act.word, outInterface: act.word,
	id: act.id, network: act.network, transport: act.transport,
});
const nflogActs = actsOf(nflogAttribute, {
	packetHeader: act.word, inInterface: act.word, outInterface: act.word, prefix: act.word,
	payload: act.payload, uid: act.uid, gid: act.gid, sequence: act.sequence,
});

function actsOf<Name extends string>(numbers: Readonly<Record<Name, number>>, wanted: Readonly<Record<Name, Act>>): Uint8Array {
	const acts = new Uint8Array(0x40_00); // Every type that fits in 14 bits. 0 skips an attribute.
	for (const name of Object.keys(numbers) as Name[]) {
		acts[numbers[name]] = wanted[name];
	}

	return acts;
}

/** What to do with the attributes of a message of a netlink type, by the attribute's own type. */
export function actsFor(type: number): Uint8Array {
	return type === nflogMessageType ? nflogActs : nftActs;
}

/** Where everything is in a message. Offsets are in bytes from its start, 0 for what it does not have; `transport` is -1 for that. */
export type MessageLayout = {
	readonly bytes: number;
	readonly type: number;
	readonly family: number;
	/** The words that must be the same: the headers of all attributes, and the contents of those that make up its kind. */
	readonly places: Int32Array;
	readonly words: Int32Array;
	readonly id: number;
	readonly uid: number;
	readonly gid: number;
	readonly sequence: number;
	readonly network: number;
	readonly networkEnd: number;
	readonly transport: number;
	readonly transportEnd: number;
	readonly isIpv6: boolean;
};

/** The layout of the message at `start`, which a scan has understood. */
export function layoutOf({start, length, type, family, isIpv6, wordAt}: {
	readonly start: number; readonly length: number; readonly type: number; readonly family: number; readonly isIpv6: boolean; readonly wordAt: (offset: number) => number;
}): MessageLayout {
	const acts = actsFor(type);
	const places: number[] = [];
	const found = {
		id: 0, uid: 0, gid: 0, sequence: 0, network: 0, networkEnd: 0, transport: -1, transportEnd: 0,
	};
	for (let at = headerBytes + generalHeaderBytes; at + 4 <= length;) {
		const header = wordAt(start + at);
		const size = header & 0xFF_FF;
		const next = at + ((size + 3) & ~3);
		const wanted = acts[(header >>> 16) & 0x3F_FF]!;
		for (let offset = at; offset < (wanted === act.word ? next : at + 4); offset += 4) {
			places.push(offset >> 2);
		}

		switch (wanted) {
			case act.id: {
				found.id = size === 8 ? at + 4 : 0;
				break;
			}

			case act.payload:
			case act.network: {
				[found.network, found.networkEnd] = [at + 4, at + size];
				break;
			}

			case act.transport: {
				[found.transport, found.transportEnd] = [at + 4, at + size];
				break;
			}

			case act.uid: {
				found.uid = at + 4;
				break;
			}

			case act.gid: {
				found.gid = at + 4;
				break;
			}

			case act.sequence: {
				found.sequence = at + 4;
				break;
			}

			default:
		}

		at = next;
	}

	return {
		bytes: length, type, family, isIpv6, places: Int32Array.from(places), words: Int32Array.from(places, place => wordAt(start + (place * 4))), ...found,
	};
}
