import {setTimeout as wait} from 'node:timers/promises';
import test from 'ava';
import {Progress} from '../../../../../testbed/cli/output/progress.js';

/** A little more than the second for which progress is quiet. */
const pastQuietMs = 1300;

test('a short run says nothing, also not later', async t => {
	const said: string[] = [];
	const progress = new Progress(text => said.push(text));
	progress.step('one');
	progress.step('two');
	progress[Symbol.dispose]();
	await wait(pastQuietMs);
	t.deepEqual(said, []);
});

test('a long run says once a second where it is, when that has changed', async t => {
	const said: string[] = [];
	const progress = new Progress(text => said.push(text));
	progress.step('one');
	progress.step('two');
	await wait(pastQuietMs);
	t.deepEqual(said, ['testbed: two …\n']);
	progress.step('three');
	progress.step('four');
	await wait(pastQuietMs);
	t.deepEqual(said, ['testbed: two …\n', 'testbed: four …\n']);
	await wait(pastQuietMs);
	progress[Symbol.dispose]();
	t.is(said.length, 2);
});
