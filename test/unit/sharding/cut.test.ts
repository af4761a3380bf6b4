/** The laws of the cut: nothing is lost, everybody cuts alike, neighbors stay together, and no other cut of that kind has a shorter longest shard. */

import test from 'ava';
import fc from 'fast-check';
import {cutInto, loadsOf, weightsOf} from '../../../src/sharding/cut.js';

const weightLists = fc.array(fc.integer({min: 1, max: 10_000}), {maxLength: 60});
const counts = fc.integer({min: 1, max: 20});
const heaviestOf = (loads: readonly number[]): number => Math.max(0, ...loads);

/** The shortest longest part of all cuts into neighbors, by trying every place of the last cut. */
function bestOf(count: number, weights: readonly number[]): number {
	if (count === 1 || weights.length === 0) {
		return weights.reduce((sum, weight) => sum + weight, 0);
	}

	return Math.min(...Array.from({length: weights.length + 1}, (_, at) => {
		const last = weights.slice(at).reduce((sum, weight) => sum + weight, 0);
		return Math.max(bestOf(count - 1, weights.slice(0, at)), last);
	}));
}

test('each piece is in one shard, and shards have neighbors', t => {
	fc.assert(fc.property(weightLists, counts, (weights, count) => {
		const shards = cutInto(count, weights);
		t.is(shards.length, weights.length);
		t.true(shards.every((shard, place) => shard >= 1 && shard <= count && shard >= (shards[place - 1] ?? 1)));
	}));
});

test('the same list is cut alike', t => {
	fc.assert(fc.property(weightLists, counts, (weights, count) => {
		t.deepEqual(cutInto(count, weights), cutInto(count, [...weights]));
	}));
});

test('the longest shard is within the bound of every greedy cut: the mean and one piece', t => {
	fc.assert(fc.property(weightLists, counts, (weights, count) => {
		const mean = weights.reduce((sum, weight) => sum + weight, 0) / count;
		t.true(heaviestOf(loadsOf(count, cutInto(count, weights), weights)) <= mean + ((1 - (1 / count)) * heaviestOf(weights)) + 1e-6);
	}));
});

test('no cut into neighbors has a shorter longest shard', t => {
	fc.assert(fc.property(fc.array(fc.integer({min: 1, max: 30}), {maxLength: 8}), fc.integer({min: 1, max: 4}), (weights, count) => {
		t.is(heaviestOf(loadsOf(count, cutInto(count, weights), weights)), bestOf(count, weights));
	}));
});

test('equal pieces are spread evenly', t => {
	fc.assert(fc.property(fc.integer({min: 0, max: 60}), counts, (pieces, count) => {
		const ones = Array.from({length: pieces}, () => 1);
		const loads = loadsOf(count, cutInto(count, ones), ones);
		t.true(heaviestOf(loads) - Math.min(...loads) <= 1, loads.join(' '));
	}));
});

test('a known time counts, and an unknown one is the mean of the known', t => {
	t.deepEqual(weightsOf(['a', 'b', 'c'], new Map([['a', 100], ['b', 301], ['other', 5]])), [100, 301, 201]);
	t.deepEqual(weightsOf(['a', 'b'], new Map()), [1, 1]);
	t.deepEqual(weightsOf(['a'], new Map([['a', 0]])), [1]);
	t.deepEqual(cutInto(2, [1, 1, 1, 1, 1, 1]), [1, 1, 1, 2, 2, 2]);
	t.deepEqual(cutInto(2, [100, 10, 10, 10, 10, 10]), [1, 2, 2, 2, 2, 2]);
});

for (const count of [0, -1, 1.5, Number.NaN]) {
	test(`${count} shards are refused`, t => {
		t.throws(() => cutInto(count, [1]), {instanceOf: RangeError});
	});
}
