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

/** Records whether a socket was connected, refused, could not send, or got no answer. */
export function watchEnd(socket: Socket, {id, timeoutMs, handshakeMs, record}: {
	readonly id: string;
	/** Longest wait for something to arrive. */
	readonly timeoutMs: number;
	/** Longest wait for the connection itself, if that is shorter. */
	readonly handshakeMs?: number | undefined;
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

	let waitedMs = timeoutMs;
	if (handshakeMs !== undefined && handshakeMs < timeoutMs) {
		const timer = setTimeout(() => {
			// What has arrived meanwhile is read first, as above.
			setImmediate(() => {
				if (!socket.destroyed && socket.remoteAddress === undefined) {
					waitedMs = handshakeMs;
					socket.destroy();
				}
			});
		}, handshakeMs);
		socket.once('close', () => {
			clearTimeout(timer);
		});
	}

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
		end('timeout', `no answer within ${waitedMs} ms`);
	});
}
