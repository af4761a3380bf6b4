/** What the kernel's tables say about packets that are on their way. */

import test from 'ava';
import {
	isAcknowledgementExpected, neighborRequest, packetsIn, readNeighbors,
} from '../../../../testbed/sandbox/kernel-tables.js';

const devices = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    1234       7    0    0    0     0          0         0     1234       7    0    0    0     0       0          0
  eth0:9876543210     100    1    2    3     4          5         6    77777      23    0    0    0     0       0          0
`;

test('packets: received and sent by all devices', t => {
	t.is(packetsIn(devices), 7 + 7 + 100 + 23);
	t.is(packetsIn(devices.split('\n').slice(0, 2).join('\n')), 0);
	t.throws(() => packetsIn(`${devices}  eth1: 1 2 3\n`), {instanceOf: RangeError, message: /^a line of the kernel's table of devices has an unknown form: {3}eth1/u});
});

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

/** A socket: its state, what is unacknowledged, and how often that was sent again. */
function socket(state: string, unacknowledged: number, again: number, probes = 0): string {
	const hex = (number: number): string => number.toString(16).toUpperCase().padStart(8, '0');
	return `${head}   0: 0A01F40A:D431 1401F40A:1F90 ${state} ${hex(unacknowledged)}:00000000 01:00000014 ${hex(again)}  1000 ${String(probes).padStart(8)} 12345 2 0000000000000000 200 0 0 1 7\n`;
}

for (const {title, table, firstPackets = 0, isExpected} of [
	{title: 'no socket', table: head, isExpected: false},
	{title: 'a first packet', table: socket('02', 1, 0), isExpected: false},
	{title: 'a first packet, under rules that may treat the next otherwise', table: socket('02', 1, 0), firstPackets: 1, isExpected: true},
	{title: 'a first packet that was sent again', table: socket('02', 1, 1), firstPackets: 1, isExpected: false},
	{title: 'data', table: socket('01', 8, 0), isExpected: true},
	{title: 'data that was sent again', table: socket('01', 8, 1), firstPackets: 1, isExpected: false},
	{title: 'data that a rule keeps from leaving', table: socket('01', 8, 0, 0), isExpected: true},
	{title: 'data that a rule has kept from leaving twice', table: socket('01', 8, 0, 1), isExpected: false},
	{title: 'a connection without data', table: socket('01', 0, 0), isExpected: false},
	{title: 'the end of a connection', table: socket('04', 1, 0), isExpected: true},
	{title: 'the last end of a connection', table: socket('09', 1, 0), isExpected: true},
	{title: 'an answer to a first packet', table: socket('03', 0, 0), firstPackets: 1, isExpected: false},
	{title: 'a listener, whose third number is the length of its queue', table: socket('0A', 5, 0), isExpected: false},
	{title: 'a connection that is over', table: socket('06', 0, 3), isExpected: false},
] as const) {
	test(`acknowledgements: ${title}`, t => {
		t.is(isAcknowledgementExpected(table, firstPackets), isExpected);
	});
}

test('acknowledgements: IPv6, a long timer, and an unknown form', t => {
	const ipv6 = `${head}   0: B80D0120010000000000000010000000:D431 B80D0120010000000000000020000000:1F90 01 00000001:00000000 01:123456789A 00000000  1000        0 1 2 0 200 0 0 1 7\n`;
	t.true(isAcknowledgementExpected(ipv6, 0));
	t.throws(() => isAcknowledgementExpected(`${head}nonsense\n`, 0), {instanceOf: RangeError, message: 'a line of the kernel\'s table of TCP sockets has an unknown form: nonsense'});
});

/** A netlink message of a type, with a body. */
function message(type: number, body: Uint8Array): Uint8Array {
	const bytes = new Uint8Array(16 + body.length);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, bytes.length, true);
	view.setUint16(4, type, true);
	bytes.set(body, 16);
	return bytes;
}

function neighbor(state: number): Uint8Array {
	const body = new Uint8Array(12);
	new DataView(body.buffer).setUint16(8, state, true);
	return message(28, body);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
	return Uint8Array.from(parts.flatMap(part => [...part]));
}

test('neighbors: whether packets wait for one, and whether that is all', t => {
	const [incomplete, reachable, failed, permanent] = [0x01, 0x02, 0x20, 0x80];
	t.deepEqual(readNeighbors(joined(neighbor(reachable), neighbor(failed), neighbor(permanent))), {isDone: false, isAnyIncomplete: false});
	t.deepEqual(readNeighbors(joined(neighbor(permanent), neighbor(incomplete))), {isDone: false, isAnyIncomplete: true});
	t.deepEqual(readNeighbors(message(3, new Uint8Array(4))), {isDone: true, isAnyIncomplete: false});
	const error = new Uint8Array(20);
	new DataView(error.buffer).setInt32(0, -95, true);
	t.throws(() => readNeighbors(message(2, error)), {instanceOf: RangeError, message: 'the kernel does not list its neighbors: error number 95'});
	t.is(neighborRequest().length, 28);
});
