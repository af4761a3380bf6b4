/**
A netlink socket that receives the messages of one stream.
*/

import type {TraceStream} from '../../src/netfilter/backends.js';
import {joinNetlinkGroup, openNetfilterSocket} from '../syscalls/netlink-socket.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {receiveBufferOf} from '../syscalls/receive-buffer.js';
import {configureNflog} from './nflog-config.js';

const nftraceGroup = 9; // NFNLGRP_NFTRACE (linux/netfilter/nfnetlink.h)

const subscribe: Readonly<Record<TraceStream, (fd: number) => void>> = {
	nft(fd) {
		joinNetlinkGroup(fd, nftraceGroup);
	},
	nflog: configureNflog,
};

/**
Opens one in the namespace of this thread. From then on the kernel queues up to `bufferBytes`.

@throws {TestbedError} MACHINE or SYSCALL_FAILED, leaving nothing open.
*/
export function openTraceSocket(stream: TraceStream, bufferBytes: number): number {
	const fd = openNetfilterSocket(bufferBytes);
	try {
		subscribe[stream](fd);
		return fd;
	} catch (error) {
		closeDescriptor(fd);
		throw error;
	}
}

/** Kernel memory that a trace message takes at most, in bytes. */
const messageBytes = 2048;

/** How many of the packets that are sent one after the other have room in the buffers of these sockets, half filled, if each leaves so many messages; undefined if the sockets have the buffers that were asked for, which only the machine's root is sure to get. At least one. */
export function packetsWithRoom(fds: readonly number[], {askedBytes, messages}: {readonly askedBytes: number; readonly messages: number}): number | undefined {
	return packetsIn(smallestBuffer(fds), {askedBytes, messages});
}

/** The same for a buffer of a size in bytes. */
export function packetsIn(bytes: number, {askedBytes, messages}: {readonly askedBytes: number; readonly messages: number}): number | undefined {
	return bytes < askedBytes ? roomIn(bytes, messages) : undefined;
}

/** The bytes that the kernel queues for each of these sockets at least. */
export function smallestBuffer(fds: readonly number[]): number {
	return Math.min(...fds.map(fd => receiveBufferOf(fd)));
}

/** How many packets have room in a buffer of a size in bytes, half filled, if each leaves so many messages. At least one. */
export function roomIn(bytes: number, messages: number): number {
	return Math.max(1, Math.floor(bytes / 2 / messageBytes / messages));
}
