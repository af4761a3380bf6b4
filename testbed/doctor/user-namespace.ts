/**
Checks of what an ordinary user needs instead of root: a user namespace, with a range of IDs. For the machine's root there are none.
*/

import process from 'node:process';
import {TestbedError} from '../errors.js';
import {refuseMissingUsers} from '../rootless/mapped-ids.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {ownIdMaps} from '../syscalls/id-maps.js';
import {openNetfilterSocket} from '../syscalls/netlink-socket.js';
import {receiveBufferOf} from '../syscalls/receive-buffer.js';
import {isMachinesRoot} from '../system/privileges.js';
import {defaultBufferBytes} from '../tracer/trace-source.js';
import {packetsIn} from '../tracer/trace-socket.js';
import type {Check} from './check.js';

/** The highest ID that rules and images usually name: that of "nobody" in some distributions. */
const highestUsual = 65_535;

const mebibyte = 1024 * 1024;

/** What the kernel queues of a trace: a buffer of the default size is asked for, and what was granted is read back. */
function traceBuffer(): number {
	const fd = openNetfilterSocket(defaultBufferBytes);
	try {
		return receiveBufferOf(fd);
	} finally {
		closeDescriptor(fd);
	}
}

/** The checks; `wall` is what forbade a user namespace. */
export function userNamespaceChecks(wall: TestbedError | undefined): readonly Check[] {
	if (isMachinesRoot()) {
		return [];
	}

	const shared = {group: 'no root', fix: 'Run it as root.'} as const;
	const uid = process.geteuid!();
	if (uid !== 0) {
		return [{
			...shared,
			what: `a user namespace in which UID ${uid} is root`,
			use: 'everything',
			needs: 'USER_NS, and permission to create user namespaces',
			async act() {
				throw wall ?? new TestbedError('MACHINE', {message: `This is UID ${uid}.`});
			},
		}];
	}

	const bytes = traceBuffer();
	const isLimited = packetsIn(bytes, {askedBytes: defaultBufferBytes, messages: 1}) !== undefined;
	return [
		{
			...shared,
			what: 'root of a user namespace, for everything but run --keep, enter, clean and live pods',
			use: 'everything',
			needs: 'USER_NS',
			async act() {
				if (ownIdMaps().isInitial) {
					throw new TestbedError('MACHINE', {message: 'This process is in the machine\'s own user namespace.'});
				}
			},
		},
		{
			...shared,
			what: `UIDs and GIDs 0 to ${highestUsual}`,
			use: 'users',
			needs: 'a range of IDs for the user in /etc/subuid and /etc/subgid, and the package uidmap',
			async act() {
				refuseMissingUsers([
					{name: 'the usual proxy', uid: 1337, gid: 1337}, {name: 'the usual app', uid: 1000, gid: 1000}, {name: 'the highest that rules usually name', uid: highestUsual, gid: highestUsual},
				]);
			},
		},
		{
			...shared,
			what: isLimited ? `a trace buffer of ${(bytes / mebibyte).toFixed(1)} MiB instead of ${defaultBufferBytes / mebibyte}, so probes are sent in smaller groups` : `a trace buffer of ${defaultBufferBytes / mebibyte} MiB`,
			use: 'everything',
			needs: 'net.core.rmem_max',
			fix: `sudo sysctl -w net.core.rmem_max=${defaultBufferBytes}`,
			async act() {
				if (bytes <= 0) {
					throw new TestbedError('MACHINE', {message: 'The kernel gives the trace no buffer.'});
				}
			},
		},
	];
}
