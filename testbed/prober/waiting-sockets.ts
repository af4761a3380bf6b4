/**
The sockets of a batch that have no answer yet.
*/

import type {Backlog} from '../sandbox/backlog.js';
import {abortSocket, closeSocket, waitSockets} from '../syscalls/probe-socket.js';
import type {InvalidPacket} from './invalid-packet.js';
import {outcomeOfDatagram, outcomeOfTcp} from './outcome.js';
import {resultWords, states, type SenderAnswer} from './protocol.js';

/** An open socket, by the kind of its probe. */
export type WaitingSocket = {readonly fd: number; readonly isUdp: boolean; readonly isRaw: boolean; readonly to: Uint8Array; readonly invalid: InvalidPacket | undefined};

/** The sockets, by the index of their probe in the batch. */
export class WaitingSockets {
	readonly #sockets = new Map<number, WaitingSocket>();

	/** How many there are. */
	get size(): number {
		return this.#sockets.size;
	}

	/** Adds the socket of a probe. */
	add(index: number, socket: WaitingSocket): void {
		this.#sockets.set(index, socket);
	}

	/** Closes the socket of a probe whose end nobody asks for, if it is still open: its index will be that of another probe in the next batch. */
	abandon(index: number): void {
		const socket = this.#sockets.get(index);
		if (socket !== undefined) {
			abort(socket);
			this.#sockets.delete(index);
		}
	}

	/** Checks the unanswered datagrams once more after waiting for all answers in flight: see `backlog.ts`. Returns whether none can still be in flight. */
	askAgain(results: Int32Array, backlog: Backlog): boolean {
		const open = [...this.#sockets].filter(([, {isUdp, isRaw}]) => isUdp || isRaw);
		if (open.length === 0) {
			return true;
		}

		const isDrained = backlog.drain();
		for (const [index, {fd, invalid}] of open) {
			const end = outcomeOfDatagram(fd, invalid);
			if (end !== undefined) {
				results[(index * resultWords.words) + resultWords.state] = end.state;
				results[(index * resultWords.words) + resultWords.error] = end.error;
				invalid?.close();
				closeSocket(fd);
				this.#sockets.delete(index);
			}
		}

		return isDrained;
	}

	/** Waits for the sockets at these indices until each has an end or time is up; then closes all. */
	awaitEnds(indices: readonly number[], timeoutMs: number): SenderAnswer {
		const ends: Array<[number, number, number]> = [];
		const deadline = performance.now() + timeoutMs;
		let left = indices.flatMap(index => this.#sockets.has(index) ? [{index, ...this.#sockets.get(index)!}] : []);
		while (left.length > 0) {
			// Checked at least once, and once more when time is up: a thread that got no processor time would otherwise miss what has arrived.
			const remaining = Math.max(0, deadline - performance.now());
			const ready = new Set(waitSockets(left, remaining));
			left = left.filter(({index, fd, isUdp, to, invalid}, place) => {
				if (!ready.has(place) && remaining > 0) {
					return true;
				}

				// A raw socket is also woken by unrelated packets, and a socket reported as ready may turn out not to be. When time is up, all are asked: an error that is only noted wakes nobody.
				const end = isUdp || invalid !== undefined ? outcomeOfDatagram(fd, invalid) : outcomeOfTcp(fd, to);
				if (end === undefined || end.state === states.pending) {
					return true;
				}

				ends.push([index, end.state, end.error]);
				return false;
			});
			if (remaining === 0) {
				break;
			}
		}

		ends.push(...left.map(({index}) => [index, states.quiet, 0] as [number, number, number]));
		for (const socket of this.#sockets.values()) {
			abort(socket);
		}

		this.#sockets.clear();
		return {type: 'settled', ends};
	}
}

function abort({fd, invalid}: WaitingSocket): void {
	abortSocket(fd);
	invalid?.close();
}
