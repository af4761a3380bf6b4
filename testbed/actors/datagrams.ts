/**
What an actor does with UDP: one socket per address that it listens at, so that an answer leaves from where the question came to, and one per question, so that the kernel tells refusals and the source that it chose.
*/

import {createSocket, type Socket} from 'node:dgram';
import {isIPv6} from 'node:net';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import type {ActorSpec} from './protocol.js';

type ListenerSpec = ActorSpec['listeners'][number];

/** Where the actor's sockets are told of, and how long one waits. */
export type DatagramPeer = {
	readonly spec: Pick<ActorSpec, 'name' | 'timeoutMs'>;
	readonly record: (record: SocketRecord) => void;
	/** Ends every wait. */
	readonly signal?: AbortSignal;
};

/** The same where questions are taken. */
type AnsweringPeer = DatagramPeer & {readonly spec: ActorSpec; readonly nextId: () => string};

/** How a question ended: with an answer, or why not. */
export type Answer = {readonly bytes: Uint8Array} | {readonly bytes: undefined; readonly reason: string};

function familyOf(address: string): 'ipv4' | 'ipv6' {
	return isIPv6(address) ? 'ipv6' : 'ipv4';
}

function socketFor(address: string): Socket {
	return createSocket({type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: isIPv6(address)});
}

/** Listens at each of the actor's addresses, and resolves when all of them are bound. */
export async function listenForDatagrams(listener: ListenerSpec, peer: AnsweringPeer): Promise<void> {
	await Promise.all(peer.spec.addresses.map(async address => new Promise<void>((resolve, reject) => {
		const socket = socketFor(address);
		socket.once('error', reject);
		socket.on('message', (bytes, from) => {
			void answer({
				listener, peer, socket, bytes, from: {address: from.address, port: from.port}, local: {address, port: listener.port},
			});
		});
		socket.bind({address, port: listener.port, exclusive: true}, resolve);
	})));
}

async function answer({listener, peer, socket, bytes, from, local}: {
	readonly listener: ListenerSpec; readonly peer: AnsweringPeer; readonly socket: Socket; readonly bytes: Uint8Array; readonly from: Endpoint; readonly local: Endpoint;
}): Promise<void> {
	const {spec, record, nextId} = peer;
	const id = nextId();
	record({
		kind: 'accepted', id, protocol: 'udp', actor: spec.name, stop: listener.stopsByAddress?.[local.address] ?? listener.stop, peer: from, local, originalDestination: undefined,
	});
	const {forwardTo} = listener;
	if (forwardTo === undefined) {
		socket.send(`${listener.stop}\n`, from.port, from.address);
		return;
	}

	const given = await ask({
		id: nextId(), parent: id, to: {address: forwardTo.addresses[familyOf(from.address)], port: forwardTo.port}, bytes,
	}, peer);
	// Who got no answer gives none: the one who asked finds out by waiting.
	if (given.bytes !== undefined) {
		socket.send(given.bytes, from.port, from.address);
	}
}

/** Sends a question and resolves with what became of it. `fd`: by this socket, which is made already and closed here. */
export async function ask({id, parent, to, fd, bytes}: {
	readonly id: string; readonly parent: string | undefined; readonly to: Endpoint; readonly fd?: number; readonly bytes: Uint8Array;
}, {spec, record, signal}: DatagramPeer): Promise<Answer> {
	const socket = socketFor(to.address);
	const given = await new Promise<Answer>(resolve => {
		const giveUp = (): void => {
			const reason = `no answer within ${spec.timeoutMs} ms`;
			record({
				kind: 'ended', id, result: 'timeout', reason,
			});
			end({bytes: undefined, reason});
		};

		// Timers come before sockets in a turn of the event loop, and a process that got no processor for so long finds both: what has come is read first.
		let last: NodeJS.Immediate | undefined;
		const timer = setTimeout(() => {
			last = setImmediate(giveUp);
		}, spec.timeoutMs);
		const end = (answered: Answer): void => {
			clearTimeout(timer);
			clearImmediate(last);
			signal?.removeEventListener('abort', giveUp);
			resolve(answered);
		};

		signal?.addEventListener('abort', giveUp, {once: true});

		socket.once('error', (error: NodeJS.ErrnoException) => {
			record({
				kind: 'ended', id, result: error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable', reason: error.message,
			});
			end({bytes: undefined, reason: error.message});
		});
		socket.once('message', answered => {
			record({
				kind: 'ended', id, result: 'connected', reason: '',
			});
			end({bytes: answered});
		});
		socket.once('connect', () => {
			const {address, port} = socket.address();
			record({
				kind: 'opened', id, protocol: 'udp', parent, actor: spec.name, family: familyOf(to.address), from: {address, port}, to,
			});
			socket.send(bytes);
		});
		socket.bind({exclusive: true, ...(fd === undefined ? {port: 0} : {fd})}, () => {
			socket.connect(to.port, to.address);
		});
	});
	socket.close();
	return given;
}
