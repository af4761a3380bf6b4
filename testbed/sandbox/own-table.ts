/**
The table that the testbed adds next to the rules under test.
*/

import {controlTypes, parseMessages} from '../../src/trace/decode/netlink.js';
import {flushRequest} from '../../src/trace/decode/nft-flush.js';
import {TestbedError} from '../errors.js';
import {errorName} from '../syscalls/libc.js';
import {receiveNow, sendDatagram} from '../syscalls/netlink-socket.js';
import {waitReadable} from '../syscalls/poll.js';

/** The name of the table, family inet. */
export const traceTable = 'testbed-trace';

/**
The words for nft that begin the table. An earlier one is deleted first; if it is known that there is none (`isFirst`), that is left out, and nft fails if there is one after all. A program that has deleted anything waits at its end until no processor can see it any more (`nft_rcv_nl_event` in net/netfilter/nf_tables_api.c), four ticks of the kernel's clock: 16 of 20 ms (measured, Linux 6.18 with 250 ticks a second).
*/
export function beginTable(isFirst: boolean): string {
	return isFirst ? `create table inet ${traceTable}\n` : `table inet ${traceTable} {}\ndelete table inet ${traceTable}\n`;
}

/** The kernel has the answer by the time that the request was sent; this guards against one that has not. */
const waitMs = 1000;

/**
Removes all elements of a set of the table, by a netlink socket of its namespace: without a program that starts, and waits at its end ({@link beginTable}).

@throws {TestbedError} COMMAND_FAILED if the kernel refuses.
*/
export function flushSet(fd: number, set: string): void {
	sendDatagram(fd, flushRequest({table: traceTable, set}));
	const answer = new Uint8Array(4096);
	const length = waitReadable([fd], waitMs).length === 0 ? 0 : Math.max(0, receiveNow(fd, answer));
	const error = parseMessages(answer.subarray(0, length)).find(({type}) => type === controlTypes.error)?.body.getInt32(0, true);
	if (error !== 0) {
		throw new TestbedError('COMMAND_FAILED', {message: `The kernel did not empty the set ${set} of the table ${traceTable}: ${error === undefined ? 'it did not answer' : errorName(-error)}.`});
	}
}
