/**
Waits until the kernel has processed every packet that was in flight when the wait began.

A packet over lo or veth is put into the receive queue of a processor (`enqueue_to_backlog` in net/core/dev.c). Usually the kernel empties that queue before `send` returns, so the answer to a probe is there by then. But a busy processor leaves the queue to ksoftirqd (`do_softirq`; before Linux 6.5 whenever ksoftirqd is awake), and with receive packet steering (`rps_cpus`, `net.core.rps_default_mask`) the queue belongs to another processor. Then the answer comes a moment later, and checking too early mistakes a refusal for silence: measured on Linux 6.18 with steering, for 1,100 to 1,400 of 1,500 datagrams.

That moment has no upper bound, so this does not wait for a fixed time. The queues are first in, first out: a datagram to oneself, over a lo without rules or steering, is queued behind everything already there, so once it arrives all of that has been processed. A processed packet may send another (the answer; before it a neighbor request and its reply), which is queued again; so every processor gets a datagram, once for every such step.
*/

import {receiveNow} from '../syscalls/netlink-socket.js';
import {waitReadable} from '../syscalls/poll.js';
import {
	bindSocket, closeSocket, connectSocket, openSocket, sendByte,
} from '../syscalls/probe-socket.js';
import {eachProcessor, ownProcessors, runOn} from '../syscalls/processors.js';
import {ownEnd, socketAddress} from '../syscalls/socket-calls.js';
import {checked} from '../syscalls/libc.js';

/** A neighbor request, its reply, the probe, the probe's answer, and two to spare. */
const steps = 6;
/** It usually takes microseconds; the limit is for a kernel that no longer processes packets. */
const limitMs = 10_000;

/** The receive queues of all processors that this thread may run on. */
export class Backlog implements Disposable {
	/** How many datagrams it has sent. */
	sent = 0;
	/** The port at 127.0.0.1 from which and to which it sends them. */
	readonly port: number;
	readonly #fd: number;
	readonly #byte = new Uint8Array(1);

	/**
	Creates the socket, in the current network namespace of this thread.

	@throws {TestbedError} SYSCALL_FAILED.
	*/
	constructor() {
		this.#fd = checked('socket', openSocket(false, true));
		try {
			refused('bind', bindSocket(this.#fd, socketAddress(Uint8Array.of(127, 0, 0, 1), 0)).error);
			const {address, port} = ownEnd(this.#fd, true);
			this.port = port;
			refused('connect', connectSocket(this.#fd, socketAddress(address, port)));
		} catch (error) {
			closeSocket(this.#fd);
			throw error;
		}
	}

	/** Waits for all queues; returns whether everything in flight has been processed, or false if time ran out. With `times`, only so many of the packets that follow from one another are waited for. */
	drain(times = steps): boolean {
		const processors = ownProcessors();
		const each = eachProcessor(processors);
		const deadline = performance.now() + limitMs;
		try {
			for (let step = 0; step < times; step++) {
				for (const one of each) {
					// A processor that went offline has handed its queue to another one (`dev_cpu_dead`).
					if (runOn(one) && !this.#pass(deadline)) {
						return false;
					}
				}
			}

			return true;
		} finally {
			runOn(processors);
		}
	}

	[Symbol.dispose](): void {
		closeSocket(this.#fd);
	}

	/** Sends one datagram through the queue of this processor. */
	#pass(deadline: number): boolean {
		if (sendByte(this.#fd) !== 0) {
			return false;
		}

		this.sent++;
		for (;;) {
			if (receiveNow(this.#fd, this.#byte) >= 0) {
				return true;
			}

			const left = deadline - performance.now();
			if (left <= 0) {
				return false;
			}

			waitReadable([this.#fd], Math.ceil(left));
		}
	}
}

function refused(call: string, error: number): void {
	if (error !== 0) {
		throw new Error(`the socket that waits for the kernel's receive queues: ${call} failed with error number ${error}`);
	}
}
