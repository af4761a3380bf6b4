/**
Reads what the kernel's own tables say about packets: `/proc/net/dev`, `/proc/net/tcp` (proc(5)), and neighbors by netlink (rtnetlink(7)). Pure; `packet-watch.ts` reads them.
*/

import {controlTypes, parseMessages} from '../../src/trace/decode/netlink.js';

/** States of a TCP socket (include/net/tcp_states.h). */
const states = {
	synSent: 2, synReceived: 3, timeWait: 6, closed: 7, listen: 10,
} as const;

/** States in which a socket has sent nothing that its peer must acknowledge, except for an answer to a first packet, which the kernel repeats as it repeats the first packet. */
const idle: ReadonlySet<number> = new Set([states.synReceived, states.timeWait, states.closed, states.listen]);

const devicePattern = /^\s*\S+:\s*\d+\s+(?<received>\d+)(?:\s+\d+){6}\s+\d+\s+(?<sent>\d+)/u;

/**
How many packets all devices of a namespace have received and sent so far, in the text of `/proc/net/dev`.

@throws {RangeError} for a line of another form.
*/
export function packetsIn(devices: string): number {
	let sum = 0;
	for (const line of linesOf(devices).slice(2)) {
		const {received, sent} = devicePattern.exec(line)?.groups ?? {};
		if (received === undefined || sent === undefined) {
			throw new RangeError(`a line of the kernel's table of devices has an unknown form: ${line}`);
		}

		sum += Number(received) + Number(sent);
	}

	return sum;
}

const socketPattern = /^\s*\d+: [\dA-F]+:[\dA-F]{4} [\dA-F]+:[\dA-F]{4} (?<state>[\dA-F]{2}) (?<unacknowledged>[\dA-F]{8}):[\dA-F]{8} [\dA-F]{2}:[\dA-F]+ (?<again>[\dA-F]{8})\s+\d+\s+(?<probes>\d+) /u;

/**
Whether some socket in the text of `/proc/net/tcp` or `tcp6` has sent something that may still be acknowledged: data that was not sent again yet, or a first packet that was sent again fewer than `firstPackets` times. Until data was sent again, its acknowledgement may merely be delayed, or a small packet may wait for one (tcp(7), TCP_NODELAY). Data that never left, because a rule of this namespace drops it, is sent again as probes, which the kernel counts in the column `timeout` (`get_tcp4_sock` in net/ipv4/tcp_ipv4.c).

@throws {RangeError} for a line of another form.
*/
export function isAcknowledgementExpected(sockets: string, firstPackets: number): boolean {
	return linesOf(sockets).slice(1).some(line => {
		const {state, unacknowledged, again, probes} = socketPattern.exec(line)?.groups ?? {};
		if (state === undefined || unacknowledged === undefined || again === undefined || probes === undefined) {
			throw new RangeError(`a line of the kernel's table of TCP sockets has an unknown form: ${line}`);
		}

		const [number, times] = [Number.parseInt(state, 16), Number.parseInt(again, 16) + Number(probes)];
		if (number === states.synSent) {
			return times < firstPackets;
		}

		return !idle.has(number) && Number.parseInt(unacknowledged, 16) > 0 && times === 0;
	});
}

function linesOf(text: string): readonly string[] {
	return text.split('\n').filter(line => line !== '');
}

/** RTM_GETNEIGH (linux/rtnetlink.h), and NLM_F_REQUEST | NLM_F_DUMP. */
const [getNeighbors, dumpFlags] = [30, 0x1 | 0x3_00];
/** RTM_NEWNEIGH, the type of each entry. */
const neighborEntry = 28;
/** NUD_INCOMPLETE (include/uapi/linux): it was asked for, and packets wait for the answer. */
const incomplete = 0x01;
/** `struct nlmsghdr` and `struct ndmsg`; where the latter has the state. */
const [headerBytes, neighborBytes, stateAt] = [16, 12, 8];

/** A request for all neighbors of a namespace. */
export function neighborRequest(): Uint8Array {
	const bytes = new Uint8Array(headerBytes + neighborBytes);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, bytes.length, true);
	view.setUint16(4, getNeighbors, true);
	view.setUint16(6, dumpFlags, true);
	return bytes;
}

/**
What one datagram of the answer says: whether it ends the answer, and whether packets wait for some neighbor.

@throws {NetlinkFormatError | RangeError} for an answer of another form, or an error.
*/
export function readNeighbors(datagram: Uint8Array): {readonly isDone: boolean; readonly isAnyIncomplete: boolean} {
	let isDone = false;
	let isAnyIncomplete = false;
	for (const {type, body} of parseMessages(datagram)) {
		if (type === controlTypes.error) {
			throw new RangeError(`the kernel does not list its neighbors: error number ${-body.getInt32(0, true)}`);
		}

		isDone ||= type === controlTypes.done;
		isAnyIncomplete ||= type === neighborEntry && (body.getUint16(stateAt, true) & incomplete) !== 0;
	}

	return {isDone, isAnyIncomplete};
}
