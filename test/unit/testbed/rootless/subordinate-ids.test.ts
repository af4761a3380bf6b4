/** The ranges in /etc/subuid and /etc/subgid, and how they are mapped. */

import test from 'ava';
import {
	commandForRange, firstFree, mapArguments, rangesOf,
} from '../../../../testbed/rootless/subordinate-ids.js';

const text = '# comment\nroot:100000:65536\njoe:165536:65536\n1000:300000:10\njoe:not:1\njoe:400000:0\n joe:500000:5 \n';

test('a user has the ranges under its name and under its UID', t => {
	t.deepEqual(rangesOf(text, {name: 'joe', uid: 1000}), [{first: 165_536, count: 65_536}, {first: 300_000, count: 10}, {first: 500_000, count: 5}]);
	t.deepEqual(rangesOf(text, {name: undefined, uid: 1000}), [{first: 300_000, count: 10}]);
	t.deepEqual(rangesOf(text, {name: 'ann', uid: 1001}), []);
});

test('goes red: a user is not another whose name begins alike', t => {
	t.deepEqual(rangesOf('joey:1:2\njo:3:4\n10000:5:6\n', {name: 'joe', uid: 1000}), []);
});

test('the user is 0, and its ranges follow one after the other', t => {
	t.deepEqual(mapArguments(1000, [{first: 165_536, count: 65_536}, {first: 300_000, count: 10}]), ['0', '1000', '1', '1', '165536', '65536', '65537', '300000', '10']);
});

test('a new range begins after all others, in either file', t => {
	t.is(firstFree(['', '']), 100_000);
	t.is(firstFree(['root:100000:65536\n', 'root:100000:65536\nann:165536:65536\n']), 231_072);
	t.is(firstFree(['low:5:10\n', '']), 100_000);
});

test('a new range has as many IDs as are needed, and no fewer than usual', t => {
	t.is(commandForRange('joe', {first: 100_000}), 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 joe');
	t.is(commandForRange('joe', {first: 231_072, count: 5}), 'sudo usermod --add-subuids 231072-296607 --add-subgids 231072-296607 joe');
	t.is(commandForRange('joe', {first: 100_000, count: 1_000_000}), 'sudo usermod --add-subuids 100000-1099999 --add-subgids 100000-1099999 joe');
	t.is(commandForRange('joe', {first: 100_000, count: 4_000_000_000}), 'sudo usermod --add-subuids 100000-4000099999 --add-subgids 100000-4000099999 joe');
	t.is(commandForRange('joe', {first: 1_000_000_000, count: 4_000_000_000}), undefined);
});
