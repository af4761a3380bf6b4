/** The parts of the prober that need no kernel: checking requests, encoding and decoding rows. */

import test from 'ava';
import {
	checkRequest, decodeResult, encodeBatch,
} from '../../../../testbed/prober/encode.js';
import {socketOptionFields, type ProbeRequest} from '../../../../src/scenario/probe-spec.js';
import {
	kinds, probeWords, resultWords, states, steps,
} from '../../../../testbed/prober/protocol.js';
import {Thread} from '../../../../testbed/prober/thread.js';
import {TestbedError} from '../../../../testbed/errors.js';

const plain: ProbeRequest = {
	id: 'x', from: 'pod', uid: 1000, gid: 1000, protocol: 'tcp', to: {address: '10.0.0.2', port: 80},
};

for (const [what, other, message] of [
	['no address', {to: {address: 'remote', port: 80}}, 'remote is not an address'],
	['two families', {source: '::1'}, 'its source ::1 is not an IPv4 address like its destination'],
	['no user', {uid: 0xFF_FF_FF_FF}, 'its uid is 4294967295; it must be a whole number from 0 to 4294967294'],
	['no group', {gid: -1}, 'its gid is -1; it must be a whole number from 0 to 4294967294'],
	['no port', {to: {address: '10.0.0.2', port: 0}}, 'its port is 0; it must be a whole number from 1 to 65535'],
	['no source port', {sourcePort: 65_536}, 'its sourcePort is 65536; it must be a whole number from 0 to 65535'],
	['no mark', {mark: 1.5}, 'its mark is 1.5; it must be a whole number from 0 to 4294967295'],
	['an invalid datagram', {protocol: 'udp', packet: 'invalid'}, 'only TCP packets can be invalid'],
	['an invalid packet, of a prober that is not for it', {packet: 'invalid'}, 'this prober was not created for invalid packets'],
	['no device', {bindDevice: 'a name that is too long'}, 'its bindDevice is "a name that is too long"; it must be one of lo, eth0'],
] as const) {
	test(`a request with ${what}`, t => {
		t.throws(() => {
			checkRequest({...plain, ...other});
		}, {instanceOf: TestbedError, code: 'INPUT', message: `Probe x cannot be sent: ${message}.`});
	});
}

test('requests become rows; equal addresses are in the table once', t => {
	const {request: {probes, addresses, texts}, toWords} = encodeBatch([
		plain, {...plain, uid: 4_000_000_000, bindDevice: 'eth0', mark: 0xFF_FF_FF_FF}, {...plain, to: {address: '::1', port: 53}, protocol: 'udp', sourcePort: 5}, {...plain, packet: 'invalid'},
	]);
	t.is(addresses.length, 3);
	t.deepEqual(texts, ['eth0']);
	const word = (row: number, name: keyof typeof probeWords): number => probes[(row * probeWords.words) + probeWords[name]]!;
	t.deepEqual([word(0, 'to'), word(1, 'to'), word(2, 'to')], [0, 0, 1]);
	t.deepEqual([word(0, 'source'), word(2, 'source')], [-1, 2]);
	t.is(word(1, 'uid') >>> 0, 4_000_000_000);
	t.deepEqual([word(0, 'kind'), word(1, 'kind'), word(2, 'kind'), word(3, 'kind')], [0, 0, kinds.ipv6 | kinds.udp, kinds.invalid]);
	t.deepEqual(socketOptionFields.slice(0, 2).map(({name}, place) => [name, ...[0, 1, 2].map(row => (word(row, 'options') >>> place) & 1), probes[probeWords.words + probeWords.firstOption + place]! >>> 0]), [['mark', 0, 1, 0, 0xFF_FF_FF_FF], ['bindDevice', 0, 1, 0, 0]], 'each option has a bit, and a word for its value');
	t.deepEqual([...addresses[0]!], [2, 0, 0, 80, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0], '`struct sockaddr_in`');
	t.deepEqual(toWords.map(words => words.length), [1, 1, 4, 1]);
});

function resultOf(state: number, error: number): Int32Array {
	const results = new Int32Array(resultWords.words);
	results[resultWords.state] = state;
	results[resultWords.error] = error;
	return results;
}

for (const [step, request, isAnswer, message] of [
	['bind', {...plain, source: '10.0.0.9', sourcePort: 22}, true, 'Probe x to 10.0.0.2:80 from 10.0.0.9 from port 22 was not sent: bind failed with EADDRNOTAVAIL.'],
	['connect', plain, false, 'Probe x to 10.0.0.2:80 was not sent: connect failed with EADDRNOTAVAIL: no source port is free (net.ipv4.ip_local_port_range of the namespace).'],
	['connect', {...plain, sourcePort: 22}, false, 'Probe x to 10.0.0.2:80 from port 22 was not sent: connect failed with EADDRNOTAVAIL: another socket has this pair of addresses, or had it and is in TIME_WAIT.'],
] as const) {
	test(`what was not sent says why: ${message}`, t => {
		t.deepEqual(decodeResult(request, {results: resultOf(states.failed + steps.indexOf(step), 99), index: 0, toWords: new Int32Array(1)}), {failure: {errno: 'EADDRNOTAVAIL', message}, isAnswer});
	});
}

test('ends of sockets, where a later one counts', t => {
	const endOf = (state: number, late?: {readonly state: number; readonly error: number}) => {
		const sent = decodeResult(plain, {
			results: resultOf(state, 113), index: 0, toWords: new Int32Array(1), late,
		});
		return 'probe' in sent ? sent.probe.end : undefined;
	};

	t.deepEqual(endOf(states.refused), {kind: 'refused'});
	t.deepEqual(endOf(states.connected), {kind: 'connected'});
	t.deepEqual(endOf(states.unreachable), {kind: 'unreachable', reason: 'EHOSTUNREACH'});
	t.deepEqual(endOf(states.pending, {state: states.refused, error: 0}), {kind: 'refused'});
	t.deepEqual(endOf(states.pending, {state: states.quiet, error: 0}), {kind: 'quiet'});
});

const program = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(`import {parentPort} from 'node:worker_threads'; ${text}`)}`);

for (const [title, text, message] of [
	['throws', 'throw new Error("no luck");', 'The thread that tests failed: no luck.'],
	['says an error', 'parentPort.postMessage({type: "error", message: "no memory"}); parentPort.ref();', 'The thread that tests failed: no memory.'],
	['ends', '', 'The thread that tests failed: it ended unexpectedly.'],
] as const) {
	test(`a thread that ${title}: the waiting code gets an error`, async t => {
		await using thread = new Thread(program(text), {name: 'tests', workerData: {}});
		await t.throwsAsync(thread.next('ready'), {instanceOf: TestbedError, code: 'SYSCALL_FAILED', message});
	});
}

test('a thread that says something else', async t => {
	await using thread = new Thread(program('parentPort.postMessage({type: "sent"});'), {name: 'tests', workerData: {}});
	await t.throwsAsync(thread.next('ready'), {message: 'The thread that tests answered sent; expected ready.'});
});
