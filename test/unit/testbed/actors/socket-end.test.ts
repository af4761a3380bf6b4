/** A process that gets no processor time until its timeout still reports what had arrived by then. */

import {createSocket} from 'node:dgram';
import {
	connect, createServer, Socket, type AddressInfo,
} from 'node:net';
import test from 'ava';
import type {SocketRecord} from '../../../../src/trace/sockets.js';
import {ask} from '../../../../testbed/actors/datagrams.js';
import {watchEnd} from '../../../../testbed/actors/socket-end.js';
import {WaitEnd} from '../../../../testbed/actors/wait-end.js';

const timeoutMs = 500;

/** Keeps this thread from doing anything until its limit is over. */
function standStill(): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * timeoutMs);
}

function endsOf(records: readonly SocketRecord[]): readonly string[] {
	return records.flatMap(record => record.kind === 'ended' ? [record.result] : []);
}

/** A port of 127.0.0.1 where nobody listens any more. */
async function closedPort(protocol: 'tcp' | 'udp'): Promise<number> {
	return new Promise(resolve => {
		if (protocol === 'udp') {
			const socket = createSocket('udp4');
			socket.bind(0, '127.0.0.1', () => {
				const {port} = socket.address();
				socket.close(() => {
					resolve(port);
				});
			});
			return;
		}

		const server = createServer().listen(0, '127.0.0.1', () => {
			const {port} = server.address() as AddressInfo;
			server.close(() => {
				resolve(port);
			});
		});
	});
}

test.serial('a datagram that was refused', async t => {
	const records: SocketRecord[] = [];
	const {bytes} = await ask({
		id: 'x', parent: undefined, to: {address: '127.0.0.1', port: await closedPort('udp')}, bytes: new Uint8Array(1),
	}, {
		spec: {name: 'app', timeoutMs}, record(record) {
			records.push(record);
			if (record.kind === 'opened') {
				setImmediate(standStill); // It is sent in this turn.
			}
		},
	});
	t.is(bytes, undefined);
	t.deepEqual(endsOf(records), ['refused']);
});

for (const [title, isOpen, wanted, handshakeMs] of [
	['a connection that was refused', false, 'refused', undefined], ['a connection that was made', true, 'connected', undefined],
	['a connection that was refused, with a shorter wait for the handshake', false, 'refused', timeoutMs / 2], ['a connection that was made, with a shorter wait for the handshake', true, 'connected', timeoutMs / 2],
] as const) {
	test.serial(title, async t => {
		const server = createServer(socket => {
			socket.end();
		});
		const port = isOpen
			? await new Promise<number>(resolve => {
				server.listen(0, '127.0.0.1', () => {
					resolve((server.address() as AddressInfo).port);
				});
			})
			: await closedPort('tcp');
		const records: SocketRecord[] = [];
		const socket = connect(port, '127.0.0.1');
		watchEnd(socket, {
			id: 'x', timeoutMs, handshakeMs, record(record) {
				records.push(record);
			},
		});
		setImmediate(standStill);
		await new Promise(resolve => {
			socket.on('error', () => undefined);
			socket.once('close', resolve);
			socket.resume();
		});
		server.close();
		t.deepEqual(endsOf(records), [wanted]);
	});
}

test.serial('nothing arrived: nobody waits any longer', async t => {
	const silent = createSocket('udp4');
	const port = await new Promise<number>(resolve => {
		silent.bind(0, '127.0.0.1', () => {
			resolve(silent.address().port);
		});
	});
	const records: SocketRecord[] = [];
	const answer = await ask({
		id: 'x', parent: undefined, to: {address: '127.0.0.1', port}, bytes: new Uint8Array(1),
	}, {
		spec: {name: 'app', timeoutMs}, record(record) {
			records.push(record);
		},
	});
	silent.close();
	t.deepEqual(answer, {bytes: undefined, reason: `no answer within ${timeoutMs} ms`});
	t.deepEqual(endsOf(records), ['timeout']);
});

test('a connection that is not made is given up after the wait for the handshake, not after the whole timeout', async t => {
	const records: SocketRecord[] = [];
	const socket = new Socket(); // It has no peer, like one whose first packet was lost.
	watchEnd(socket, {
		id: 'x', timeoutMs: 60_000, handshakeMs: 20, record(record) {
			records.push(record);
		},
	});
	await new Promise(resolve => {
		socket.once('close', resolve);
	});
	t.deepEqual(records, [{
		kind: 'ended', id: 'x', result: 'timeout', reason: 'no answer within 20 ms',
	}]);
});

test('a connection that is given up has the reason for it, once', async t => {
	const records: SocketRecord[] = [];
	const socket = new Socket();
	const giveUp = watchEnd(socket, {
		id: 'x', timeoutMs: 60_000, record(record) {
			records.push(record);
		},
	});
	giveUp('nothing was left to do');
	await new Promise(resolve => {
		socket.once('close', resolve);
	});
	giveUp('too late');
	t.deepEqual(records, [{
		kind: 'ended', id: 'x', result: 'timeout', reason: 'nothing was left to do',
	}]);
});

test('a connection that was made and is given up counts as connected', async t => {
	const server = createServer();
	const port = await new Promise<number>(resolve => {
		server.listen(0, '127.0.0.1', () => {
			resolve((server.address() as AddressInfo).port);
		});
	});
	const records: SocketRecord[] = [];
	const socket = connect(port, '127.0.0.1');
	const giveUp = watchEnd(socket, {
		id: 'x', timeoutMs: 60_000, record(record) {
			records.push(record);
		},
	});
	await new Promise(resolve => {
		socket.once('connect', resolve);
	});
	giveUp('nothing was left to do');
	server.close();
	t.deepEqual(endsOf(records), ['connected']);
});

test('a query that is given up has the reason for it, and later ones go on', async t => {
	const silent = createSocket('udp4');
	const port = await new Promise<number>(resolve => {
		silent.bind(0, '127.0.0.1', () => {
			resolve(silent.address().port);
		});
	});
	const waits = new WaitEnd();
	const records: SocketRecord[] = [];
	const query = async (id: string) => ask({
		id, parent: undefined, to: {address: '127.0.0.1', port}, bytes: new Uint8Array(1),
	}, {
		spec: {name: 'app', timeoutMs: 60_000}, signal: waits.signal, record(record) {
			records.push(record);
		},
	});
	const first = query('x');
	waits.end('nothing was left to do');
	const second = query('y');
	t.deepEqual(await first, {bytes: undefined, reason: 'nothing was left to do'});
	t.deepEqual(records.map(({id, kind}) => `${id} ${kind}`).filter(each => each.endsWith('ended')), ['x ended']);
	waits.end('nor now');
	t.deepEqual(await second, {bytes: undefined, reason: 'nor now'});
	silent.close();
});

test('a connection that is made may take the whole timeout for its answer', async t => {
	const server = createServer(socket => {
		setTimeout(() => {
			socket.end('late\n');
		}, 10 * 20);
	});
	const port = await new Promise<number>(resolve => {
		server.listen(0, '127.0.0.1', () => {
			resolve((server.address() as AddressInfo).port);
		});
	});
	const records: SocketRecord[] = [];
	const socket = connect(port, '127.0.0.1');
	let text = '';
	socket.setEncoding('utf8').on('data', (part: string) => {
		text += part;
	});
	watchEnd(socket, {
		id: 'x', timeoutMs: 60_000, handshakeMs: 20, record(record) {
			records.push(record);
		},
	});
	await new Promise(resolve => {
		socket.once('close', resolve);
	});
	server.close();
	t.is(text, 'late\n');
	t.deepEqual(endsOf(records), ['connected']);
});
