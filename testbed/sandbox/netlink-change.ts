/**
Sends a request to netfilter that changes something, and reads whether the kernel did it.
*/

import {controlTypes, parseMessages} from '../../src/trace/decode/netlink.js';
import {receiveNow, sendDatagram} from '../syscalls/netlink-socket.js';
import {waitReadable} from '../syscalls/poll.js';

/** The kernel has answered by the time that `send` returns; the wait guards against one that has not. */
const waitMs = 1000;
const answerBytes = 4096;

/** Sends a request with `NLM_F_ACK`; returns the kernel's error number, 0 for none, and undefined if it did not answer. */
export function change(fd: number, request: Uint8Array): number | undefined {
	sendDatagram(fd, request);
	const answer = new Uint8Array(answerBytes);
	const length = waitReadable([fd], waitMs).length === 0 ? 0 : Math.max(0, receiveNow(fd, answer));
	const error = parseMessages(answer.subarray(0, length)).find(({type}) => type === controlTypes.error)?.body.getInt32(0, true);
	return error === undefined ? undefined : Math.abs(error);
}
