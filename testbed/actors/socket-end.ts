/**
Reports once how the attempt to open a TCP connection ends.
*/

import type {Socket} from 'node:net';
import type {SocketRecord} from '../../src/trace/sockets.js';

/** Errors of the kernel if a packet from this source cannot be routed (connect(2)). */
export const unsendable: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENETUNREACH', 'EHOSTUNREACH']);

/** A socket's state, which changes when something arrives. */
function heardBy(socket: Socket): string {
	return `${socket.readyState} ${socket.bytesRead}`;
}

/**
How long a connection is waited for. `handshakeMs`: at most so long, if that is shorter than the timeout. `othersAreOver`: once this resolves, only {@link afterOthersMs} remain.
*/
export type HandshakeWaits = {readonly handshakeMs?: number | undefined; readonly othersAreOver?: Promise<void> | undefined};

/** Connections that were opened at the same time needed a handshake and then an answer of their listeners' processes, so that one of the kernel alone should be over long before them. */
const afterOthersMs = 20;

/** Records whether a socket was connected, refused, could not send, or got no answer. */
export function watchEnd(socket: Socket, {id, timeoutMs, handshakeMs = timeoutMs, othersAreOver, record}: HandshakeWaits & {
	readonly id: string;
	/** Longest wait for something to arrive. */
	readonly timeoutMs: number;
	readonly record: (record: SocketRecord) => void;
}): void {
	let ended = false;
	const end = (result: 'connected' | 'refused' | 'unreachable' | 'timeout', reason: string): void => {
		if (!ended) {
			ended = true;
			record({
				kind: 'ended', id, result, reason,
			});
		}
	};

	socket.setTimeout(timeoutMs, () => {
		const heard = heardBy(socket);
		// Timers run before sockets in a turn of the event loop, and after a long pause of the process both may be ready: read what has arrived first, which also restarts the timeout.
		setImmediate(() => {
			if (heardBy(socket) !== heard) {
				return;
			}

			// It is connected as long as it has a peer; after closing that is unknown.
			if (socket.remoteAddress !== undefined) {
				end('connected', '');
			}

			socket.destroy();
		});
	});

	let why = `no answer within ${timeoutMs} ms`;
	const timers = new Set<NodeJS.Timeout>();
	const giveUpAfter = (ms: number, reason: string): void => {
		timers.add(setTimeout(() => {
			// What has arrived meanwhile is read first, as above.
			setImmediate(() => {
				if (!socket.destroyed && socket.remoteAddress === undefined) {
					why = reason;
					socket.destroy();
				}
			});
		}, ms));
	};

	if (handshakeMs < timeoutMs) {
		giveUpAfter(handshakeMs, `no answer within ${handshakeMs} ms`);
	}

	void othersAreOver?.then(() => { // eslint-disable-line promise/prefer-await-to-then -- Nothing waits for it.
		if (!socket.destroyed) {
			giveUpAfter(afterOthersMs, `no answer when all other connections were over, nor ${afterOthersMs} ms later`);
		}
	});
	socket.once('close', () => {
		for (const timer of timers) {
			clearTimeout(timer);
		}
	});

	// A socket created outside Node emits no `connect` event, so its first bytes count.
	for (const event of ['connect', 'data']) {
		socket.once(event, () => {
			end('connected', '');
		});
	}

	socket.once('error', (error: NodeJS.ErrnoException) => {
		// A reset means that it was connected; a connection that never was is refused (tcp(7)).
		const known = {ECONNREFUSED: 'refused', ECONNRESET: 'connected'} as const;
		end(known[error.code as keyof typeof known] ?? 'unreachable', error.message);
	});
	socket.once('close', () => {
		end('timeout', why);
	});
}
