import test from 'ava';
import type {ProbeRequest} from '../../../../src/scenario/probe-spec.js';
import {planBatch} from '../../../../testbed/prober/batch.js';

const probe = (sourcePort: number | undefined, port = 80): ProbeRequest => ({protocol: 'tcp', sourcePort, to: {address: '192.0.2.1', port}}) as unknown as ProbeRequest;

test('probes that ask for a source port go first, and the others keep their order', t => {
	const requests = [probe(undefined), probe(41_000), probe(undefined), probe(41_001), probe(0)];
	const {nextBatch, rest} = planBatch(requests, [0, 1, 2, 3, 4], {size: 10});
	t.deepEqual(nextBatch.indices, [1, 3, 0, 2, 4]);
	t.deepEqual(nextBatch.requests, [1, 3, 0, 2, 4].map(index => requests[index]!));
	t.deepEqual(rest, []);
});

test('the probes of one owner go together, in the order of the owners, and keep their order', t => {
	const owned = (uid: number, gid = uid): ProbeRequest => ({...probe(undefined), uid, gid});
	const requests = [owned(0), owned(1337), owned(0, 1337), owned(0), owned(1337), {...owned(1000), sourcePort: 41_000}, owned(0, 1337)];
	t.deepEqual(planBatch(requests, [0, 1, 2, 3, 4, 5, 6], {size: 10}).nextBatch.indices, [5, 0, 3, 1, 4, 2, 6]);
});

const batched = (requests: readonly ProbeRequest[], size = 10): readonly number[] => planBatch(requests, [...requests.keys()], {size, mayChoose: (from, address) => (from === 'pod') === address.startsWith('10.')}).nextBatch.indices;
/** The source and destination as arguments of a call, each an address and a port. */
const from = (...[source, sourcePort, address, port, other = {}]: readonly [string | undefined, number, string, number, Partial<ProbeRequest>?]): ProbeRequest => ({
	from: 'pod', protocol: 'udp', source, sourcePort, to: {address, port}, ...other,
}) as unknown as ProbeRequest;

test('a batch has its size, with and without probes that ask for a source port', t => {
	const requests = [probe(41_000, 80), probe(41_000, 81), probe(undefined), probe(undefined)];
	const {nextBatch, rest} = planBatch(requests, [0, 1, 2, 3], {size: 3});
	t.deepEqual(nextBatch.indices, [0, 1, 2]);
	t.deepEqual(rest, [3]);
});

for (const [title, one, other, isTogether] of [
	['the same tuple', from('10.0.0.1', 53, '10.0.0.2', 53), from('10.0.0.1', 53, '10.0.0.2', 53), false],
	['the tuple of the answers', from('10.0.0.1', 53, '10.0.0.2', 80), from('10.0.0.2', 80, '10.0.0.1', 53), false],
	['the tuple of the answers, written differently', from('2001:db8::1', 53, '2001:db8::2', 80), from('2001:db8:0::2', 80, '2001:DB8::1', 53), false],
	['another destination', from('10.0.0.1', 53, '10.0.0.2', 53), from('10.0.0.1', 53, '10.0.0.3', 53), true],
	['another source', from('10.0.0.1', 53, '10.0.0.2', 53), from('10.0.0.4', 53, '10.0.0.2', 53), true],
	['another protocol', from('10.0.0.1', 53, '10.0.0.2', 53), from('10.0.0.1', 53, '10.0.0.2', 53, {protocol: 'tcp'}), true],
	['another family', from(undefined, 53, '10.0.0.2', 53), from(undefined, 53, '::1', 53), true],
	['an open source and the same destination', from(undefined, 53, '10.0.0.2', 53), from('10.0.0.1', 53, '10.0.0.2', 53), false],
	['two open sources, which may be each other\'s destinations', from(undefined, 53, '10.0.0.2', 53), from(undefined, 53, '10.0.0.3', 53), false],
	['two open sources, of which one cannot be the other\'s destination', from(undefined, 53, '10.0.0.2', 53), from(undefined, 53, '192.0.2.1', 53), true],
	['an open source for a destination that may be local', from(undefined, 53, '192.0.2.1', 53), from('192.0.2.1', 53, '192.0.2.1', 53), false],
	['an open source on the other host', from(undefined, 53, '10.0.0.2', 53, {from: 'remote'}), from('10.0.0.2', 53, '192.0.2.1', 53), false],
] as const) {
	test(`two probes ${isTogether ? 'go together' : 'do not go together'}: ${title}`, t => {
		t.deepEqual(batched([one, other]), isTogether ? [0, 1] : [0]);
		t.deepEqual(batched([other, one]), isTogether ? [0, 1] : [0]);
	});
}

test('without knowing the addresses of a host, an open source may be any', t => {
	const requests = [from(undefined, 53, '10.0.0.2', 53), from(undefined, 53, '192.0.2.1', 53)];
	t.deepEqual(planBatch(requests, [0, 1], {size: 10}).rest, [1]);
});
