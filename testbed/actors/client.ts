/**
Connections that an actor opens. Its sockets are made by the testbed's own process, in the actor's namespace and as its user, so that who only sends needs no process: the owner match asks for the credentials with which a socket was made, and nothing else. The prober makes its sockets in the same way.
*/

import {setMaxListeners} from 'node:events';
import {isIPv6, Socket} from 'node:net';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {Credentials} from '../../src/scenario/types.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import type {Netns} from '../sandbox/netns.js';
import {beginConnection, openClientSocket, type Refusal} from './client-socket.js';
import {ask} from './datagrams.js';
import {unsendable, watchEnd} from './socket-end.js';
import type {ActorSpec} from './protocol.js';

/** How an attempt to open a connection ended for the actor that made it. */
export type Done = {readonly answered: boolean; readonly reason: string};

/** What to open. `source` undefined is the actor's own, or the route's. */
export type Opening = {readonly id: string; readonly to: Endpoint; readonly protocol: 'tcp' | 'udp'; readonly source: string | undefined};

/** Opens connections for one actor. */
export class Client {
	readonly #netns: Netns;
	readonly #spec: Pick<ActorSpec, 'name' | 'uid' | 'gid' | 'ownSource' | 'timeoutMs'>;
	readonly #record: (record: SocketRecord) => void;
	readonly #closing = new AbortController();
	#made: Credentials | undefined;

	constructor(netns: Netns, spec: Pick<ActorSpec, 'name' | 'uid' | 'gid' | 'ownSource' | 'timeoutMs'>, record: (record: SocketRecord) => void) {
		this.#netns = netns;
		this.#spec = spec;
		this.#record = record;
		// Every open connection listens to it, and there may be any number.
		setMaxListeners(0, this.#closing.signal);
	}

	/** The owner that the kernel wrote on the sockets, a wrong one before a right one; undefined where there was no socket. */
	get made(): Credentials | undefined {
		return this.#made;
	}

	/** Gives up what is still open. */
	close(): void {
		this.#closing.abort();
	}

	/**
	Opens a connection and waits for its first bytes, or asks a question over UDP.

	@throws {TestbedError} SYSCALL_FAILED when there is no socket to be had as that user.
	*/
	async open({id, to, protocol, source = this.#spec.ownSource[isIPv6(to.address) ? 'ipv6' : 'ipv4']}: Opening): Promise<Done> {
		const isUdp = protocol === 'udp';
		const {uid, gid} = this.#spec;
		const made = openClientSocket({
			netns: this.#netns, credentials: {uid, gid}, isIpv6: isIPv6(to.address), isUdp, source,
		});
		if ('refusal' in made) {
			return this.#failed({id, to, source}, made.refusal);
		}

		const {fd, owner} = made;
		if (this.#made === undefined || owner.uid !== uid || owner.gid !== gid) {
			this.#made = owner;
		}

		if (isUdp) {
			const {bytes, ...rest} = await ask({
				id, parent: undefined, to, fd, bytes: new TextEncoder().encode('testbed\n'),
			}, {spec: this.#spec, record: this.#record, signal: this.#closing.signal});
			return {answered: bytes !== undefined, reason: 'reason' in rest ? rest.reason : ''};
		}

		const begun = beginConnection(fd, to);
		if ('refusal' in begun) {
			return this.#failed({id, to, source}, begun.refusal);
		}

		this.#record({
			kind: 'opened', id, parent: undefined, actor: this.#spec.name, family: isIPv6(to.address) ? 'ipv6' : 'ipv4', from: begun.from, to,
		});
		return this.#untilClosed(id, new Socket({fd, readable: true, writable: true}));
	}

	/** A socket that failed before it had sent anything. */
	#failed({id, to, source}: Pick<Opening, 'id' | 'to' | 'source'>, {errno, message}: Refusal): Done {
		// Whatever else fails then (no port, no such address) is the testbed's own trouble, and stays a gap.
		if (unsendable.has(errno)) {
			this.#record({
				kind: 'unsent', id, parent: undefined, actor: this.#spec.name, family: isIPv6(to.address) ? 'ipv6' : 'ipv4', source, to, reason: message,
			});
		}

		this.#record({
			kind: 'ended', id, result: errno === 'ECONNREFUSED' ? 'refused' : 'unreachable', reason: message,
		});
		return {answered: false, reason: message};
	}

	async #untilClosed(id: string, socket: Socket): Promise<Done> {
		const {timeoutMs} = this.#spec;
		let why = 'the other side closed it without an answer';
		let answered = false;
		watchEnd(socket, {id, timeoutMs, record: this.#record});
		socket.once('timeout', () => {
			why = `no answer within ${timeoutMs} ms`;
		});
		const giveUp = (): void => {
			socket.destroy();
		};

		this.#closing.signal.addEventListener('abort', giveUp, {once: true});
		socket.on('data', () => {
			answered = true;
		});
		socket.once('error', error => {
			why = error.message;
		});
		return new Promise(resolve => {
			socket.once('close', () => {
				this.#closing.signal.removeEventListener('abort', giveUp);
				resolve({answered, reason: answered ? '' : why});
			});
		});
	}
}
