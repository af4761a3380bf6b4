/**
A netlink socket that receives the messages of one stream.
*/

import type {TraceStream} from '../../src/netfilter/backends.js';
import {joinNetlinkGroup, openNetfilterSocket} from '../syscalls/netlink-socket.js';
import {closeDescriptor} from '../syscalls/netns.js';
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
