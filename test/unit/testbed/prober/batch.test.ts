import test from 'ava';
import type {ProbeRequest} from '../../../../src/scenario/probe-spec.js';
import {planBatch} from '../../../../testbed/prober/batch.js';

const probe = (sourcePort: number | undefined, port = 80): ProbeRequest => ({protocol: 'tcp', sourcePort, to: {address: '192.0.2.1', port}}) as unknown as ProbeRequest;

test('probes that ask for a source port go first, and the others keep their order', t => {
	const requests = [probe(undefined), probe(41_000), probe(undefined), probe(41_001), probe(0)];
	const {nextBatch, rest} = planBatch(requests, [0, 1, 2, 3, 4], 10);
	t.deepEqual(nextBatch.indices, [1, 3, 0, 2, 4]);
	t.deepEqual(nextBatch.requests, [1, 3, 0, 2, 4].map(index => requests[index]!));
	t.deepEqual(rest, []);
});

test('the probes of one owner go together, in the order of the owners, and keep their order', t => {
	const owned = (uid: number, gid = uid): ProbeRequest => ({...probe(undefined), uid, gid});
	const requests = [owned(0), owned(1337), owned(0, 1337), owned(0), owned(1337), {...owned(1000), sourcePort: 41_000}, owned(0, 1337)];
	t.deepEqual(planBatch(requests, [0, 1, 2, 3, 4, 5, 6], 10).nextBatch.indices, [5, 0, 3, 1, 4, 2, 6]);
});

test('a pair of ports is in a batch once, in either direction, and a batch has its size', t => {
	const requests = [probe(41_000, 80), probe(80, 41_000), probe(41_000, 81), probe(undefined), probe(undefined)];
	const {nextBatch, rest} = planBatch(requests, [0, 1, 2, 3, 4], 3);
	t.deepEqual(nextBatch.indices, [0, 2, 3]);
	t.deepEqual(rest, [1, 4]);
});
