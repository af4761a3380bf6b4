import {setTimeout as wait} from 'node:timers/promises';
import test from 'ava';
import {Progress} from '../../../../../testbed/cli/output/progress.js';

/** A little more than the second for which progress is quiet. */
const pastQuietMs = 1300;

/** Progress with a clock of its own, and what it wrote: lines that stay, or what the line of a terminal was. */
function watched(columns?: number) {
	const said: string[] = [];
	const clock = {ms: 0};
	const progress = new Progress({
		write: text => said.push(text), now: () => clock.ms, terminal: columns === undefined ? undefined : {columns, rewrite: text => said.push(text)},
	});
	return {
		said, progress, after(ms: number) {
			clock.ms += ms;
			progress.say();
		},
	};
}

test('a short run says nothing, also not later', async t => {
	const {said, progress} = watched();
	progress.step('one');
	progress.step('two');
	progress[Symbol.dispose]();
	await wait(pastQuietMs);
	t.deepEqual(said, []);
});

test('a long run says by itself where it is', async t => {
	const {said, progress} = watched();
	progress.step('one');
	progress.step('two');
	await wait(pastQuietMs);
	progress[Symbol.dispose]();
	t.deepEqual(said, ['testbed: two …\n']);
});

test('elsewhere than on a terminal: a line for each step, and one every ten seconds while it goes on', t => {
	const {said, progress, after} = watched();
	progress.step('sending', {done: 0, total: 1000});
	after(1000);
	progress.step('sending', {done: 100, total: 1000});
	after(1000);
	after(7000);
	progress.step('sending', {done: 500, total: 1000});
	after(2000);
	progress.step('judging');
	after(1000);
	after(20_000);
	progress[Symbol.dispose]();
	t.deepEqual(said, ['testbed: sending: 0 of 1000 …\n', 'testbed: sending: 500 of 1000, 11 s left …\n', 'testbed: judging …\n']);
});

test('on a terminal: one line, written again, no longer than the terminal is wide, and gone in the end', t => {
	const {said, progress, after} = watched(40);
	progress.step('sending', {done: 0, total: 10_000});
	after(1000);
	progress.step('sending', {done: 1000, total: 10_000, unit: 'probes'});
	after(1000);
	after(1000);
	progress.step('a step with a name that is longer than any terminal');
	after(1000);
	progress[Symbol.dispose]();
	t.deepEqual(said, ['testbed: sending: 0 of 10000 …', 'testbed: sending: 1000 of 10000 probes…', 'testbed: sending: 1000 of 10000 probes…', 'testbed: a step with a name that is lo…', '']);
	t.true(said.every(text => text.length < 40));
});

test('what is left is told in seconds, then in minutes, and not from next to nothing', t => {
	const {said, progress, after} = watched();
	progress.step('comparing', {done: 0, total: 1000});
	progress.step('comparing', {done: 10, total: 1000});
	after(10_000);
	progress.step('comparing', {done: 100, total: 1000});
	after(10_000);
	progress.step('comparing', {done: 900, total: 1000});
	after(10_000);
	progress.step('dividing', {done: 7, unit: 'so far'});
	after(10_000);
	progress[Symbol.dispose]();
	t.deepEqual(said, ['testbed: comparing: 10 of 1000 …\n', 'testbed: comparing: 100 of 1000, 3 min left …\n', 'testbed: comparing: 900 of 1000, 4 s left …\n', 'testbed: dividing: 7 so far …\n']);
});
