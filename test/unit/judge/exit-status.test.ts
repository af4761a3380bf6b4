import test from 'ava';
import {
	addTallies, exitStatus, tallyOf, type Tally,
} from '../../../src/judge/exit-status.js';

for (const [title, tally, status] of [
	['all passed', {passed: 2, failed: 0, inconclusive: 0}, 0],
	['something failed', {passed: 2, failed: 1, inconclusive: 0}, 1],
	['a failure goes before doubt', {passed: 2, failed: 1, inconclusive: 1}, 1],
	['something is inconclusive', {passed: 2, failed: 0, inconclusive: 1}, 3],
	['nothing was asked', {passed: 0, failed: 0, inconclusive: 0}, 3],
] as ReadonlyArray<readonly [string, Tally, 0 | 1 | 3]>) {
	test(`exit status ${status}: ${title}`, t => {
		t.is(exitStatus(tally), status);
	});
}

test('tallies are added', t => {
	t.deepEqual(addTallies([tallyOf('passed'), tallyOf('failed'), tallyOf('passed'), tallyOf('inconclusive')]), {passed: 2, failed: 1, inconclusive: 1});
	t.deepEqual(addTallies([]), {passed: 0, failed: 0, inconclusive: 0});
});
