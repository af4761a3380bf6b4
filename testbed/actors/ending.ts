/**
How the attempt to open a TCP connection ends, told once.
*/

import type {Socket} from 'node:net';
import type {SocketRecord} from '../../src/trace/sockets.js';

/** What the kernel says when a packet from this source can go nowhere (connect(2)). */
export const unsendable: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENETUNREACH', 'EHOSTUNREACH']);

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

	// While it has a peer, it is connected; when it is closed nobody can tell any more.
	socket.setTimeout(timeoutMs, () => {
		if (socket.remoteAddress !== undefined) {
			end('connected', '');
		}

		socket.destroy();
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
