/** What the kernel's tables and Envoy's counters say of a running Envoy. */

import test from 'ava';
import {parseAccepted, parseStarted} from '../../../../../testbed/actors/envoy/admin.js';
import {parseSockets} from '../../../../../testbed/actors/envoy/socket-states.js';

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const rowOf = (zeros: string) => (port: string, state: string, {uid = 1337, received = '00000000'} = {}): string => `   0: ${zeros}:${port} ${zeros}:0000 ${state} 00000000:${received} 00:00000000 00000000  ${uid}        0 123 1 0000000000000000 100 0 0 10 0`;
const row = rowOf('0'.repeat(8));
const row6 = rowOf('0'.repeat(32));
const tableOf = (...rows: readonly string[]): string => [head, ...rows, ''].join('\n');

test('listeners, connections to accept, first packets without an answer: of this user only', t => {
	const sockets = parseSockets({
		ipv4: tableOf(row('3A99', '0A', {received: '00000002'}), row('1F90', '0A', {uid: 1000, received: '00000009'}), row('9C40', '02'), row('9C41', '02', {uid: 0}), row('9C42', '01')),
		ipv6: tableOf(row6('3A9E', '0A'), row6('9C40', '02')),
	}, 1337);
	t.deepEqual(sockets, {listening: new Set(['ipv4 15001', 'ipv6 15006']), waiting: 2, connecting: 2});
});

test('a table in another form', t => {
	t.throws(() => parseSockets({ipv4: tableOf('0: something'), ipv6: head}, 1337), {instanceOf: RangeError, message: /unknown form: 0: something/});
});

test('the counters of the listeners, and nothing else', t => {
	const stats = [
		'listener.testbed-0-ipv4.downstream_cx_total: 3',
		'listener.testbed-0-ipv6.downstream_cx_total: 4',
		'listener.testbed-0-ipv4.worker_0.downstream_cx_total: 3',
		'listener.admin.downstream_cx_total: 9',
		'listener.testbed-0-ipv4.downstream_cx_active: 1',
	].join('\n');
	t.is(parseAccepted(stats), 7);
	t.is(parseAccepted(''), undefined);
	t.is(parseAccepted('listener.testbed-0-ipv4.downstream_cx_total: many'), undefined);
});

test('whether its workers take connections', t => {
	t.true(parseStarted('listener_manager.workers_started: 1\n'));
	for (const stats of ['listener_manager.workers_started: 0\n', 'listener_manager.workers_started: 10\n', 'x.listener_manager.workers_started: 1\n', '']) {
		t.false(parseStarted(stats), stats);
	}
});
