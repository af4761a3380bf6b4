import {setImmediate} from 'node:timers/promises';
import test from 'ava';
import {inOrder, withWorkers} from '../../../../testbed/system/worker-pool.js';

async function taken(items: readonly number[], jobs: number, act: (item: number, worker: number) => void = () => undefined): Promise<ReadonlyArray<readonly number[]>> {
	const all: number[][] = [];
	await withWorkers(inOrder(items), Math.min(jobs, items.length), async take => {
		const own: number[] = [];
		const worker = all.push(own) - 1;
		for (let item = take(); item !== undefined; item = take()) {
			own.push(item);
			await setImmediate(); // eslint-disable-line no-await-in-loop -- The other lanes get their turn.
			act(item, worker);
		}
	});
	return all;
}

test('every item is processed once, in order, by no more workers than there are items', async t => {
	t.deepEqual(await taken([], 2), []);
	t.deepEqual(await taken([5], 2), [[5]]);
	const jobs = await taken([1, 2, 3, 4, 5], 2);
	t.is(jobs.length, 2);
	t.deepEqual(jobs.flat().toSorted((one, other) => one - other), [1, 2, 3, 4, 5]);
	t.true(jobs.every(own => own.length > 1 && own.every((item, index) => index === 0 || own[index - 1]! < item)));
});

test('when a worker fails, the others start nothing more, and the first error is thrown when all have ended', async t => {
	const done: number[] = [];
	await t.throwsAsync(taken([1, 2, 3, 4, 5, 6], 2, item => {
		if (item === 1) {
			throw new Error('one');
		}

		done.push(item);
	}), {message: 'one'});
	t.deepEqual(done, [2]);
});

test('each worker asks under its own number', async t => {
	const asked: number[] = [];
	await withWorkers(worker => {
		asked.push(worker);
		return asked.length > 3 ? undefined : 'work';
	}, 3, async take => {
		t.is(take(), 'work');
	});
	t.deepEqual(asked, [0, 1, 2]);
});
