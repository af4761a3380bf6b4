/**
Configures an NFLOG socket (linux/netfilter/nfnetlink_log.h) to receive the TRACE messages of legacy ip_tables.
*/

import {controlTypes, parseMessages} from '../../src/trace/decode/netlink.js';
import {TestbedError} from '../errors.js';
import {receiveNow, sendDatagram} from '../syscalls/netlink-socket.js';
import {waitReadable} from '../syscalls/poll.js';

const configMessage = (4 << 8) | 1; // `NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG`
const flags = 1 | 4; // `NLM_F_REQUEST | NLM_F_ACK`
const attribute = {
	command: 1, mode: 2, threshold: 5, flags: 6,
} as const;
const command = {bind: 1, bindFamily: 3} as const;
const copyPacket = 2;
const withSequence = 1;
const afInet = 2;
const afInet6 = 10;

function encodeAttribute(type: number, payload: Uint8Array): Uint8Array {
	const bytes = new Uint8Array((4 + payload.length + 3) & ~3);
	const view = new DataView(bytes.buffer);
	view.setUint16(0, 4 + payload.length, true);
	view.setUint16(2, type, true);
	bytes.set(payload, 4);
	return bytes;
}

function encodeConfig(family: number, attributes: readonly Uint8Array[]): Uint8Array {
	const body = attributes.flatMap(bytes => [...bytes]);
	const bytes = new Uint8Array(20 + body.length);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, bytes.length, true);
	view.setUint16(4, configMessage, true);
	view.setUint16(6, flags, true);
	view.setUint8(16, family);
	bytes.set(body, 20);
	return bytes;
}

function request(fd: number, what: string, bytes: Uint8Array): void {
	sendDatagram(fd, bytes);
	const buffer = new Uint8Array(4096);
	// The kernel answers a request before `send` returns; the wait only guards against one that does not.
	if (waitReadable([fd], 1000).length === 0) {
		throw new TestbedError('MACHINE', {message: `The kernel did not answer the request to ${what}.`});
	}

	const length = receiveNow(fd, buffer);
	const answer = parseMessages(buffer.subarray(0, Math.max(0, length))).find(({type}) => type === controlTypes.error);
	const error = answer === undefined ? -1 : answer.body.getInt32(0, true);
	if (error !== 0) {
		throw new TestbedError('MACHINE', {
			message: `The kernel refused to ${what} (error number ${-error}).`,
			hint: 'modprobe nfnetlink_log (kernel option NETFILTER_NETLINK_LOG)',
		});
	}
}

/** Makes this socket receive the namespace's TRACE messages of both families: group 0, whole packets, without batching, with sequence numbers. */
export function configureNflog(fd: number): void {
	for (const family of [afInet, afInet6]) {
		request(fd, 'log packets by netlink', encodeConfig(family, [encodeAttribute(attribute.command, Uint8Array.of(command.bindFamily))]));
	}

	request(fd, 'send the log group 0', encodeConfig(0, [encodeAttribute(attribute.command, Uint8Array.of(command.bind))]));
	request(fd, 'send whole packets', encodeConfig(0, [
		encodeAttribute(attribute.mode, Uint8Array.of(0, 0, 0xFF, 0xFF, copyPacket, 0)),
		encodeAttribute(attribute.threshold, Uint8Array.of(0, 0, 0, 1)),
		encodeAttribute(attribute.flags, Uint8Array.of(0, withSequence)),
	]));
}
