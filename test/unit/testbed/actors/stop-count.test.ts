/** The stops of a flow, counted across the proxy. */

import test from 'ava';
import {StopCount} from '../../../../testbed/actors/stop-count.js';

const pod = (port: number) => ({address: '10.244.1.10', port});
const other = {address: '10.96.1.10', port: 8080};
const remote = {address: '10.244.1.20', port: 8080};

test('a connection that comes back is counted further, another one starts at zero', t => {
	const count = new StopCount();
	t.is(count.accepted('a', {from: pod(40_000), to: other}), 1);
	count.opened({from: pod(40_001), to: pod(8080)}, 'a');
	t.is(count.accepted('b', {from: pod(40_001), to: pod(8080)}), 2);
	t.is(count.accepted('c', {from: pod(40_002), to: pod(8080)}), 1);
});

test('one port serves two destinations at once: the other connection is no part of the flow', t => {
	const count = new StopCount();
	count.accepted('a', {from: pod(40_000), to: other});
	count.opened({from: pod(40_001), to: remote}, 'a');
	// The app's own connection, from the same port to somewhere else.
	t.is(count.accepted('b', {from: pod(40_001), to: other}), 1);
	t.is(count.accepted('c', {from: pod(40_001), to: remote}), 2);
});

test('a connection that no listener accepted before starts at zero', t => {
	const count = new StopCount();
	count.opened({from: pod(40_001), to: remote}, undefined);
	t.is(count.accepted('a', {from: pod(40_001), to: remote}), 1);
});

test('what is forgotten is not counted further: its port has come back', t => {
	const count = new StopCount();
	for (let stop = 1; stop <= 8; stop++) {
		t.is(count.accepted(`a${stop}`, {from: pod(40_001), to: remote}), stop);
		count.opened({from: pod(40_001), to: remote}, `a${stop}`);
	}

	count.forget();
	t.is(count.accepted('b', {from: pod(40_001), to: remote}), 1);
});
