/**
Connections that an actor opens. The testbed's own process creates the sockets, in the actor's namespace and as its user, so that actors that only send need no process: the owner match only checks the credentials with which a socket was created. The prober creates its sockets the same way.
*/

import {isIPv6, Socket} from 'node:net';
import type {Endpoint} from '../../src/netfilter/path.js';
import type {Credentials} from '../../src/mesh/traffic.js';
import type {SocketRecord} from '../../src/trace/sockets.js';
import type {Netns} from '../sandbox/netns.js';
import {
	beginConnection, notedError, openClientSocket, type Refusal,
} from './client-socket.js';
import {ask} from './datagrams.js';
import {unsendable, watchEnd} from './socket-end.js';
import type {ActorSpec} from './protocol.js';
import {WaitEnd} from './wait-end.js';

/** How an attempt to connect ended for the actor. */
export type Done = {readonly answered: boolean; readonly reason: string};

/** A connection to open. Without `source`, the actor's own is used, or the route's; `bindDevice` is the one that the socket is bound to. `handshakeMs`: the longest wait for the answer to a first packet of TCP, if that is shorter than the actor's timeout. */
export type Opening = {readonly id: string; readonly to: Endpoint; readonly protocol: 'tcp' | 'udp'; readonly source: string | undefined; readonly bindDevice?: string | undefined; readonly handshakeMs?: number | undefined};

/** Opens connections for one actor. */
export class Client {
	readonly #netns: Netns;
	readonly #spec: Pick<ActorSpec, 'name' | 'uid' | 'gid' | 'ownSource' | 'timeoutMs'>;
	readonly #record: (record: SocketRecord) => void;
	readonly #waits = new WaitEnd();
	/** How many connections of TCP are open. */
	#openTcp = 0;
	#begun = 0;
	#made: Credentials | undefined;

	constructor(netns: Netns, spec: Pick<ActorSpec, 'name' | 'uid' | 'gid' | 'ownSource' | 'timeoutMs'>, record: (record: SocketRecord) => void) {
		this.#netns = netns;
		this.#spec = spec;
		this.#record = record;
	}

	/** The owner that the kernel recorded for the sockets: a wrong one if there was any; undefined without sockets. */
	get made(): Credentials | undefined {
		return this.#made;
	}

	/** How many connections it has begun to open so far. */
	get begun(): number {
		return this.#begun;
	}

	/** Whether a connection of TCP is open. */
	get hasOpenTcp(): boolean {
		return this.#openTcp > 0;
	}

	/** Closes all open connections, which get no answer for this reason. */
	giveUp(reason: string): void {
		this.#waits.end(reason);
	}

	/**
	Opens a TCP connection and waits for its end, or sends a UDP query and waits for the answer.

	@throws {TestbedError} SYSCALL_FAILED if no socket can be created as that user.
	*/
	async open({id, to, protocol, bindDevice, handshakeMs, source = this.#spec.ownSource[isIPv6(to.address) ? 'ipv6' : 'ipv4']}: Opening): Promise<Done> {
		this.#begun++;
		const isUdp = protocol === 'udp';
		const {uid, gid} = this.#spec;
		const made = openClientSocket({
			netns: this.#netns, credentials: {uid, gid}, isIpv6: isIPv6(to.address), isUdp, source, bindDevice,
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
				id, parent: undefined, to, fd, bindDevice, bytes: new TextEncoder().encode('testbed\n'),
			}, {spec: this.#spec, record: this.#record, signal: this.#waits.signal});
			return {answered: bytes !== undefined, reason: 'reason' in rest ? rest.reason : ''};
		}

		const begun = beginConnection(fd, to);
		if ('refusal' in begun) {
			return this.#failed({id, to, source}, begun.refusal);
		}

		this.#record({
			kind: 'opened', id, parent: undefined, actor: this.#spec.name, family: isIPv6(to.address) ? 'ipv6' : 'ipv4', from: begun.from, to, ...(bindDevice === undefined ? {} : {device: bindDevice}),
		});
		this.#openTcp++;
		try {
			return await this.#untilClosed(id, fd, handshakeMs);
		} finally {
			this.#openTcp--;
		}
	}

	/** Records a socket that failed before it sent anything. */
	#failed({id, to, source}: Pick<Opening, 'id' | 'to' | 'source'>, {errno, message}: Refusal): Done {
		// Other errors (no port, no such address) are the testbed's own problem, and stay a gap.
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

	async #untilClosed(id: string, fd: number, handshakeMs: number | undefined): Promise<Done> {
		const socket = new Socket({fd, readable: true, writable: true});
		const {timeoutMs} = this.#spec;
		const {signal} = this.#waits;
		let why = 'the peer closed it without an answer';
		let answered = false;
		const giveUp = watchEnd(socket, {
			id, timeoutMs, handshakeMs, readError: () => notedError(fd), record: end => {
				if (end.kind === 'ended' && (end.result === 'timeout' || end.result === 'unreachable')) {
					why = end.reason;
				}

				this.#record(end);
			},
		});
		socket.once('timeout', () => {
			why = `no answer within ${timeoutMs} ms`;
		});
		const onAbort = (): void => {
			why = String(signal.reason);
			giveUp(why);
		};

		signal.addEventListener('abort', onAbort, {once: true});
		socket.on('data', () => {
			answered = true;
		});
		socket.once('error', error => {
			why = error.message;
		});
		return new Promise(resolve => {
			socket.once('close', () => {
				signal.removeEventListener('abort', onAbort);
				resolve({answered, reason: answered ? '' : why});
			});
		});
	}
}
