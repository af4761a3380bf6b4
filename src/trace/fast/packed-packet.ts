/**
Traced packets as rows of integers, which threads can share without a copy. {@link unpackPacket} converts a row to what `assemblePackets` would have made of its events.
*/

import {printAddressBytes} from '../../netfilter/address.js';
import type {Endpoint, Traversal} from '../../netfilter/path.js';
import type {Hook} from '../../netfilter/types.js';
import type {TracedPacket} from '../packets.js';

/** Words of a row before its traversals, and of each traversal. An address has four words in the packet's own byte order; an IPv4 address fills the first. */
export const layout = {
	facts: 0, sequence: 1, identification: 2, tcpFlags: 3, ports: 4, source: 5, destination: 9, uid: 13, gid: 14, arrivalPorts: 15, arrival: 16, count: 20, traversals: 21,
	traversalWords: 10, shape: 0, traversalPorts: 1, traversalSource: 2, traversalDestination: 6,
} as const;

/** The protocol's number in the word `facts`. */
export const protocolMask = 0xFF;

/** Bits of the word `facts` above the protocol's number. */
export const facts = {
	ipv6: 1 << 8, seen: 1 << 9, entryPrerouting: 1 << 10, entryOutput: 1 << 11, sequence: 1 << 12, owner: 1 << 13, arrivedInput: 1 << 14, arrivedPostrouting: 1 << 15,
	invalid: 1 << 16,
} as const;

/** The cached form of a traversal by its id: see `TraversalCache`. */
export type Traversals = readonly Traversal[];

/** By their word; of IPv6, by all four. */
const texts = new Map<number | string, string>();
const bytes = new Uint8Array(16);
const words = new Int32Array(bytes.buffer);
const textsMax = 65_536; // Enough for every address of a test, using only some megabytes.

/** The address at `offset`. */
export function addressAt(rows: Int32Array, offset: number, isIpv6: boolean): string {
	const word = rows[offset]!;
	const key = isIpv6 ? `${word} ${rows[offset + 1]} ${rows[offset + 2]} ${rows[offset + 3]}` : word;
	let text = texts.get(key);
	if (text === undefined) {
		words.set(rows.subarray(offset, offset + 4));
		text = printAddressBytes(isIpv6 ? bytes : bytes.subarray(0, 4));
		if (texts.size >= textsMax) {
			texts.clear();
		}

		texts.set(key, text);
	}

	return text;
}

function endpointsAt(rows: Int32Array, {ports, source, destination, isIpv6}: {
	readonly ports: number; readonly source: number; readonly destination: number; readonly isIpv6: boolean;
}): {readonly source: Endpoint; readonly destination: Endpoint} {
	return {
		source: {address: addressAt(rows, source, isIpv6), port: ports >>> 16},
		destination: {address: addressAt(rows, destination, isIpv6), port: ports & 0xFF_FF},
	};
}

/** The number of words of a row. */
export function rowWords(rows: Int32Array, row: number): number {
	return layout.traversals + (rows[row + layout.count]! * layout.traversalWords);
}

/** The ids of a row's traversals: what it met, without its addresses. */
export function shapesOf(rows: Int32Array, row: number): readonly number[] {
	return Array.from({length: rows[row + layout.count]!}, (_, index) => rows[row + layout.traversals + (index * layout.traversalWords)]!);
}

/** The traversals of a row. `ends` are its source and destination, if they exist as objects: traversals that show the same share them, which halves the memory of a leg. */
export function unpackTraversals(rows: Int32Array, row: number, shapes: Traversals, ends: Ends = headerEnds(rows, row)): Traversal[] {
	const isIpv6 = (rows[row]! & facts.ipv6) !== 0;
	const traversals: Traversal[] = [];
	let {source, destination} = ends;
	let [lastPorts, lastSource, lastDestination] = [rows[row + layout.ports]!, row + layout.source, row + layout.destination];
	for (let index = 0, at = row + layout.traversals; index < rows[row + layout.count]!; index++, at += layout.traversalWords) {
		const ports = rows[at + layout.traversalPorts]!;
		if (ports >>> 16 !== lastPorts >>> 16 || !isSameAddress(rows, at + layout.traversalSource, {other: lastSource, isIpv6})) {
			source = {address: addressAt(rows, at + layout.traversalSource, isIpv6), port: ports >>> 16};
		}

		if ((ports & 0xFF_FF) !== (lastPorts & 0xFF_FF) || !isSameAddress(rows, at + layout.traversalDestination, {other: lastDestination, isIpv6})) {
			destination = {address: addressAt(rows, at + layout.traversalDestination, isIpv6), port: ports & 0xFF_FF};
		}

		traversals.push({...shapes[rows[at]!]!, source, destination});
		[lastPorts, lastSource, lastDestination] = [ports, at + layout.traversalSource, at + layout.traversalDestination];
	}

	return traversals;
}

type Ends = {readonly source: Endpoint; readonly destination: Endpoint};

/** The source and destination of a row's packet, before any NAT. */
function headerEnds(rows: Int32Array, row: number): Ends {
	return endpointsAt(rows, {
		ports: rows[row + layout.ports]!, source: row + layout.source, destination: row + layout.destination, isIpv6: (rows[row]! & facts.ipv6) !== 0,
	});
}

function isSameAddress(rows: Int32Array, one: number, {other, isIpv6}: {readonly other: number; readonly isIpv6: boolean}): boolean {
	return rows[one] === rows[other]
		&& (!isIpv6 || (rows[one + 1] === rows[other + 1] && rows[one + 2] === rows[other + 2] && rows[one + 3] === rows[other + 3]));
}

/** The packet of a row. */
export function unpackPacket(rows: Int32Array, row: number, shapes: Traversals): TracedPacket {
	const known = rows[row]!;
	const hasSequence = (known & facts.sequence) !== 0;
	const ends = headerEnds(rows, row);
	return {
		header: {
			family: (known & facts.ipv6) === 0 ? 'ipv4' : 'ipv6',
			protocol: known & protocolMask,
			...ends,
			sequence: hasSequence ? rows[row + layout.sequence]! >>> 0 : undefined,
			identification: rows[row + layout.identification]!,
			tcpFlags: hasSequence ? rows[row + layout.tcpFlags]! : undefined,
		},
		traversals: unpackTraversals(rows, row, shapes, ends),
		seen: (known & facts.seen) !== 0,
		entry: entryOf(known),
		owner: (known & facts.owner) === 0 ? undefined : {uid: rows[row + layout.uid]! >>> 0, gid: rows[row + layout.gid]! >>> 0},
		...((known & facts.invalid) === 0 ? {} : {isInvalid: true}),
	};
}

function entryOf(known: number): Hook | undefined {
	if ((known & facts.entryPrerouting) !== 0) {
		return 'prerouting';
	}

	return (known & facts.entryOutput) === 0 ? undefined : 'output';
}

/** Where a packet was last seen on its path out of netfilter, as it was then: after all of INPUT (delivered here) or POSTROUTING (sent). Undefined if the trace table has no chain there. */
export function arrivalOf(rows: Int32Array, row: number): {readonly hook: 'input' | 'postrouting'; readonly destination: Endpoint} | undefined {
	const known = rows[row]!;
	if ((known & (facts.arrivedInput | facts.arrivedPostrouting)) === 0) {
		return undefined;
	}

	return {
		hook: (known & facts.arrivedInput) === 0 ? 'postrouting' : 'input',
		destination: {address: addressAt(rows, row + layout.arrival, (known & facts.ipv6) !== 0), port: rows[row + layout.arrivalPorts]! & 0xFF_FF},
	};
}
