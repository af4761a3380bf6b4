/**
The program of every actor that listens, in a process of its own. It loads all its code, becomes its user, and only then opens a socket: the owner match reads the credentials with which a socket was created. It ends when its channel closes, also when its parent was killed.

As the proxy it does with sockets what Envoy does and nothing else (`shared` facts, "What the proxy does with sockets"): it asks where a connection wanted to go, opens the next one as its own user, and carries the bytes.
*/

import process from 'node:process';
import {
	connect, createServer, isIPv6, type Socket,
} from 'node:net';
import type {Endpoint} from '../../src/netfilter/path.js';
import {loopStops, type SocketRecord} from '../../src/trace/sockets.js';
import {becomeUser} from './become.js';
import {unsendable, watchEnd} from './socket-end.js';
import {listenForDatagrams} from './datagrams.js';
import type * as transparencyModule from './transparency.js';
import type {ActorSpec, FromActor, ToActor} from './protocol.js';

type ListenerSpec = ActorSpec['listeners'][number];

type OriginalDestination = (socket: Socket) => Endpoint | undefined;
type Transparency = typeof transparencyModule;

function tell(message: FromActor): void {
	process.send!(message);
}

function record(socket: SocketRecord): void {
	tell({type: 'socket', record: socket});
}

function key({address, port}: Endpoint): string {
	return `${address} ${port}`;
}

/** Leaves the source to the route. */
const unspecified = {ipv4: '0.0.0.0', ipv6: '::'} as const;

class Actor {
	readonly #spec: ActorSpec;
	readonly #originalDestination: OriginalDestination;
	readonly #transparency: Transparency | undefined;
	/** How many stops a flow had met when this process opened its next leg, by the source of that leg. */
	readonly #stopsBySource = new Map<string, number>();
	readonly #stopsOfAccepted = new Map<string, number>();
	/** What was opened to carry something on and has heard nothing yet. */
	readonly #unanswered = new Set<Socket>();
	#count = 0;

	constructor(spec: ActorSpec, {originalDestination, transparency}: {readonly originalDestination: OriginalDestination; readonly transparency: Transparency | undefined}) {
		this.#spec = spec;
		this.#originalDestination = originalDestination;
		this.#transparency = transparency;
	}

	async listen(): Promise<void> {
		const hosts = ['0.0.0.0', '::'];
		const {listeners} = this.#spec;
		await Promise.all(listeners.filter(({protocol}) => protocol === 'udp').map(async listener => listenForDatagrams(listener, this.#datagramPeer())));
		await Promise.all(listeners.filter(({protocol}) => protocol === 'tcp').flatMap(listener => hosts.map(async host => new Promise<void>((resolve, reject) => {
			const server = createServer({allowHalfOpen: false, noDelay: true}, socket => {
				this.#accept(listener, socket);
			});
			server.once('error', reject);
			server.listen({
				host, port: listener.port, ipv6Only: true, backlog: 1024,
			}, () => {
				if (listener.duty === 'outbound' || listener.duty === 'inbound') {
					this.#transparency?.makeTransparent(server, host === '::' ? 'ipv6' : 'ipv4');
				}

				resolve();
			});
		}))));
	}

	/** Sends one packet that conntrack calls invalid, and hears whether it is refused. */
	async sendInvalid({id, to, source}: {readonly id: string; readonly to: Endpoint; readonly source: string | undefined}): Promise<void> {
		// Loaded only then: FFI costs an actor some milliseconds.
		const {sendInvalid} = await import('./invalid-packet.js');
		const reason = await sendInvalid({
			id, to, source: source ?? this.#spec.ownSource[isIPv6(to.address) ? 'ipv6' : 'ipv4'],
		}, {spec: this.#spec, record});
		tell({
			type: 'done', id, answered: false, reason,
		});
	}

	/** Gives up what was opened and has heard nothing yet, and resolves when that is told: whoever it was opened for has given up already, and the kernel would go on sending its first packet. */
	async giveUp(): Promise<void> {
		await Promise.all([...this.#unanswered].map(async socket => new Promise<void>(resolve => {
			socket.once('close', () => {
				resolve();
			});
			socket.destroy();
		})));
	}

	#datagramPeer() {
		return {spec: this.#spec, record, nextId: () => this.#nextId()};
	}

	#nextId(): string {
		return `${this.#spec.name}-${++this.#count}`;
	}

	#connect({id, to, parent, source}: {id: string; to: Endpoint; parent: string | undefined; source: string | undefined}): Socket {
		const socket = connect({host: to.address, port: to.port, ...(source === undefined ? {} : {localAddress: source})});
		// Node connects to a literal address in the next tick, which binds the socket; this is the tick after.
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
			// A socket without a local end when it fails never sent anything. Whatever else fails then (no port, no such address) is the testbed's own trouble, and stays a gap.
			if (!isOpened && unsendable.has(error.code)) {
				record({
					kind: 'unsent', id, parent, actor: this.#spec.name, family: isIPv6(to.address) ? 'ipv6' : 'ipv4', source, to, reason: error.message,
				});
			}
		});
		watchEnd(socket, {id, timeoutMs: this.#spec.timeoutMs, record});
		return socket;
	}

	/** From an address that need not be its own, with the proxy's mark: Envoy's original-source filter under TPROXY, and ztunnel. */
	#connectTransparently({id, to, parent, source}: {id: string; to: Endpoint; parent: string; source: string}): Socket {
		const {socket, from} = this.#transparency!.connectFrom({source, to, mark: this.#spec.transparent!.mark});
		this.#opened({
			id, to, parent, from,
		});
		watchEnd(socket, {id, timeoutMs: this.#spec.timeoutMs, record});
		return socket;
	}

	#opened({id, to, parent, from}: {id: string; to: Endpoint; parent: string | undefined; from: Endpoint}): void {
		this.#stopsBySource.set(key(from), this.#stopsOf(parent));
		record({
			kind: 'opened', id, parent, actor: this.#spec.name, family: isIPv6(to.address) ? 'ipv6' : 'ipv4', from, to,
		});
	}

	#stopsOf(accepted: string | undefined): number {
		return accepted === undefined ? 0 : this.#stopsOfAccepted.get(accepted) ?? 0;
	}

	#accept(listener: ListenerSpec, socket: Socket): void {
		const id = this.#nextId();
		const peer = {address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0};
		const local = {address: socket.localAddress ?? '', port: socket.localPort ?? 0};
		// A connection straight to the listener has no original destination but its own; Envoy takes that.
		const asked = listener.forwardTo === undefined ? undefined : {address: listener.forwardTo.addresses[isIPv6(local.address) ? 'ipv6' : 'ipv4'], port: listener.forwardTo.port};
		const destination = asked ?? (listener.duty === 'answer' ? undefined : this.#originalDestination(socket) ?? local);
		record({
			kind: 'accepted', id, actor: this.#spec.name, stop: listener.stopsByAddress?.[local.address] ?? listener.stop, peer, local, originalDestination: asked === undefined ? destination : undefined,
		});
		if (destination === undefined) {
			socket.on('error', () => {
				socket.destroy(); // The other side went first: nothing is left to answer.
			});
			socket.end(`${listener.stop}\n`);
			socket.resume();
			return;
		}

		const stops = (this.#stopsBySource.get(key(peer)) ?? 0) + 1;
		this.#stopsOfAccepted.set(id, stops);
		if (stops > loopStops) {
			record({kind: 'cut', id, reason: 'loop'});
			socket.resetAndDestroy();
			return;
		}

		this.#carryOn({
			listener, socket, id, destination,
		});
	}

	/** The connection that carries an accepted one on; undefined when it failed at once. */
	#next({listener: {duty}, client, parent, destination}: {listener: ListenerSpec; client: string; parent: string; destination: Endpoint}): Socket | undefined {
		const id = this.#nextId();
		// Whoever asks for somebody else asks as itself, as the proxy does outbound.
		const isOutbound = duty !== 'inbound';
		const to = duty === 'outbound' ? this.#spec.services[key(destination)] ?? destination : destination;
		const family = isIPv6(to.address) ? 'ipv6' : 'ipv4';
		if (this.#spec.transparent === undefined || (isOutbound && !this.#spec.transparent.marksOutbound)) {
			return this.#connect({
				id, parent, to, source: isOutbound ? undefined : this.#spec.passthroughSource[family],
			});
		}

		try {
			return this.#connectTransparently({
				id, parent, to, source: isOutbound ? unspecified[family] : client,
			});
		} catch (error) {
			// No packet left: the joiner finds no next leg, and says so.
			tell({type: 'trouble', message: `${this.#spec.name} could not carry a connection on to ${key(destination)}: ${error instanceof Error ? error.message : String(error)}`});
			return undefined;
		}
	}

	#carryOn({listener, socket, id, destination}: {listener: ListenerSpec; socket: Socket; id: string; destination: Endpoint}): void {
		const next = this.#next({
			listener, client: socket.remoteAddress ?? '', parent: id, destination,
		});
		if (next === undefined) {
			socket.resetAndDestroy();
			return;
		}

		this.#unanswered.add(next);
		for (const event of ['connect', 'data', 'close']) {
			next.once(event, () => {
				this.#unanswered.delete(next);
			});
		}

		// Either side's failure is the other's: so does a proxy, and the client learns it at once.
		for (const [one, other] of [[socket, next], [next, socket]] as const) {
			one.once('error', () => {
				other.resetAndDestroy();
			});
			one.once('close', () => {
				other.destroy();
			});
			one.pipe(other);
		}
	}
}

async function start(spec: ActorSpec): Promise<Actor> {
	const carries = spec.listeners.some(({duty}) => duty === 'outbound' || duty === 'inbound');
	const {originalDestinationOf} = carries ? await import('./original-destination.js') : {originalDestinationOf: () => undefined};
	const transparency = spec.transparent === undefined ? undefined : await import('./transparency.js');
	transparency?.keepCapabilities();
	await becomeUser(spec);
	transparency?.raiseNetAdmin();
	const actor = new Actor(spec, {originalDestination: originalDestinationOf, transparency});
	await actor.listen();
	return actor;
}

let actor: Promise<Actor> | undefined;

process.on('disconnect', () => {
	process.exit(0);
});
// A terminal's Ctrl-C goes to every process of the group. The conductor decides when the actors end.
process.on('SIGINT', () => {
	process.exitCode = 130;
});
process.on('message', async (message: ToActor) => {
	try {
		if (message.type === 'start') {
			actor = start(message.spec);
			await actor;
			tell({type: 'ready'});
		} else if (message.type === 'send-invalid') {
			const started = await actor;
			await started!.sendInvalid(message);
		} else {
			const started = await actor;
			await started!.giveUp();
			tell({type: 'flushed', number: message.number});
		}
	} catch (error) {
		tell({type: 'failed', message: error instanceof Error ? error.message : String(error)});
	}
});
