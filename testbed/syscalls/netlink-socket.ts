/**
Netlink sockets of the netfilter family, and of the routing family. Numbers are those of asm-generic and include/uapi/linux/netlink.h.
*/

import {
	checked, int32, lastError, libc,
} from './libc.js';
import {sockCloexec} from './netns.js';
import {growReceiveBuffer} from './receive-buffer.js';

const libcSocket = libc.func('int socket(int domain, int type, int protocol)');

const libcBind = libc.func('int bind(int fd, const void *address, uint32_t length)');

const libcSetsockopt = libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');

const libcSend = libc.func('long send(int fd, const void *data, size_t length, int flags)');

const libcRecv = libc.func('long recv(int fd, void *data, size_t length, int flags)');

const afNetlink = 16;

const sockRaw = 3;

const netlinkRoute = 0;

const netlinkNetfilter = 12;

const solNetlink = 270;

const netlinkAddMembership = 1;

/** Opens a netlink socket of the netfilter family in the namespace of this thread, with a receive buffer of the given size, if this process may have it ({@link growReceiveBuffer}). */
export function openNetfilterSocket(bufferBytes: number): number {
	const fd = openNetlinkSocket(netlinkNetfilter);
	growReceiveBuffer(fd, bufferBytes);
	return fd;
}

/** Opens a netlink socket of the routing family in the namespace of this thread. */
export function openRouteSocket(): number {
	return openNetlinkSocket(netlinkRoute);
}

function openNetlinkSocket(protocol: number): number {
	const fd = checked('socket(AF_NETLINK)', libcSocket(afNetlink, sockRaw | sockCloexec, protocol) as number);
	const address = new Uint8Array(12); // `struct sockaddr_nl`; the kernel chooses the port.
	new DataView(address.buffer).setUint16(0, afNetlink, true);
	checked('bind(AF_NETLINK)', libcBind(fd, address, address.length) as number);
	return fd;
}

/** Subscribes a netlink socket to a multicast group. */
export function joinNetlinkGroup(fd: number, group: number): void {
	checked('setsockopt(NETLINK_ADD_MEMBERSHIP)', libcSetsockopt(fd, solNetlink, netlinkAddMembership, int32(group), 4) as number);
}

/** Sends one datagram. */
export function sendDatagram(fd: number, bytes: Uint8Array): void {
	checked('send', Number(libcSend(fd, bytes, bytes.length, 0)));
}

const messageDontwait = 0x40;

/** Receives one datagram into `buffer` without waiting; returns its length, or the negative error number. */
export function receiveNow(fd: number, buffer: Uint8Array): number {
	const length = Number(libcRecv(fd, buffer, buffer.length, messageDontwait));
	return length < 0 ? -lastError() : length;
}
