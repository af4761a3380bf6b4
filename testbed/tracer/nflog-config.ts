/**
Configures an NFLOG socket (linux/netfilter/nfnetlink_log.h) to receive the TRACE messages of legacy ip_tables.
*/

import {changeFlags, requestMessage} from '../../src/trace/decode/in-place.js';
import {TestbedError} from '../errors.js';
import {change} from '../sandbox/netlink-change.js';

const configMessage = (4 << 8) | 1; // `NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG`
const attribute = {
	command: 1, mode: 2, threshold: 5, flags: 6,
} as const;
const command = {bind: 1, bindFamily: 3} as const;
const copyPacket = 2;
const withSequence = 1;
const afInet = 2;
const afInet6 = 10;

/** @throws {TestbedError} MACHINE if the kernel cannot do it. */
function configure(fd: number, what: string, attributes: ReadonlyArray<readonly [type: number, value: readonly number[]]>, family = 0): void {
	const error = change(fd, requestMessage(configMessage, family, attributes.map(([type, value]) => [type, Uint8Array.from(value)]), {flags: changeFlags}));
	if (error === undefined) {
		throw new TestbedError('MACHINE', {message: `The kernel did not answer the request to ${what}.`});
	}

	if (error !== 0) {
		throw new TestbedError('MACHINE', {
			message: `The kernel refused to ${what} (error number ${error}).`,
			hint: 'modprobe nfnetlink_log (kernel option NETFILTER_NETLINK_LOG)',
		});
	}
}

/**
Makes this socket receive the namespace's TRACE messages of both families: group 0, whole packets, without batching, with sequence numbers.

@throws {TestbedError} MACHINE if the kernel cannot do it.
*/
export function configureNflog(fd: number): void {
	for (const family of [afInet, afInet6]) {
		configure(fd, 'log packets by netlink', [[attribute.command, [command.bindFamily]]], family);
	}

	configure(fd, 'send the log group 0', [[attribute.command, [command.bind]]]);
	configure(fd, 'send whole packets', [
		[attribute.mode, [0, 0, 0xFF, 0xFF, copyPacket, 0]],
		[attribute.threshold, [0, 0, 0, 1]],
		[attribute.flags, [0, withSequence]],
	]);
}
