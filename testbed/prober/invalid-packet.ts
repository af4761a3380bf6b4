/**
A packet that conntrack calls invalid, as the prober's threads send it: by a raw socket, with what it needs beside that one.
*/

import {randomInt} from 'node:crypto';
import {receiveNow} from '../syscalls/netlink-socket.js';
import {
	bindSocket, closeSocket, openSocket, ownAddress, readOwnAddress, sendBytes,
} from '../syscalls/probe-socket.js';
import {
	invalidFlags, isRefusal, segmentBytes, type Segment, type SegmentEnd,
} from '../syscalls/tcp-segment.js';

/** One more than the largest 32-bit number. */
const numbers = 0x1_00_00_00_00;
const answer = new Uint8Array(256);

/** The end that a `struct sockaddr` names. */
function endOf(address: Uint8Array, isIpv6: boolean): SegmentEnd {
	return {address: isIpv6 ? address.slice(8, 24) : address.slice(4, 8), port: (address[2]! << 8) | address[3]!};
}

/** One packet, of a raw socket that is connected. Errors are numbers, 0 for none. */
export class InvalidPacket {
	/** A TCP socket that is bound to the packet's port and does nothing, so that nobody else gets the port; negative before there is one. */
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

	/** Makes the holder, at the address that the raw socket has, with the port of `source` where one is asked for. */
	reservePort(source: Uint8Array | undefined): number {
		const error = readOwnAddress(this.#fd);
		if (error !== 0) {
			return error;
		}

		const own = ownAddress.slice(0, this.#isIpv6 ? 28 : 16);
		// A raw socket has its protocol there.
		own.set(source?.subarray(2, 4) ?? [0, 0], 2);
		const holder = openSocket(this.#isIpv6, false);
		if (holder < 0) {
			return -holder;
		}

		this.holder = holder;
		return bindSocket(holder, own).error || readOwnAddress(holder);
	}

	/** Sends it from where the holder is. */
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

	/** Whether what has come by now holds the RST that refuses it. A raw socket hears all TCP from there; the rest is passed over. */
	isRefused(): boolean {
		for (;;) {
			const length = receiveNow(this.#fd, answer);
			if (length < 0) {
				return false;
			}

			// In IPv4 it begins with the header of IP.
			const start = this.#isIpv6 ? 0 : (answer[0]! & 0xF) * 4;
			if (this.#segment !== undefined && isRefusal(answer.subarray(Math.min(start, length), length), this.#segment)) {
				return true;
			}
		}
	}

	/** Gives the port back. The raw socket is its owner's. */
	close(): void {
		if (this.holder >= 0) {
			closeSocket(this.holder);
			this.holder = -1;
		}
	}
}
