/**
UDP of actors: one socket per listening address, so that answers come from the address that was queried, and one socket per query, so that the kernel reports refusals and the source that it chose.
*/

import {createSocket, type Socket} from 'node:dgram';
import {isIPv6} from 'node:net';
import {printEndpoint, type Endpoint} from '../../src/netfilter/path.js';
import {loopStops, type SocketRecord} from '../../src/trace/sockets.js';
import type {ActorSpec} from './protocol.js';

type ListenerSpec = ActorSpec['listeners'][number];

/** The actor on whose behalf datagrams are sent: its name, its timeout, and where its sockets are recorded. */
export type DatagramPeer = {
	readonly spec: Pick<ActorSpec, 'name' | 'timeoutMs'>;
	readonly record: (record: SocketRecord) => void;
	/** Ends every wait; its reason says why there is no answer. */
	readonly signal?: AbortSignal | undefined;
	/** The stops so far of the query that each port of this process asks, by address and port, so that a query which comes back can be cut. */
	readonly stops?: Map<string, number>;
};

/** The same for an actor that answers queries. */
type AnsweringPeer = DatagramPeer & {readonly spec: ActorSpec; readonly nextId: () => string};

/** The result of a query: the answer, or why there is none. */
export type Answer = {readonly bytes: Uint8Array} | {readonly bytes: undefined; readonly reason: string};

function familyOf(address: string): 'ipv4' | 'ipv6' {
	return isIPv6(address) ? 'ipv6' : 'ipv4';
}

function socketFor(address: string): Socket {
	return createSocket({type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: isIPv6(address)});
}

/** Listens on each of the actor's addresses, and resolves once all are bound. */
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
	const met = (peer.stops?.get(printEndpoint(from)) ?? 0) + 1;
	const isLoop = forwardTo !== undefined && met > loopStops;
	if (isLoop) {
		record({kind: 'cut', id, reason: 'loop'});
	}

	if (forwardTo === undefined || isLoop) {
		socket.send(`${listener.stop}\n`, from.port, from.address);
		return;
	}

	const given = await ask({
		id: nextId(), parent: id, to: {address: forwardTo.addresses[familyOf(from.address)], port: forwardTo.port}, bytes, met,
	}, peer);
	// Without an answer to forward, send none: the client will time out.
	if (given.bytes !== undefined) {
		socket.send(given.bytes, from.port, from.address);
	}
}

/** Sends a query and resolves with its result. `fd`: an open socket to use (bound to `bindDevice`, if given), which is closed here. `met`: the stops of a query that is forwarded. */
export async function ask({id, parent, to, fd, bindDevice, bytes, met}: {
	readonly id: string; readonly parent: string | undefined; readonly to: Endpoint; readonly fd?: number; readonly bindDevice?: string | undefined; readonly bytes: Uint8Array; readonly met?: number;
}, {spec, record, signal, stops}: DatagramPeer): Promise<Answer> {
	const socket = socketFor(to.address);
	let own = '';
	const given = await new Promise<Answer>(resolve => {
		const giveUp = (reason: string): void => {
			record({
				kind: 'ended', id, result: 'timeout', reason,
			});
			end({bytes: undefined, reason});
		};

		const onAbort = (): void => {
			giveUp(String(signal!.reason));
		};

		// Timers run before sockets in a turn of the event loop, and after a long pause of the process both may be ready: read what has arrived first.
		let last: NodeJS.Immediate | undefined;
		const timer = setTimeout(() => {
			last = setImmediate(giveUp, `no answer within ${spec.timeoutMs} ms`);
		}, spec.timeoutMs);
		const end = (answered: Answer): void => {
			clearTimeout(timer);
			clearImmediate(last);
			signal?.removeEventListener('abort', onAbort);
			resolve(answered);
		};

		signal?.addEventListener('abort', onAbort, {once: true});

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
			own = printEndpoint({address, port});
			if (met !== undefined) {
				stops?.set(own, met);
			}

			record({
				kind: 'opened', id, protocol: 'udp', parent, actor: spec.name, family: familyOf(to.address), from: {address, port}, to, ...(bindDevice === undefined ? {} : {device: bindDevice}),
			});
			socket.send(bytes);
		});
		socket.bind({exclusive: true, ...(fd === undefined ? {port: 0} : {fd})}, () => {
			socket.connect(to.port, to.address);
		});
	});
	socket.close();
	stops?.delete(own);
	return given;
}
