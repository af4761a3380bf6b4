/** How the ends of a relayed connection behave: as with Envoy 1.40, which each row was measured against. */

import {Buffer} from 'node:buffer';
import {once} from 'node:events';
import {
	connect, createServer, Socket, type AddressInfo, type Server,
} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {relay} from '../../../../testbed/actors/relay.js';

const host = '127.0.0.1';

async function portOf(server: Server): Promise<number> {
	server.listen(0, host);
	await once(server, 'listening');
	return (server.address() as AddressInfo).port;
}

/** A relay to `port`, as the stub has one. */
async function relayTo(port: number, t: ExecutionContext, allowHalfOpen = true): Promise<number> {
	const server = createServer({allowHalfOpen, pauseOnConnect: true}, client => {
		relay(client, connect({allowHalfOpen, host, port}));
	});
	t.teardown(() => {
		server.close();
	});
	return portOf(server);
}

/** A server behind the relay. */
async function upstream(t: ExecutionContext, onConnection: (socket: Socket) => void): Promise<number> {
	const server = createServer({allowHalfOpen: true}, socket => {
		socket.on('error', () => undefined);
		onConnection(socket);
	});
	t.teardown(() => {
		server.close();
	});
	return portOf(server);
}

/** What a client receives until its connection ends: bytes, and the kind of end. */
async function talk(port: number, act: (socket: Socket) => void): Promise<{readonly heard: number; readonly end: string; readonly text: string}> {
	const socket = connect({allowHalfOpen: true, host, port});
	let bytes = Buffer.alloc(0);
	socket.on('data', data => {
		bytes = Buffer.concat([bytes, data]);
	});
	const end = new Promise<string>(resolve => {
		socket.once('end', () => {
			socket.end();
			resolve('FIN');
		});
		socket.once('error', (error: NodeJS.ErrnoException) => {
			resolve(error.code ?? error.message);
		});
	});
	await once(socket, 'connect');
	act(socket);
	return {end: await end, heard: bytes.length, text: bytes.subarray(0, 100).toString()};
}

async function closedPort(): Promise<number> {
	const server = createServer();
	const port = await portOf(server);
	server.close();
	await once(server, 'close');
	return port;
}

for (const [title, allowHalfOpen, wanted] of [
	['half close: the end is passed on, and the answer still arrives', true, 'answer to question'],
	['sockets that do not allow half-open connections lose the answer', false, ''],
] as const) {
	test(title, async t => {
		const port = await upstream(t, socket => {
			let asked = '';
			socket.on('data', data => {
				asked += data.toString();
			});
			socket.once('end', () => {
				setImmediate(() => {
					socket.end(`answer to ${asked}`);
				});
			});
		});
		const {text} = await talk(await relayTo(port, t, allowHalfOpen), socket => {
			socket.end('question');
		});
		t.is(text, wanted);
	});
}

test('half close: whatever the answer\'s length, all of it arrives', async t => {
	const length = 5_000_000;
	const port = await upstream(t, socket => {
		socket.resume();
		socket.once('end', () => {
			socket.end(Buffer.alloc(length, 'x'));
		});
	});
	const {end, heard} = await talk(await relayTo(port, t), socket => {
		socket.end();
	});
	t.deepEqual([heard, end], [length, 'FIN']);
});

test('the server ends first: what the client still sends arrives', async t => {
	const heard = new Promise<string>(resolve => {
		void (async () => {
			const port = await upstream(t, socket => {
				let late = '';
				socket.end('answer');
				socket.on('data', data => {
					late += data.toString();
				});
				socket.once('end', () => {
					resolve(late);
				});
			});
			const client = connect({allowHalfOpen: true, host, port: await relayTo(port, t)});
			client.resume();
			client.once('end', () => {
				client.end('late');
			});
		})();
	});
	t.is(await heard, 'late');
});

test('nobody listens behind it: the client was connected and sees the end', async t => {
	const {end, heard} = await talk(await relayTo(await closedPort(), t), () => undefined);
	t.deepEqual([heard, end], [0, 'FIN']);
});

test('nobody listens behind it, and the kernel holds bytes that nobody read: a reset', async t => {
	const [client, server] = await pair(t);
	// What was sent over lo is there when the write is done.
	await new Promise<void>(resolve => {
		client.write('unread', () => {
			resolve();
		});
	});
	client.resume();
	const next = connect({allowHalfOpen: true, host, port: await closedPort()});
	relay(server, next);
	const [error] = await once(client, 'error') as [NodeJS.ErrnoException];
	t.is(error.code, 'ECONNRESET');
});

/** Both ends of one connection; the second is paused, as one that was just accepted. */
async function pair(t: ExecutionContext): Promise<readonly [Socket, Socket]> {
	const server = createServer({allowHalfOpen: true, pauseOnConnect: true});
	t.teardown(() => {
		server.close();
	});
	const port = await portOf(server);
	const client = connect({allowHalfOpen: true, host, port});
	const [accepted] = await once(server, 'connection') as [Socket];
	return [client, accepted];
}

test('a reset behind it is a reset before it', async t => {
	const port = await upstream(t, socket => {
		socket.once('data', () => {
			socket.resetAndDestroy();
		});
	});
	const {end} = await talk(await relayTo(port, t), socket => {
		socket.write('reset me');
	});
	t.is(end, 'ECONNRESET');
});

test('a reset before it is a reset behind it', async t => {
	const reset = new Promise<string | undefined>(resolve => {
		void (async () => {
			const port = await upstream(t, socket => {
				socket.resume();
				socket.once('error', (error: NodeJS.ErrnoException) => {
					resolve(error.code);
				});
				socket.once('end', () => {
					resolve('FIN');
				});
				socket.write('hello');
			});
			const client = connect({host, port: await relayTo(port, t)});
			client.once('data', () => {
				client.resetAndDestroy();
			});
		})();
	});
	t.is(await reset, 'ECONNRESET');
});

test('a client that gives up while nothing is connected yet: what was opened for it is given up when it ends', async t => {
	const [client, server] = await pair(t);
	const next = new Socket({allowHalfOpen: true}); // Never connected.
	relay(server, next);
	next.destroy();
	await once(server, 'close');
	client.resume();
	await once(client, 'end');
	t.true(server.destroyed);
	client.destroy();
});
