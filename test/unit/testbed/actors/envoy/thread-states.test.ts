import {once} from 'node:events';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {lackOf} from '../../../../../testbed/actors/envoy/process.js';
import {areAllAsleep, isAsleep} from '../../../../../testbed/actors/envoy/thread-states.js';

test('the state of a thread, whatever its name', t => {
	t.true(isAsleep('17 (envoy) S 1 17 17 0'));
	t.true(isAsleep('17 (wrk:worker) R (0) S 1 17 17 0'));
	for (const stat of ['17 (envoy) R 1 17 17 0', '17 (envoy) D 1 17 17 0', '17 (envoy) T 1 17 17 0', '17 (a) S 1 (b) R 1 17 17 0', '']) {
		t.false(isAsleep(stat), stat);
	}
});

test('a process that is busy, one that has nothing to do, and one that is gone', async t => {
	t.false(areAllAsleep(process.pid), 'this thread is reading');
	const child = execa('cat', {reject: false, stdin: 'pipe'});
	await once(child, 'spawn');
	t.timeout(30_000);
	while (!areAllAsleep(child.pid!)) {
		await new Promise(resolve => { // eslint-disable-line no-await-in-loop -- Until it waits for its input.
			setTimeout(resolve, 5);
		});
	}

	child.stdin.end();
	await child;
	t.false(areAllAsleep(child.pid!));
});

test('what is missing when Envoy has not reported everything in time', t => {
	const sockets = {listening: new Set<string>(), waiting: 0, connecting: 0};
	const usual = {
		accepted: 2, sockets, isBusy: false, reported: 1,
	};
	t.is(lackOf(usual), 'accepted 2 connections, and its access log tells of 1');
	t.is(lackOf({...usual, isBusy: true}), 'accepted 2 connections, and its access log tells of 1', 'being asked makes it busy');
	t.is(lackOf({...usual, accepted: undefined}), 'does not say how many connections it accepted');
	t.is(lackOf({...usual, accepted: undefined, isBusy: true}), 'is still busy, so it may have accepted connections that it has not counted yet');
	t.is(lackOf({...usual, sockets: {...sockets, waiting: 1}}), 'still has 0 first packets without an answer, and 1 connections to accept');
	t.is(lackOf({...usual, sockets: undefined}), 'still has an unknown number of first packets without an answer, and an unknown number of connections to accept');
});
