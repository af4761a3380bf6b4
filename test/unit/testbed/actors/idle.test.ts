/** A process is idle only when it has handled everything that had arrived, with what followed from it. */

import {createSocket} from 'node:dgram';
import {connect, createServer, type AddressInfo} from 'node:net';
import process from 'node:process';
import test from 'ava';
import {countsEvents, untilIdle} from '../../../../testbed/actors/idle.js';

test.serial('datagrams that had arrived are handled, and so are their answers', async t => {
	const count = 200;
	const [asker, answerer] = [createSocket('udp4'), createSocket('udp4')];
	let [queries, answers] = [0, 0];
	answerer.on('message', (bytes, {port, address}) => {
		queries++;
		answerer.send(bytes, port, address);
	});
	asker.on('message', () => {
		answers++;
	});
	for (const socket of [asker, answerer]) {
		await new Promise<void>(resolve => { // eslint-disable-line no-await-in-loop -- Two.
			socket.bind(0, '127.0.0.1', resolve);
		});
	}

	for (let index = 0; index < count; index++) {
		asker.send('x', answerer.address().port, '127.0.0.1');
	}

	await new Promise<void>(resolve => {
		process.nextTick(resolve); // They are sent then.
	});
	t.is(queries, 0);
	await untilIdle();
	t.deepEqual([queries, answers], [count, count]);
	asker.close();
	answerer.close();
});

test.serial('connections that had arrived are accepted, one after the other, and their data is read', async t => {
	const count = 40;
	let [accepted, text] = [0, ''];
	const server = createServer(socket => {
		accepted++;
		socket.setEncoding('utf8').on('data', (part: string) => {
			text += part;
		});
		socket.on('end', () => {
			socket.end();
		});
	});
	await new Promise<void>(resolve => {
		server.listen(0, '127.0.0.1', resolve);
	});
	const clients = Array.from({length: count}, () => connect({port: (server.address() as AddressInfo).port, host: '127.0.0.1'}).end('x'));
	await new Promise<void>(resolve => {
		process.nextTick(resolve);
	});
	await untilIdle();
	t.is(accepted, count);
	t.is(text, 'x'.repeat(count));
	for (const client of clients) {
		client.destroy();
	}

	server.close();
});

test('a Node whose event loop counts nothing is recognized', t => {
	t.true(countsEvents());
	t.false(countsEvents({bootstrapComplete: 1}));
});
