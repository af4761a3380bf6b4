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

/** Records whether a socket was connected, refused, could not send, or got no answer. Returns what closes it before that, with the reason why it gets no answer. */
export function watchEnd(socket: Socket, {id, timeoutMs, handshakeMs = timeoutMs, readError, record}: {
	readonly id: string;
	/** Longest wait for something to arrive. */
	readonly timeoutMs: number;
	/** Longest wait for the peer's answer to the first packet, if that is shorter than the timeout. */
	readonly handshakeMs?: number | undefined;
	/** Reads the name of the error that the kernel has noted for the socket, if there is one (SO_ERROR, socket(7)). An error of ICMP that answers the first packet of TCP usually arrives while the socket is still in connect(2); then it is noted, and only the one that answers the repeated packet ends the attempt (`tcp_v4_err` in net/ipv4/tcp_ipv4.c, `tcp_v6_err` in net/ipv6/tcp_ipv6.c). */
	readonly readError?: (() => string | undefined) | undefined;
	readonly record: (record: SocketRecord) => void;
}): (reason: string) => void {
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
	const giveUp = (reason: string): void => {
		const isConnected = socket.remoteAddress !== undefined;
		const error = isConnected ? undefined : readError?.();
		if (isConnected) {
			end('connected', '');
		} else if (error !== undefined) {
			end('unreachable', `connect ${error}`);
		}

		why = reason;
		socket.destroy();
	};

	if (handshakeMs < timeoutMs) {
		const timer = setTimeout(() => {
			// What has arrived meanwhile is read first, as above.
			setImmediate(() => {
				if (socket.remoteAddress === undefined) {
					giveUp(`no answer within ${handshakeMs} ms`);
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
		end('timeout', why);
	});
	return giveUp;
}
