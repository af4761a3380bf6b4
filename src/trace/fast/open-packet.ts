/**
A packet that the fast path is assembling, and its row: see fast-trace.ts.
*/

import {protocolNumbers} from '../decode/packet.js';
import type {MessageScan} from './message-scan.js';
import {facts, layout} from './packed-packet.js';
import type {Shape} from './traversal-cache.js';

/** What is known so far. */
export type OpenPacket = {
	known: number;
	sequence: number;
	ports: number;
	/** Source, destination and arrival, four words each. A plain array: typed ones take three times as long to allocate. */
	readonly words: number[];
	uid: number;
	gid: number;
	identification: number;
	tcpFlags: number;
	arrivalPorts: number;
	readonly shapes: Shape[];
	/** Ports and addresses at the beginning of each traversal. */
	readonly pathWords: number[];
	/** The entries of the trace table at which it was met, as bits of {@link facts}. */
	entered: number;
	/** The first of all attempts to send it, if it is another one; the attempt after this one. As in ../packets.ts. */
	readonly first: OpenPacket | undefined;
	next: OpenPacket | undefined;
	/** NFLOG has shown this attempt, but the trace table's messages about it have not been read yet. As in ../packets.ts. */
	isAhead: boolean;
};

/** A new packet as a message shows it; `before` is the previous attempt, if it is the same packet sent again, and is linked to this one. */
export function openPacket(scan: MessageScan, before: OpenPacket | undefined): OpenPacket {
	const isTcp = scan.protocol === protocolNumbers.tcp;
	const packet: OpenPacket = {
		known: scan.protocol
			| (scan.isIpv6 ? facts.ipv6 : facts.identification)
			| (isTcp ? facts.sequence : 0),
		sequence: isTcp ? scan.sequence : 0,
		ports: scan.ports,
		words: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
		uid: 0,
		gid: 0,
		identification: scan.identification,
		tcpFlags: isTcp ? scan.tcpFlags : 0,
		arrivalPorts: 0,
		shapes: [],
		pathWords: [],
		entered: 0,
		first: before === undefined ? undefined : before.first ?? before,
		next: undefined,
		isAhead: false,
	};
	if (before !== undefined) {
		before.next = packet;
	}

	copyAddress(scan, scan.sourceAt, {to: packet.words, at: 0});
	copyAddress(scan, scan.destinationAt, {to: packet.words, at: 4});
	return packet;
}

/** Copies the address at an offset of a message. */
export function copyAddress(scan: MessageScan, from: number, {to, at}: {readonly to: number[]; readonly at: number}): void {
	for (let word = 0; word < (scan.isIpv6 ? 4 : 1); word++) {
		to[at + word] = scan.wordAt(from + (word * 4));
	}
}

/** Whether a message shows the packet with the addresses and ports that it had at first. */
export function isSamePair(scan: MessageScan, {known, ports, words}: OpenPacket): boolean {
	if (ports !== scan.ports || ((known & facts.ipv6) !== 0) !== scan.isIpv6) {
		return false;
	}

	for (let word = 0; word < (scan.isIpv6 ? 4 : 1); word++) {
		if (words[word] !== scan.wordAt(scan.sourceAt + (word * 4)) || words[4 + word] !== scan.wordAt(scan.destinationAt + (word * 4))) {
			return false;
		}
	}

	return true;
}

/** Writes a packet after the existing rows; returns where the next one begins. */
export function writeRow(rows: Int32Array, row: number, packet: OpenPacket): number {
	rows[row + layout.facts] = packet.known;
	rows[row + layout.sequence] = packet.sequence;
	rows[row + layout.identification] = packet.identification;
	rows[row + layout.tcpFlags] = packet.tcpFlags;
	rows[row + layout.ports] = packet.ports;
	for (let word = 0; word < 8; word++) {
		rows[row + layout.source + word] = packet.words[word]!;
	}

	rows[row + layout.uid] = packet.uid;
	rows[row + layout.gid] = packet.gid;
	rows[row + layout.arrivalPorts] = packet.arrivalPorts;
	for (let word = 0; word < 4; word++) {
		rows[row + layout.arrival + word] = packet.words[8 + word]!;
	}

	const {shapes, pathWords} = packet;
	rows[row + layout.count] = shapes.length;
	let at = row + layout.traversals;
	let from = 0;
	for (const {id} of shapes) {
		rows[at] = id;
		for (let word = 1; word <= 9; word++) {
			rows[at + word] = pathWords[from++]!;
		}

		at += layout.traversalWords;
	}

	return at;
}
