/**
The program of the actors that listen, which runs as a separate process for the actors of one user in one namespace. It loads all its code, becomes that user, and only then opens a socket: the owner match reads the credentials with which a socket was created. It ends when its channel closes, even if its parent was killed.

As the proxy it handles sockets like Envoy and does nothing else (docs/limits.md lists the differences): it looks up the original destination of a connection, opens the next connection as its own user, and relays the bytes.
*/

import process from 'node:process';
import {createServer, isIPv6, type Socket} from 'node:net';
import type {Endpoint} from '../../src/netfilter/path.js';
import {listenerFor} from '../../src/mesh/actor-set.js';
import {loopStops, type SocketRecord} from '../../src/trace/sockets.js';
import {becomeUser} from './become.js';
import {untilIdle} from './idle.js';
import {familyOf, NextSockets} from './next-sockets.js';
import {relay} from './relay.js';
import {StopCount} from './stop-count.js';
import {listenForDatagrams} from './datagrams.js';
import {WaitEnd} from './wait-end.js';
import type * as transparencyModule from './transparency.js';
import type {ActorSpec, FromActor, ToActor} from './protocol.js';

type ListenerSpec = ActorSpec['listeners'][number];

type OriginalDestination = (socket: Socket) => Endpoint | undefined;
type Transparency = typeof transparencyModule;

/** Why a forwarded connection or query gets no answer if it is aborted. */
const clientIsOver = 'no answer before its client gave up';

function tell(message: FromActor): void {
	process.send!(message);
}

/** All addresses, unless the listener has a specific one. */
function hostsOf({only}: ListenerSpec): readonly string[] {
	return only === undefined ? ['0.0.0.0', '::'] : [only.ipv4, only.ipv6];
}

class Actor {
	readonly #spec: ActorSpec;
	readonly #originalDestination: OriginalDestination;
	readonly #transparency: Transparency | undefined;
	readonly #stopCount = new StopCount();
	readonly #queryStops = new Map<string, number>();
	readonly #nextSockets: NextSockets;
	/** Ends what forwarded queries wait for. */
	readonly #waits = new WaitEnd();
	readonly #record: (socket: SocketRecord) => void;
	#count = 0;

	constructor(spec: ActorSpec, {originalDestination, transparency}: {readonly originalDestination: OriginalDestination; readonly transparency: Transparency | undefined}) {
		this.#spec = spec;
		this.#originalDestination = originalDestination;
		this.#transparency = transparency;
		this.#record = record => {
			tell({type: 'socket', actor: spec.name, record});
		};

		this.#nextSockets = new NextSockets(spec, {
			transparency,
			stopCount: this.#stopCount,
			teller: {
				record: this.#record,
				trouble(message) {
					tell({type: 'trouble', actor: spec.name, message});
				},
				nextId: () => this.#nextId(),
			},
		});
	}

	get name(): string {
		return this.#spec.name;
	}

	async listen(): Promise<void> {
		const {listeners} = this.#spec;
		await Promise.all(listeners.filter(({protocol}) => protocol === 'udp').map(async listener => listenForDatagrams(listener, this.#datagramPeer())));
		await Promise.all(listeners.filter(({protocol}) => protocol === 'tcp').flatMap(listener => hostsOf(listener).map(async host => new Promise<void>((resolve, reject) => {
			// Nothing is read before the connection's fate is decided, and each direction ends separately.
			const server = createServer({allowHalfOpen: true, noDelay: true, pauseOnConnect: true}, socket => {
				this.#accept(listener, socket);
			});
			server.once('error', reject);
			server.listen({
				host, port: listener.port, ipv6Only: true, backlog: 1024,
			}, () => {
				if (listener.duty === 'outbound' || listener.duty === 'inbound') {
					this.#transparency?.makeTransparent(server, isIPv6(host) ? 'ipv6' : 'ipv4');
				}

				resolve();
			});
		}))));
	}

	/** Sends one packet that conntrack classifies as invalid, and reports whether it is refused. */
	async sendInvalid({id, to, source}: {readonly id: string; readonly to: Endpoint; readonly source: string | undefined}): Promise<void> {
		// Loaded on demand: FFI costs an actor some milliseconds.
		const {sendInvalid} = await import('./invalid-packet.js');
		const reason = await sendInvalid({
			id, to, source: source ?? this.#spec.ownSource[isIPv6(to.address) ? 'ipv6' : 'ipv4'],
		}, {spec: this.#spec, record: this.#record});
		tell({
			type: 'done', id, answered: false, reason,
		});
	}

	/** Aborts forwarded connections and queries without an answer, and resolves once that is reported: their clients have already given up, and the kernel would keep retransmitting their first packets. */
	async giveUp(): Promise<void> {
		this.#waits.end(clientIsOver);
		await this.#nextSockets.giveUp(clientIsOver);
	}

	/** Forgets all connections, when they are over. */
	forget(): void {
		this.#nextSockets.forget();
		this.#queryStops.clear();
	}

	#datagramPeer() {
		const waits = this.#waits;
		return {
			spec: this.#spec, record: this.#record, nextId: () => this.#nextId(), stops: this.#queryStops,
			get signal() {
				return waits.signal;
			},
		};
	}

	#nextId(): string {
		return `${this.#spec.name}-${++this.#count}`;
	}

	#accept(listener: ListenerSpec, socket: Socket): void {
		const id = this.#nextId();
		const peer = {address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0};
		const local = {address: socket.localAddress ?? '', port: socket.localPort ?? 0};
		// For a direct connection to the listener, the original destination is its own address, as in Envoy.
		const wanted = this.#originalDestination(socket) ?? local;
		const heir = listener.handsOver === true ? this.#heirOf(wanted.port, listener) : undefined;
		const serving = heir ?? listenerFor(listener, wanted.address);
		const destination = this.#destinationOf(serving, {wanted, local});
		this.#record({
			kind: 'accepted',
			id,
			actor: this.#spec.name,
			stop: listener.stopsByAddress?.[local.address] ?? listener.stop,
			peer,
			local,
			originalDestination: destination === undefined || serving.forwardTo !== undefined ? undefined : destination,
			wanted,
			...(heir === undefined ? {} : {handedTo: heir.stop}),
		});
		if (this.#nextSockets.isStray({from: peer, to: wanted})) {
			socket.destroy(); // Its opener has already aborted it.
			return;
		}

		if (serving.closes?.includes(wanted.port) === true) {
			this.#record({kind: 'cut', id, reason: 'own-port'});
			socket.destroy();
			return;
		}

		if (destination === undefined) {
			socket.on('error', () => {
				socket.destroy(); // The peer closed first, so there is nothing to answer.
			});
			socket.end(`${serving.stop}\n`);
			socket.resume();
			return;
		}

		if (this.#stopCount.accepted(id, {from: peer, to: wanted}) > loopStops) {
			this.#record({kind: 'cut', id, reason: 'loop'});
			socket.resetAndDestroy();
			return;
		}

		this.#carryOn({
			listener: serving, socket, id, destination,
		});
	}

	/** Another listener of this actor for the original destination port. */
	#heirOf(port: number, from: ListenerSpec): ListenerSpec | undefined {
		return this.#spec.listeners.find(other => other !== from && other.protocol === 'tcp' && other.port === port && other.only === undefined);
	}

	/** Where a connection is forwarded to; undefined if it is answered here. */
	#destinationOf({duty, forwardTo}: ListenerSpec, {wanted, local}: {readonly wanted: Endpoint; readonly local: Endpoint}): Endpoint | undefined {
		if (duty === 'answer') {
			return undefined;
		}

		return forwardTo === undefined ? wanted : {address: forwardTo.addresses[familyOf(local)], port: forwardTo.port};
	}

	#carryOn({listener, socket, id, destination}: {listener: ListenerSpec; socket: Socket; id: string; destination: Endpoint}): void {
		const next = this.#nextSockets.open({
			listener, client: socket.remoteAddress ?? '', parent: id, destination,
		});
		if (next === undefined) {
			socket.destroy();
			return;
		}

		relay(socket, next);
	}
}

/** Why an actor cannot start or send. */
class ActorFailure extends Error {
	readonly actor: string;

	constructor(actor: string, cause: unknown) {
		super(messageOf(cause), {cause});
		this.actor = actor;
	}
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** Runs something for one actor; what it throws bears the actor's name. */
async function forActor<T>(name: string, act: () => Promise<T>): Promise<T> {
	try {
		return await act();
	} catch (error) {
		throw new ActorFailure(name, error);
	}
}

function forwards({listeners}: ActorSpec): boolean {
	return listeners.some(({protocol, duty}) => protocol === 'tcp' && duty !== 'answer');
}

/** Starts all actors of this process, which have the same user, and are transparent or not together. */
async function start(specs: readonly ActorSpec[]): Promise<ReadonlyMap<string, Actor>> {
	const notLookedUp: OriginalDestination = () => undefined;
	const {originalDestinationOf} = specs.some(spec => forwards(spec)) ? await import('./original-destination.js') : {originalDestinationOf: notLookedUp};
	const transparency = specs.some(({transparent}) => transparent !== undefined) ? await import('./transparency.js') : undefined;
	transparency?.keepCapabilities();
	const [first] = specs;
	await forActor(first!.name, async () => becomeUser(first!));
	transparency?.raiseNetAdmin();
	const actors = specs.map(spec => new Actor(spec, {originalDestination: forwards(spec) ? originalDestinationOf : notLookedUp, transparency}));
	await Promise.all(actors.map(async actor => forActor(actor.name, async () => actor.listen())));
	return new Map(actors.map(actor => [actor.name, actor]));
}

let started: Promise<ReadonlyMap<string, Actor>> | undefined;

process.on('disconnect', () => {
	process.exit(0);
});
// Ctrl-C in a terminal reaches every process of the group, but the testbed decides when actors end.
process.on('SIGINT', () => {
	process.exitCode = 130;
});
process.on('message', async (message: ToActor) => {
	try {
		switch (message.type) {
			case 'start': {
				started = start(message.specs);
				await started;
				tell({type: 'ready'});
				break;
			}

			case 'send-invalid': {
				const actors = await started;
				await forActor(message.actor, async () => actors!.get(message.actor)!.sendInvalid(message));
				break;
			}

			case 'until-idle': {
				await untilIdle();
				tell({type: 'heard', number: message.number});
				break;
			}

			case 'flush': {
				const actors = await started;
				await Promise.all([...actors!.values()].map(async actor => actor.giveUp()));
				for (const actor of actors!.values()) {
					actor.forget();
				}

				tell({type: 'heard', number: message.number});
				break;
			}
		}
	} catch (error) {
		tell({type: 'failed', message: messageOf(error), ...(error instanceof ActorFailure ? {actor: error.actor} : {})});
	}
});
