/**
Waits until the kernel has taken up every packet that was on its way when the wait began.

A packet over lo or veth is put into the receive queue of a processor (`enqueue_to_backlog` in net/core/dev.c). Mostly the kernel empties that queue before `send` returns, so the answer to a probe is there by then; but on a busy processor it leaves the queue to ksoftirqd (`do_softirq`; before Linux 6.5 whenever ksoftirqd is awake), and with receive packet steering (`rps_cpus`, `net.core.rps_default_mask`) the queue is another processor's. Then an answer comes a moment later, and who asks too soon takes a refusal for silence: measured on Linux 6.18 with steering, 1,100 to 1,400 of 1,500 datagrams.

How long such a moment is nobody can say, so no time is waited. The queues are first in, first out: a datagram to oneself over a lo that has no rules and no steering stands behind all that is there, and has come when that has been taken up. What is taken up may send something (the answer; before it a question for the neighbour's address and the answer to that), which stands in some queue again; so every processor gets a datagram, and all of them once more for every step.
*/

import {receiveNow} from '../syscalls/netlink-socket.js';
import {waitReadable} from '../syscalls/poll.js';
import {
	bindSocket, closeSocket, connectSocket, openSocket, ownAddress, readOwnAddress, sendByte,
} from '../syscalls/probe-socket.js';
import {eachProcessor, ownProcessors, runOn} from '../syscalls/processors.js';
import {socketAddress} from '../syscalls/socket-calls.js';
import {checked} from '../syscalls/libc.js';

/** A question for the neighbour's address, its answer, the probe, the probe's answer: and two for what nobody has thought of. */
const steps = 6;
/** Microseconds each as a rule; the limit is for a kernel that has stopped to take packets up. */
const limitMs = 10_000;

/** The receive queues of all processors, as a thread sees them that may run on them. */
export class Backlog {
	readonly #fd: number;
	readonly #byte = new Uint8Array(1);

	/**
	Makes the socket, in the network namespace in which this thread is.

	@throws {TestbedError} SYSCALL_FAILED.
	*/
	constructor() {
		this.#fd = checked('socket', openSocket(false, true));
		try {
			refused('bind', bindSocket(this.#fd, socketAddress(Uint8Array.of(127, 0, 0, 1), 0)).error);
			refused('getsockname', readOwnAddress(this.#fd));
			refused('connect', connectSocket(this.#fd, ownAddress.slice(0, 16)));
		} catch (error) {
			closeSocket(this.#fd);
			throw error;
		}
	}

	/** Whether all that was on its way has been taken up, as far as it is known: not where time ran out. */
	drain(): boolean {
		const processors = ownProcessors();
		const each = eachProcessor(processors);
		const deadline = performance.now() + limitMs;
		try {
			for (let step = 0; step < steps; step++) {
				for (const one of each) {
					// A processor that was taken away has handed its queue to another one (`dev_cpu_dead`).
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

	/** One datagram through the queue of this processor. */
	#pass(deadline: number): boolean {
		if (sendByte(this.#fd) !== 0) {
			return false;
		}

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
