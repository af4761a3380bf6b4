/**
Relays bytes between an accepted connection and the one that forwards it, like Envoy's TCP proxy. Measured with Envoy 1.40: the end of one direction (FIN) is passed on and the answer still arrives; if the next connection fails, the client's is closed by close(2), which sends FIN, or a reset if the kernel has unread bytes; a reset of one side resets the other.
*/

import type {Socket} from 'node:net';

/** Errors of an established connection that the peer reset (tcp(7)). */
const torn: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** Resets a socket, or just destroys it if it is not connected yet. */
function reset(socket: Socket): void {
	if (socket.connecting) {
		socket.destroy();
	} else {
		socket.resetAndDestroy();
	}
}

/** Whether both directions have ended normally, so that everything was sent. */
function isOver({readableEnded, writableFinished}: Socket): boolean {
	return readableEnded && writableFinished;
}

/**
Relays bytes in both directions until both have ended. `client` must not have been read from (`pauseOnConnect`): like Envoy, this reads nothing from it before the next connection is established.

Both sockets must allow half-open connections.
*/
export function relay(client: Socket, next: Socket): void {
	for (const [one, other] of [[client, next], [next, client]] as const) {
		one.once('error', (error: NodeJS.ErrnoException) => {
			if (torn.has(error.code)) {
				reset(other);
			} else {
				other.destroy();
			}
		});
		one.once('close', () => {
			// If it ended normally, the other side was already ended as well, and continues until it has sent its data.
			if (!isOver(one)) {
				other.destroy();
			}
		});
	}

	const carry = (): void => {
		client.pipe(next);
		next.pipe(client);
	};

	if (next.connecting) {
		next.once('connect', carry);
	} else {
		carry();
	}
}
