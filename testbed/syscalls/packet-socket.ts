/**
Packet sockets (packet(7)): all packets on every interface of a namespace, with link headers.
*/

import {checked, lastError, libc} from './libc.js';
import {growReceiveBuffer} from './receive-buffer.js';
import {calls, sockCloexec, sockRaw} from './socket-calls.js';

const libcRecvfrom = libc.func('long recvfrom(int fd, void *data, size_t length, int flags, void *address, void *addressLength)');
const libcIoctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)');
const libcGetsockopt = libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)');

const afPacket = 17;
const allProtocols = 0x03_00; // ETH_P_ALL in network order (linux/if_ether.h)
const [solPacket, packetStatistics] = [263, 6];
const [dontWait, truncate] = [0x40, 0x20];
const stampOfLast = 0x89_07; // SIOCGSTAMPNS (asm-generic/sockios.h), with 64-bit longs a `struct timespec` of two of them.
const [loopback, outgoing] = [772, 4]; // ARPHRD_LOOPBACK, PACKET_OUTGOING

/** One packet as seen on an interface. `time` is in nanoseconds since 1970. */
export type SeenPacket = {readonly ifindex: number; readonly time: bigint; readonly bytes: Uint8Array};

/**
Opens one in the namespace of this thread. It only sees packets sent from then on.

@throws {TestbedError} SYSCALL_FAILED without CAP_NET_RAW.
*/
export function openPacketSocket(bufferBytes: number): number {
	const fd = checked('socket(AF_PACKET)', calls.socket(afPacket, sockRaw | sockCloexec, allProtocols) as number);
	growReceiveBuffer(fd, bufferBytes);
	// The first call turns timestamps on; it fails because there is no packet yet.
	libcIoctl(fd, stampOfLast, new Uint8Array(16));
	return fd;
}

/**
Receives one packet without waiting; undefined if none is left. Packets sent on `lo` are skipped, because they are received there again.

@throws {TestbedError} SYSCALL_FAILED.
*/
export function receivePacket(fd: number, buffer: Uint8Array): SeenPacket | undefined {
	const address = new Uint8Array(20); // `struct sockaddr_ll`
	const view = new DataView(address.buffer);
	for (;;) {
		const length = Number(libcRecvfrom(fd, buffer, buffer.length, dontWait | truncate, address, Uint32Array.of(address.length)));
		if (length < 0) {
			if (lastError() === 11) { // EAGAIN
				return undefined;
			}

			checked('recvfrom(AF_PACKET)', length);
		}

		if (view.getUint16(8, true) === loopback && view.getUint8(10) === outgoing) {
			continue;
		}

		const stamp = new BigInt64Array(2);
		checked('ioctl(SIOCGSTAMPNS)', libcIoctl(fd, stampOfLast, stamp) as number);
		return {ifindex: view.getInt32(4, true), time: (stamp[0]! * 1_000_000_000n) + stamp[1]!, bytes: buffer.slice(0, Math.min(length, buffer.length))};
	}
}

/** How many packets the kernel dropped since the last call because the buffer was full. */
export function droppedPackets(fd: number): number {
	const statistics = new Uint32Array(2); // `struct tpacket_stats`
	checked('getsockopt(PACKET_STATISTICS)', libcGetsockopt(fd, solPacket, packetStatistics, statistics, Uint32Array.of(8)) as number);
	return statistics[1]!;
}
