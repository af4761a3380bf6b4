/**
Sends one packet that conntrack classifies as invalid for an actor, through a raw socket, and reads the answer.
*/

import {randomInt} from 'node:crypto';
import {read} from 'node:fs';
import {isIPv6} from 'node:net';
import {promisify} from 'node:util';
import {addressBytes, printAddressBytes} from '../../src/netfilter/address.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import {openRawTcp, sendRaw, type RawTcp} from '../syscalls/raw-tcp.js';
import {
	invalidFlags, isRefusal, segmentBytes, type Segment,
} from '../syscalls/tcp-segment.js';
import type {ActorSpec} from './protocol.js';

/** The call waits in libuv's thread pool, so the actor's other sockets keep working. */
const readSocket = promisify(read);

/** Longest wait for an answer, unless the actor's timeout is shorter. The kernel answers the packet while it is being sent, and it is never retransmitted; waiting too briefly leads to a gap. */
const answerMs = 250;

/** The number of 32-bit values. */
const numbers = 0x1_00_00_00_00;

/** Sends the packet, records that it was sent and how it ended, and resolves with the reason for its end: an RST is a refusal, anything else is no answer. */
export async function sendInvalid({id, to, source}: {
	readonly id: string; readonly to: Endpoint; readonly source: string | undefined;
}, {spec, record}: {readonly spec: ActorSpec; readonly record: (record: SocketRecord) => void}): Promise<string> {
	const timeoutMs = Math.min(spec.timeoutMs, answerMs);
	const family = isIPv6(to.address) ? 'ipv6' : 'ipv4';
	let socket: RawTcp | undefined;
	let end: {readonly result: 'refused' | 'timeout'; readonly reason: string};
	try {
		socket = openRawTcp({source: source === undefined ? undefined : addressBytes(source), destination: addressBytes(to.address), timeoutMs});
		const segment: Segment = {
			source: socket.own, destination: {address: addressBytes(to.address), port: to.port}, flags: invalidFlags, sequence: randomInt(numbers), acknowledgement: randomInt(numbers),
		};
		record({
			kind: 'opened', id, parent: undefined, actor: spec.name, family, from: {address: printAddressBytes(socket.own.address), port: socket.own.port}, to, packet: 'invalid',
		});
		sendRaw(socket.fd, segmentBytes(segment));
		end = await isRefused({
			socket, segment, family, timeoutMs,
		})
			? {result: 'refused', reason: 'it was answered by RST'}
			: {result: 'timeout', reason: `no answer within ${timeoutMs} ms`};
	} catch (error) {
		end = {result: 'timeout', reason: error instanceof Error ? error.message : String(error)};
	} finally {
		socket?.close();
	}

	record({kind: 'ended', id, ...end});
	return end.reason;
}

/** Whether an RST comes back. A raw socket receives all TCP packets from the peer, so unrelated ones are skipped. */
async function isRefused({socket, segment, family, timeoutMs}: {
	readonly socket: RawTcp; readonly segment: Segment; readonly family: 'ipv4' | 'ipv6'; readonly timeoutMs: number;
}): Promise<boolean> {
	const buffer = new Uint8Array(256);
	const deadline = performance.now() + timeoutMs;
	do {
		let bytesRead: number;
		try {
			({bytesRead} = await readSocket(socket.fd, buffer, 0, buffer.length, null)); // eslint-disable-line no-await-in-loop -- One packet after the other.
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
				return false; // The socket's receive timeout.
			}

			throw error;
		}

		const start = family === 'ipv4' ? (buffer[0]! & 0xF) * 4 : 0;
		if (isRefusal(buffer.subarray(Math.min(start, bytesRead), bytesRead), segment)) {
			return true;
		}
	} while (performance.now() < deadline);

	return false;
}
