/**
Sockets in the pod that TPROXY can give packets to. Nothing ever comes to them: the switch turns first packets away in the last place that they pass, so no connection is made and nothing piles up.
*/

import {addressFamilies} from '../../src/scenario/topology.js';
import type {Listening} from '../../src/trace/given-socket.js';
import type {Netns} from '../sandbox/netns.js';
import {closeDescriptor} from '../syscalls.js';
import {listenTransparently} from '../syscalls/transparent.js';

/** The transparent sockets of one namespace, of both families. */
export class Listeners implements Disposable {
	readonly #netns: Netns;
	readonly #open = new Map<string, {readonly protocol: Listening['protocol']; readonly descriptors: readonly number[]}>();

	constructor(netns: Netns) {
		this.#netns = netns;
	}

	/** The protocols that some socket waits for. */
	get protocols(): ReadonlyArray<Listening['protocol']> {
		return [...new Set([...this.#open.values()].map(({protocol}) => protocol))];
	}

	/**
	Opens those that are missing and closes those that are no longer wanted. Whether {@link protocols} are others now.

	@throws {TestbedError} SYSCALL_FAILED when a socket cannot be had.
	*/
	open(wanted: readonly Listening[]): boolean {
		const before = this.protocols.join(' ');
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

		return this.protocols.join(' ') !== before;
	}

	[Symbol.dispose](): void {
		for (const key of this.#open.keys()) {
			this.#close(key);
		}
	}

	#add({protocol, port}: Listening): void {
		const descriptors: number[] = [];
		this.#open.set(keyOf({protocol, port}), {protocol, descriptors});
		this.#netns.enter(() => {
			for (const family of addressFamilies) {
				descriptors.push(listenTransparently({family, protocol, port}));
			}
		});
	}

	#close(key: string): void {
		for (const descriptor of this.#open.get(key)!.descriptors) {
			closeDescriptor(descriptor);
		}

		this.#open.delete(key);
	}
}

function keyOf({protocol, port}: Listening): string {
	return `${protocol} ${port}`;
}
