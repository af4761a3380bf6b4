/**
How the attempt to open a TCP connection ends, told once.
*/

import type {Socket} from 'node:net';
import type {SocketRecord} from '../../src/trace/sockets.js';

/** What the kernel says when a packet from this source can go nowhere (connect(2)). */
export const unsendable: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENETUNREACH', 'EHOSTUNREACH']);

/** What a socket has come to: other when something came. */
function heardBy(socket: Socket): string {
	return `${socket.readyState} ${socket.bytesRead}`;
}

/** Tells by a record whether a socket was connected, refused, could not be sent from, or got no answer. */
export function watchEnd(socket: Socket, {id, timeoutMs, record}: {readonly id: string; readonly timeoutMs: number; readonly record: (record: SocketRecord) => void}): void {
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
		// Timers come before sockets in a turn of the event loop, and a process that got no processor for so long finds both: what has come is read first, and gives the socket its time anew.
		setImmediate(() => {
			if (heardBy(socket) !== heard) {
				return;
			}

			// While it has a peer, it is connected; when it is closed nobody can tell any more.
			if (socket.remoteAddress !== undefined) {
				end('connected', '');
			}

			socket.destroy();
		});
	});

	// A socket that was made outside Node says nothing when it is connected; its first bytes do.
	for (const event of ['connect', 'data']) {
		socket.once(event, () => {
			end('connected', '');
		});
	}

	socket.once('error', (error: NodeJS.ErrnoException) => {
		// A reset is an answer to what was connected; what never was is refused (tcp(7)).
		const known = {ECONNREFUSED: 'refused', ECONNRESET: 'connected'} as const;
		end(known[error.code as keyof typeof known] ?? 'unreachable', error.message);
	});
	socket.once('close', () => {
		end('timeout', `no answer within ${timeoutMs} ms`);
	});
}
