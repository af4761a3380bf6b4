/**
A packet that conntrack classifies as invalid, as the prober's threads send it: through a raw socket, with a second socket that holds its port.
*/

import {randomInt} from 'node:crypto';
import {receiveNow} from '../syscalls/netlink-socket.js';
import {
	bindSocket, closeSocket, openSocket, ownAddress, readOwnAddress, sendBytes,
} from '../syscalls/probe-socket.js';
import {
	invalidFlags, isRefusal, segmentBytes, type Segment, type SegmentEnd,
} from '../syscalls/tcp-segment.js';

/** The number of 32-bit values. */
const numbers = 0x1_00_00_00_00;
const answer = new Uint8Array(256);

/** The endpoint in a `struct sockaddr`. */
function endOf(address: Uint8Array, isIpv6: boolean): SegmentEnd {
	return {address: isIpv6 ? address.slice(8, 24) : address.slice(4, 8), port: (address[2]! << 8) | address[3]!};
}

/** One packet, sent through a connected raw socket. Methods return error numbers, 0 for success. */
export class InvalidPacket {
	/** An idle TCP socket bound to the packet's port, so that no other socket gets the port; negative until it is open. */
	holder = -1;
	readonly #fd: number;
	readonly #isIpv6: boolean;
	readonly #destination: SegmentEnd;
	#segment: Segment | undefined;

	/** `to` is the destination as a `struct sockaddr`. */
	constructor(fd: number, to: Uint8Array) {
		this.#fd = fd;
		this.#isIpv6 = to.length > 16;
		this.#destination = endOf(to, this.#isIpv6);
	}

	/** Opens the holder at the raw socket's address, with the port of `source` if there is one. */
	reservePort(source: Uint8Array | undefined): number {
		const error = readOwnAddress(this.#fd);
		if (error !== 0) {
			return error;
		}

		const own = ownAddress.slice(0, this.#isIpv6 ? 28 : 16);
		// A raw socket's sockaddr has the protocol in place of the port.
		own.set(source?.subarray(2, 4) ?? [0, 0], 2);
		const holder = openSocket(this.#isIpv6, false);
		if (holder < 0) {
			return -holder;
		}

		this.holder = holder;
		return bindSocket(holder, own).error || readOwnAddress(holder);
	}

	/** Sends the packet from the holder's address and port. */
	send(): number {
		const error = readOwnAddress(this.holder);
		if (error !== 0) {
			return error;
		}

		this.#segment = {
			source: endOf(ownAddress, this.#isIpv6), destination: this.#destination, flags: invalidFlags, sequence: randomInt(numbers), acknowledgement: randomInt(numbers),
		};
		return sendBytes(this.#fd, segmentBytes(this.#segment));
	}

	/** Whether the RST that refuses it has arrived. The raw socket receives all TCP packets from there; others are skipped. */
	isRefused(): boolean {
		for (;;) {
			const length = receiveNow(this.#fd, answer);
			if (length < 0) {
				return false;
			}

			// In IPv4, what is received begins with the IP header.
			const start = this.#isIpv6 ? 0 : (answer[0]! & 0xF) * 4;
			if (this.#segment !== undefined && isRefusal(answer.subarray(Math.min(start, length), length), this.#segment)) {
				return true;
			}
		}
	}

	/** Releases the port. The raw socket belongs to the caller. */
	close(): void {
		if (this.holder >= 0) {
			closeSocket(this.holder);
			this.holder = -1;
		}
	}
}
