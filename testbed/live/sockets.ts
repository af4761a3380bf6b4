/**
The sockets that wait in a namespace, from the kernel's own lists (/proc/net/tcp, tcp6, udp, udp6; proc(5)).
*/

import {endianness} from 'node:os';
import {TestbedError} from '../errors.js';

/** One socket, with the number by which processes' descriptors name it. */
export type WaitingSocket = {readonly protocol: 'tcp' | 'udp'; readonly address: string; readonly port: number; readonly uid: number; readonly inode: number};

/** The states of a socket that waits: a TCP listener (TCP_LISTEN), a UDP socket without a peer (TCP_CLOSE). */
const waiting = {tcp: '0A', udp: '07'} as const;

/** Of the machine that printed a list: least or most significant byte first. */
type ByteOrder = 'LE' | 'BE';

/**
The waiting sockets in one list.

@throws {TestbedError} UNREADABLE for a line of another form.
*/
export function waitingSocketsIn(list: string, protocol: 'tcp' | 'udp', order: ByteOrder = endianness()): readonly WaitingSocket[] {
	return list.split('\n').slice(1).filter(line => line.trim() !== '').flatMap(line => {
		const {address, port, state, uid, inode} = pattern.exec(line)?.groups ?? {};
		if (address === undefined) {
			throw new TestbedError('UNREADABLE', {message: `/proc/net/${protocol} has a line of an unknown form: ${line.trim()}`, state: 'Nothing was changed.'});
		}

		return state === waiting[protocol]
			? [{
				protocol, address: addressOf(address, order), port: Number.parseInt(port!, 16), uid: Number(uid), inode: Number(inode),
			}]
			: [];
	});
}

const pattern = /^\s*\d+: (?<address>[\dA-F]{8}(?:[\dA-F]{24})?):(?<port>[\dA-F]{4}) [\dA-F]+:[\dA-F]{4} (?<state>[\dA-F]{2}) \S+ \S+ \S+\s+(?<uid>\d+)\s+\d+ (?<inode>\d+)/u;

/** An address as the kernel prints it: words of 32 bits in the machine's byte order. */
function addressOf(hex: string, order: ByteOrder): string {
	const bytes = hex.match(/.{8}/gu)!.flatMap(word => {
		const inOrder = word.match(/../gu)!.map(byte => Number.parseInt(byte, 16));
		return order === 'LE' ? inOrder.toReversed() : inOrder;
	});
	return bytes.length === 4 ? bytes.join('.') : ipv6Of(bytes);
}

function ipv6Of(bytes: readonly number[]): string {
	const groups = Array.from({length: 8}, (_, index) => ((bytes[index * 2]! << 8) | bytes[(index * 2) + 1]!).toString(16));
	// The canonical form, by the URL parser (RFC 5952).
	return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
