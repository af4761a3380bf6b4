/**
Receives many datagrams in one call: `recvmmsg`, into memory at a fixed address.
*/

import koffi from 'koffi';
import {TestbedError} from '../errors.js';
import {lastError, libc} from './libc.js';

const libcMmap = libc.func('void *mmap(void *address, size_t length, int protection, int flags, int fd, long offset)');
const libcMunmap = libc.func('int munmap(void *address, size_t length)');
const libcRecvmmsg = libc.func('int recvmmsg(int fd, void *messages, unsigned int count, int flags, void *timeout)');

const [readWrite, privateAnonymous] = [3, 0x22]; // PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
const messageBytes = 64; // `struct mmsghdr`, on 64 bits, glibc and musl: a `struct msghdr` of 56 bytes, then the length.
const vectorBytes = 16; // `struct iovec`
const dontWait = 0x40;
const truncated = 0x20;

/** A buffer of `slots` datagrams of at most `slotBytes` each. */
export class ManyDatagrams implements Disposable {
	/** The datagrams, each at a multiple of `slotBytes`. */
	readonly bytes: Uint8Array;
	readonly slotBytes: number;
	readonly #slots: number;
	readonly #pointer: bigint;
	readonly #length: number;
	readonly #headers: bigint;
	readonly #view: DataView;

	/** @throws {TestbedError} SYSCALL_FAILED if memory runs out. */
	constructor({slots, slotBytes}: {readonly slots: number; readonly slotBytes: number}) {
		this.#slots = slots;
		this.slotBytes = slotBytes;
		const dataBytes = slots * slotBytes;
		this.#length = dataBytes + (slots * (messageBytes + vectorBytes));
		// Not a typed array's memory: the garbage collector may move it, and the kernel would write to the old address.
		this.#pointer = libcMmap(null, this.#length, readWrite, privateAnonymous, -1, 0) as bigint;
		if (this.#pointer === 0xFF_FF_FF_FF_FF_FF_FF_FFn || this.#pointer === -1n) {
			throw new TestbedError('SYSCALL_FAILED', {message: `mmap of ${this.#length} bytes failed.`});
		}

		const memory = koffi.view(this.#pointer, this.#length);
		this.bytes = new Uint8Array(memory, 0, dataBytes);
		this.#view = new DataView(memory, dataBytes);
		this.#headers = this.#pointer + BigInt(dataBytes);
		for (let slot = 0; slot < slots; slot++) {
			const vector = (slots * messageBytes) + (slot * vectorBytes);
			this.#view.setBigUint64(vector, this.#pointer + BigInt(slot * slotBytes), true);
			this.#view.setBigUint64(vector + 8, BigInt(slotBytes), true);
			this.#view.setBigUint64((slot * messageBytes) + 16, this.#headers + BigInt(vector), true);
			this.#view.setBigUint64((slot * messageBytes) + 24, 1n, true);
		}
	}

	/** Receives available datagrams without waiting; returns how many, or the negative error number. */
	receiveNow(fd: number): number {
		const count = libcRecvmmsg(fd, this.#headers, this.#slots, dontWait, null) as number;
		return count < 0 ? -lastError() : count;
	}

	/** The length of a datagram; -1 if it was longer than its slot. */
	lengthOf(slot: number): number {
		return (this.#view.getInt32((slot * messageBytes) + 48, true) & truncated) === 0 ? this.#view.getInt32((slot * messageBytes) + 56, true) : -1;
	}

	[Symbol.dispose](): void {
		libcMunmap(this.#pointer, this.#length);
	}
}
