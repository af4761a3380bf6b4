/**
Sockets in the pod that TPROXY can assign packets to. They never receive anything: the trace table rejects first packets in the last chain they pass, so no connection is made and nothing queues up.
*/

import {addressFamilies} from '../../src/mesh/topology.js';
import type {Listening} from '../../src/trace/tproxy-socket.js';
import type {Netns} from '../sandbox/netns.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {listenTransparently} from '../syscalls/transparent.js';

/** The transparent sockets of one namespace, of both families. */
export class Listeners implements Disposable {
	readonly #netns: Netns;
	readonly #open = new Map<string, readonly number[]>();
	readonly #protocols = new Set<Listening['protocol']>();

	constructor(netns: Netns) {
		this.#netns = netns;
	}

	/** The protocols that some socket listens or has listened for. Their rejecting rules stay, because removing rules costs a grace period of the kernel (some 20 ms), and without a listener the kernel gives the same answer. */
	get protocols(): ReadonlyArray<Listening['protocol']> {
		return [...this.#protocols];
	}

	/**
	Opens missing sockets and closes those that are no longer wanted; returns whether {@link protocols} has grown.

	@throws {TestbedError} SYSCALL_FAILED if a socket cannot be opened.
	*/
	open(wanted: readonly Listening[]): boolean {
		const before = this.#protocols.size;
		const keys = new Set(wanted.map(one => keyOf(one)));
		for (const key of this.#open.keys()) {
			if (!keys.has(key)) {
				this.#close(key);
			}
		}

		for (const one of wanted) {
			if (!this.#open.has(keyOf(one))) {
				this.#add(one);
			}
		}

		return this.#protocols.size > before;
	}

	[Symbol.dispose](): void {
		for (const key of this.#open.keys()) {
			this.#close(key);
		}
	}

	#add({protocol, port}: Listening): void {
		const descriptors: number[] = [];
		this.#protocols.add(protocol);
		this.#open.set(keyOf({protocol, port}), descriptors);
		this.#netns.enter(() => {
			for (const family of addressFamilies) {
				descriptors.push(listenTransparently({family, protocol, port}));
			}
		});
	}

	#close(key: string): void {
		for (const descriptor of this.#open.get(key)!) {
			closeDescriptor(descriptor);
		}

		this.#open.delete(key);
	}
}

function keyOf({protocol, port}: Listening): string {
	return `${protocol} ${port}`;
}
