/**
The connections that a proxy or an agent opens to forward what it accepted, each reported before its first answer: with the intended source, from the client's own address under TPROXY, and as Envoy does if the source is not available.
*/

import process from 'node:process';
import {connect, isIPv6, type Socket} from 'node:net';
import {unspecified} from '../../src/netfilter/address.js';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import type {ActorSpec} from './protocol.js';
import {unsendable, watchEnd} from './socket-end.js';
import {keyOfEnds, type Ends, type StopCount} from './stop-count.js';
import type * as transparencyModule from './transparency.js';

/** The family of an address. */
export function familyOf({address}: Pick<Endpoint, 'address'>): 'ipv4' | 'ipv6' {
	return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/** An endpoint as the key of a service. */
function key({address, port}: Endpoint): string {
	return `${address} ${port}`;
}

/** How the actor reports its sockets and problems, and gets new ids. */
export type Teller = {readonly record: (socket: SocketRecord) => void; readonly trouble: (message: string) => void; readonly nextId: () => string};

/** Opens forwarded connections for one actor. */
export class NextSockets {
	readonly #spec: ActorSpec;
	readonly #transparency: typeof transparencyModule | undefined;
	readonly #stopCount: StopCount;
	readonly #teller: Teller;
	/** Connections opened without their intended source, by both ends. */
	readonly #strays = new Set<string>();
	/** Connections without an answer so far, with what gives each up. */
	readonly #unanswered = new Map<Socket, (reason: string) => void>();

	constructor(spec: ActorSpec, {transparency, stopCount, teller}: {readonly transparency: typeof transparencyModule | undefined; readonly stopCount: StopCount; readonly teller: Teller}) {
		this.#spec = spec;
		this.#transparency = transparency;
		this.#stopCount = stopCount;
		this.#teller = teller;
	}

	/** Whether an accepted connection was opened without its source and already aborted. */
	isStray(ends: Ends): boolean {
		return this.#strays.has(keyOfEnds(ends));
	}

	/** Aborts connections without an answer, and resolves once that is reported. */
	async giveUp(reason: string): Promise<void> {
		await Promise.all([...this.#unanswered].map(async ([socket, giveUp]) => new Promise<void>(resolve => {
			socket.once('close', () => {
				resolve();
			});
			giveUp(reason);
		})));
	}

	/** Forgets the ends of all connections, when they are over, because ports come back. */
	forget(): void {
		this.#stopCount.forget();
		this.#strays.clear();
	}

	/** Opens the connection that forwards an accepted one; undefined if it fails at once. */
	open({listener: {duty, carries = {source: this.#spec.passthroughSource}}, client, parent, destination}: {
		readonly listener: ActorSpec['listeners'][number]; readonly client: string; readonly parent: string; readonly destination: Endpoint;
	}): Socket | undefined {
		const id = this.#teller.nextId();
		// A forwarder connects as itself, like the proxy does outbound.
		const isOutbound = duty === 'outbound' || duty === 'forward';
		const host = duty === 'inbound' ? carries.host?.[familyOf(destination)] : undefined;
		const to = duty === 'outbound' ? this.#spec.services[key(destination)] ?? destination : {address: host ?? destination.address, port: destination.port};
		const family = familyOf(to);
		if (this.#spec.transparent === undefined || duty === 'forward' || (isOutbound && !this.#spec.transparent.marksOutbound)) {
			return this.#connect({
				id, parent, to, source: isOutbound ? undefined : carries.source?.[family],
			});
		}

		try {
			return this.#connectTransparently({
				id, parent, to, source: isOutbound ? unspecified[family] : client, // Unspecified: the route determines it.
			});
		} catch (error) {
			// No packet was sent: the joiner will report a missing next leg.
			this.#teller.trouble(`${this.#spec.name} could not forward a connection to ${key(destination)}: ${error instanceof Error ? error.message : String(error)}`);
			return undefined;
		}
	}

	#connect({id, to, parent, source}: {id: string; to: Endpoint; parent: string; source: string | undefined}): Socket {
		const socket = connect({
			allowHalfOpen: true, host: to.address, port: to.port, ...(source === undefined ? {} : {localAddress: source}),
		});
		// Node connects to a literal address in the next tick, which binds the socket; this runs in the tick after that.
		let isOpened = false;
		process.nextTick(() => {
			if (socket.localPort !== undefined && socket.localAddress !== undefined) {
				isOpened = true;
				this.#opened({
					id, to, parent, from: {address: socket.localAddress, port: socket.localPort},
				});
			}
		});
		socket.once('error', (error: NodeJS.ErrnoException) => {
			if (isOpened) {
				return;
			}

			// A socket without a local address at this point never sent anything. Other errors (no port) are the testbed's own problem, and stay a gap.
			if (unsendable.has(error.code)) {
				this.#teller.record({
					kind: 'unsent', id, parent, actor: this.#spec.name, family: familyOf(to), source, to, reason: error.message,
				});
			} else if (source !== undefined && error.code === 'EADDRNOTAVAIL') {
				this.#stray(to, parent);
			}
		});
		this.#watch(socket, id);
		return socket;
	}

	/** If Envoy cannot bind the source, it still connects, then closes at once (measured with 1.40: `ClientConnectionImpl` closes after `connect`), so one first packet is sent from the pod's own address. */
	#stray(to: Endpoint, parent: string): void {
		const id = this.#teller.nextId();
		const socket = connect({host: to.address, port: to.port});
		process.nextTick(() => {
			if (socket.localPort !== undefined && socket.localAddress !== undefined) {
				const from = {address: socket.localAddress, port: socket.localPort};
				this.#strays.add(keyOfEnds({from, to}));
				this.#opened({
					id, to, parent, from,
				});
				this.#teller.record({kind: 'cut', id, reason: 'no-source'});
			}

			// Over lo the kernel answers within the call, and a refusal is known in the next turn.
			setImmediate(() => {
				socket.destroy();
			});
		});
		socket.once('error', (error: NodeJS.ErrnoException) => {
			this.#teller.record({
				kind: 'ended', id, result: error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable', reason: error.message,
			});
		});
	}

	/** Connects from an address that need not be local, with the proxy's mark, like Envoy's original-source filter under TPROXY, and ztunnel. */
	#connectTransparently({id, to, parent, source}: {id: string; to: Endpoint; parent: string; source: string}): Socket {
		const {socket, from} = this.#transparency!.connectFrom({source, to, mark: this.#spec.transparent!.mark});
		this.#opened({
			id, to, parent, from,
		});
		this.#watch(socket, id);
		return socket;
	}

	#watch(socket: Socket, id: string): void {
		this.#unanswered.set(socket, watchEnd(socket, {id, timeoutMs: this.#spec.timeoutMs, record: this.#teller.record}));
		for (const event of ['connect', 'data', 'close']) {
			socket.once(event, () => {
				this.#unanswered.delete(socket);
			});
		}
	}

	#opened({id, to, parent, from}: {id: string; to: Endpoint; parent: string; from: Endpoint}): void {
		this.#stopCount.opened({from, to}, parent);
		this.#teller.record({
			kind: 'opened', id, parent, actor: this.#spec.name, family: familyOf(to), from, to,
		});
	}
}
