/**
Asks nf_tables of a namespace by netlink: for its rules with their counters, and for a counted set. The prober does that before and after each batch; by the nft program and its JSON, it took half a second for 10,000 rules.
*/

import {DumpError, type DumpState} from '../../src/trace/decode/in-place.js';
import {
	elementDumpRequest, OwnerDump, PairDump, RuleDump, ruleDumpRequest,
} from '../../src/trace/decode/nft-dump.js';
import {NetlinkFormatError} from '../../src/trace/decode/netlink.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';
import {joinOwners, type OwnerSet} from '../../src/trace/owner-sets.js';
import type {SocketOwner} from '../../src/trace/sockets.js';
import {TestbedError} from '../errors.js';
import {errorName} from '../syscalls/libc.js';
import {closeDescriptor, errno} from '../syscalls/netns.js';
import {openNetfilterSocket, receiveNow, sendDatagram} from '../syscalls/netlink-socket.js';
import {waitReadable} from '../syscalls/poll.js';
import type {Netns} from './netns.js';

/** The kernel fills datagrams of at most 32 KiB (`netlink_dump` in net/netlink/af_netlink.c). */
const bufferBytes = 1 << 16;
/** Read in place: readers keep nothing of it. */
const buffer = new Uint8Array(bufferBytes);
/** The kernel has the next datagram ready by the time that one was received; this guards against one that has not. */
const waitMs = 5000;
/** How often a dump is asked for again if the rules changed in between. */
const attempts = 10;

/**
The rules of all tables except some, as `nft -j list ruleset` has them, with their counters.

@throws {TestbedError} COMMAND_FAILED if the kernel refuses, or answers with something that cannot be read.
*/
export function dumpRules(netns: Netns, exceptTables: readonly string[]): readonly LoadedRule[] {
	return dump(netns, ruleDumpRequest(), () => new RuleDump(exceptTables)).rules;
}

/**
The counted elements of a set whose key is two numbers, by `ONE:OTHER`. The table is of family inet; without it, nothing is counted.

@throws {TestbedError} as {@link dumpRules}.
*/
export function dumpPairs(netns: Netns, place: {readonly table: string; readonly set: string}): ReadonlyMap<string, number> {
	return dump(netns, elementDumpRequest(place), () => new PairDump()).counts;
}

/**
The owners of packets, in sets of a table of family inet.

@throws {TestbedError} as {@link dumpRules}.
*/
export function dumpOwners(netns: Netns, {table, sets}: {readonly table: string; readonly sets: readonly OwnerSet[]}): readonly SocketOwner[] {
	return joinOwners(dumpEach(netns, sets.map(({name, ...set}) => ({request: elementDumpRequest({table, set: name}), create: () => new OwnerDump(set)}))).flatMap(({records}) => records));
}

function dump<Reader extends {add: (bytes: Uint8Array) => DumpState}>(netns: Netns, request: Uint8Array, create: () => Reader): Reader {
	return dumpEach(netns, [{request, create}])[0]!;
}

/** Asks by one socket, one after the other. */
function dumpEach<Reader extends {add: (bytes: Uint8Array) => DumpState}>(netns: Netns, asked: ReadonlyArray<{readonly request: Uint8Array; readonly create: () => Reader}>): readonly Reader[] {
	const fd = netns.enter(() => openNetfilterSocket(bufferBytes));
	try {
		return asked.map(({request, create}) => dumpOn(fd, request, create));
	} finally {
		closeDescriptor(fd);
	}
}

function dumpOn<Reader extends {add: (bytes: Uint8Array) => DumpState}>(fd: number, request: Uint8Array, create: () => Reader): Reader {
	try {
		for (let attempt = 0; attempt < attempts; attempt++) {
			const reader = create();
			sendDatagram(fd, request);
			if (isRead(fd, reader)) {
				return reader;
			}
		}
	} catch (error) {
		if (error instanceof DumpError && errorName(error.errorNumber) === 'ENOENT') {
			return create();
		}

		throw error instanceof NetlinkFormatError || error instanceof DumpError ? failed(error instanceof DumpError ? errorName(error.errorNumber) : error.message, error) : error;
	}

	throw failed('they changed again and again');
}

/** Reads a dump to its end; returns whether it is of one state of the rules. */
function isRead(fd: number, reader: {add: (bytes: Uint8Array) => DumpState}): boolean {
	let isWhole = true;
	for (;;) {
		const length = receiveNow(fd, buffer);
		if (length === -errno.EAGAIN && waitReadable([fd], waitMs).length > 0) {
			continue;
		}

		if (length < 0 && length !== -errno.EINTR) {
			throw failed(errorName(-length));
		}

		if (length < 0) {
			continue;
		}

		// An interrupted dump goes on to its end as well.
		const {isDone, isInterrupted} = reader.add(buffer.subarray(0, length));
		isWhole &&= !isInterrupted;
		if (isDone) {
			return isWhole;
		}
	}
}

function failed(reason: string, cause?: Error): TestbedError {
	return new TestbedError('COMMAND_FAILED', {message: `The rules in the kernel could not be read: ${reason}.`, cause});
}
