/** Which worker gets which run: as few sandboxes as pay. */

import fc from 'fast-check';
import test from 'ava';
import {RunQueue, runsPerSandbox} from '../../../../testbed/run/run-queue.js';

type Run = {readonly key: string; readonly number: number};

/** Groups of runs by their sizes: `a`, `b` … */
const runsOf = (...sizes: readonly number[]): readonly Run[] => sizes.flatMap((size, group) => Array.from({length: size}, (_, number) => ({key: String.fromCodePoint(97 + group), number})));

/** The keys that workers get, if they ask in this order. */
function keysOf(runs: readonly Run[], workers: readonly number[]): string {
	const queue = new RunQueue(runs);
	return workers.map(worker => queue.take(worker)?.key ?? '-').join('');
}

test('a worker stays with the runs of its sandbox, and the next takes those of another', t => {
	t.is(keysOf(runsOf(3, 3, 2), [0, 1, 0, 1, 0, 1, 0, 0, 0, 1]), 'abababcc--');
});

test('a few runs that are left do not pay for another sandbox', t => {
	t.is(keysOf(runsOf(runsPerSandbox + 1), [0, 1, 0, 1]), 'a-a-');
});

test('many runs of one key pay for another sandbox', t => {
	t.is(keysOf(runsOf(runsPerSandbox + 2), [0, 1, 1, 0]), 'aaaa');
});

test('with more workers on it, a key must have more left to pay for one more', t => {
	const left = 2 * runsPerSandbox;
	t.is(keysOf(runsOf(left + 2), [0, 1, 2]), 'aa-');
	t.is(keysOf(runsOf(left + 3), [0, 1, 2]), 'aaa');
});

test('a worker without work helps where most is left', t => {
	t.is(keysOf(runsOf(8, 20, 1), [0, 1, 2, 2, 2]), 'abcbb');
});

test('a worker that nothing is left for leaves its key to the others', t => {
	const queue = new RunQueue(runsOf(1, 30));
	t.deepEqual([queue.take(0)?.key, queue.take(0)?.key, queue.take(1)?.key], ['a', 'b', 'b']);
});

test('every run is taken once, whoever asks, and those of a key in order', t => {
	fc.assert(fc.property(fc.array(fc.integer({min: 1, max: 20}), {maxLength: 6}), fc.array(fc.integer({min: 0, max: 3}), {maxLength: 200}), (sizes, asks) => {
		const runs = runsOf(...sizes);
		const queue = new RunQueue(runs);
		const taken: Run[] = [];
		const idle = new Set<number>();
		// In any order first; then as `withWorkers` does it: each asks until it gets nothing.
		for (const worker of [...asks, ...[0, 1, 2, 3].flatMap(worker => Array.from({length: runs.length + 1}, () => worker))]) {
			const run = idle.has(worker) ? undefined : queue.take(worker);
			if (run === undefined) {
				idle.add(worker);
			} else {
				taken.push(run);
			}
		}

		const key = ({key, number}: Run): string => `${key}${String(number).padStart(2, '0')}`;
		t.deepEqual(taken.map(run => key(run)).toSorted(), runs.map(run => key(run)).toSorted());
		for (const group of new Set(runs.map(run => run.key))) {
			const own = taken.filter(run => run.key === group).map(({number}) => number);
			t.deepEqual(own, own.toSorted((one, other) => one - other));
		}
	}));
});
