/** Which pieces a round has to do, and how everything stands. */

import path from 'node:path';
import test from 'ava';
import {describeComparison} from '../../../../../testbed/cli/watch/watch-diff.js';
import {describeCount} from '../../../../../testbed/cli/watch/watch-run.js';
import {Rounds} from '../../../../../testbed/cli/watch/rounds.js';

const passed = {passed: 1, failed: 0, inconclusive: 0};
const failed = {passed: 0, failed: 1, inconclusive: 0};
const inconclusive = {passed: 0, failed: 0, inconclusive: 1};

test('only what is new, asked something else, or was inconclusive', t => {
	const rounds = new Rounds();
	t.deepEqual(rounds.toDo([{name: 'a', question: 1}, {name: 'b', question: 1}, {name: 'c', question: 1}]), [0, 1, 2]);
	rounds.note('a', passed);
	rounds.note('b', failed);
	rounds.note('c', inconclusive);
	t.deepEqual(rounds.count, {done: 3, all: 3, tally: {passed: 1, failed: 1, inconclusive: 1}});
	t.deepEqual(rounds.toDo([{name: 'a', question: 1}, {name: 'b', question: 1}, {name: 'c', question: 1}]), [2]);
	t.deepEqual(rounds.toDo([{name: 'a', question: 2}, {name: 'b', question: 1}, {name: 'd', question: 1}]), [0, 2]);
	t.deepEqual(rounds.count, {done: 2, all: 3, tally: {passed: 0, failed: 0, inconclusive: 0}});
});

test('a piece that was interrupted has to be done again', t => {
	const rounds = new Rounds();
	rounds.toDo([{name: 'a', question: 1}]);
	t.deepEqual(rounds.toDo([{name: 'a', question: 1}]), [0]);
});

test('the exit status is that of everything as it ended last', t => {
	const rounds = new Rounds();
	t.is(rounds.standing, 3);
	rounds.toDo([{name: 'a', question: 1}, {name: 'b', question: 1}]);
	rounds.note('a', failed);
	rounds.note('b', passed);
	t.is(rounds.standing, 1);
	rounds.toDo([{name: 'a', question: 2}, {name: 'b', question: 1}]);
	rounds.note('a', passed);
	t.is(rounds.standing, 0);
	rounds.toDo([{name: 'b', question: 1}]);
	t.is(rounds.standing, 0);
});

test('files are remembered by their full names, each once; standard input is none', t => {
	const rounds = new Rounds();
	rounds.reads(['a', '-', './a']);
	rounds.reads(['/b']);
	t.deepEqual(rounds.files, [path.resolve('a'), '/b']);
});

test('what a round came to, in words', t => {
	const none = {passed: 0, failed: 0, inconclusive: 0};
	t.is(describeCount({done: 0, all: 3, tally: none}), 'nothing that decides a result, so nothing was run again');
	t.is(describeCount({done: 1, all: 3, tally: {passed: 6, failed: 0, inconclusive: 0}}), '1 of 3 runs, 6 passed, 0 failed, 0 inconclusive');
	t.is(describeComparison({done: 0, all: 1, tally: none}), 'nothing that decides a result, so nothing was compared again');
	t.deepEqual([passed, failed, inconclusive].map(tally => describeComparison({done: 1, all: 1, tally})), ['equal', 'something moved', 'inconclusive']);
});
