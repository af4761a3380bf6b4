/**
Captures all packets of a sandbox, to look at in Wireshark. Results do not depend on it.
*/

import type {CapturedInterface, CapturedPacket} from '../../src/report/pcap/pcapng.js';
import type {Netns} from '../sandbox/netns.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {droppedPackets, openPacketSocket, receivePacket} from '../syscalls/packet-socket.js';

/** The captured packets in order of time. `dropped` packets are missing. */
export type CapturedPackets = {readonly interfaces: readonly CapturedInterface[]; readonly packets: readonly CapturedPacket[]; readonly dropped: number};

/** The kernel's buffer for each namespace, in bytes: some 50,000 small packets. */
const bufferBytes = 64 * 1024 * 1024;
/** The longest packet: the MTU of lo plus a link header. */
const longestPacket = 65_536 + 64;

/** Captures in several namespaces. Start it once their interfaces exist, and read it when nothing is sent any more. */
export class PacketCapture implements Disposable {
	readonly #open: Array<{readonly netns: Netns; readonly fd: number}> = [];

	/**
	Starts capturing.

	@throws {TestbedError} SYSCALL_FAILED without CAP_NET_RAW, leaving nothing open.
	*/
	constructor(namespaces: readonly Netns[]) {
		try {
			for (const netns of namespaces) {
				this.#open.push({netns, fd: netns.enter(() => openPacketSocket(bufferBytes))});
			}
		} catch (error) {
			this[Symbol.dispose]();
			throw error;
		}
	}

	/** Everything since the start, or since the last call, except for frames that the testbed itself sends to look at the kernel: they are no traffic of the run. */
	read(isOwn: (netns: Netns, frame: Uint8Array) => boolean): CapturedPackets {
		const interfaces: CapturedInterface[] = [];
		const packets: CapturedPacket[] = [];
		let dropped = 0;
		const buffer = new Uint8Array(longestPacket);
		for (const {netns, fd} of this.#open) {
			const places = new Map([...netns.interfaces()].map(([index, name]) => [index, interfaces.push({name: `${netns.label}:${name}`, description: `${name} in the namespace ${netns.label}`}) - 1] as const));
			for (let seen = receivePacket(fd, buffer); seen !== undefined; seen = receivePacket(fd, buffer)) {
				const place = places.get(seen.ifindex);
				if (place !== undefined && !isOwn(netns, seen.bytes)) {
					packets.push({interface: place, time: seen.time, bytes: seen.bytes});
				}
			}

			dropped += droppedPackets(fd);
		}

		return {interfaces, packets: packets.toSorted((one, other) => Number(one.time - other.time)), dropped};
	}

	[Symbol.dispose](): void {
		for (const {fd} of this.#open.splice(0)) {
			closeDescriptor(fd);
		}
	}
}
