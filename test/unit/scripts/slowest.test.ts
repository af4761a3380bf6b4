import path from 'node:path';
import test from 'ava';
import {root} from './_setup.js';

type Listener = (event: {readonly type: string; readonly testFile?: string}) => void;
type Slowest = {
	printSlowest: (seconds: ReadonlyMap<string, number>) => string[];
	tellSlowest: (how: {readonly say: (text: string) => void; readonly now: () => number}) => Listener;
};

const {printSlowest, tellSlowest} = await import(path.join(root, 'scripts/ci/slowest.mjs')) as Slowest;

/** Plays events, each a second after the one before it; what was said. */
function listenTo(events: ReadonlyArray<readonly [type: string, file?: string]>): string {
	let said = '';
	let milliseconds = 0;
	const listen = tellSlowest({
		say(text) {
			said += text;
		},
		now: () => milliseconds,
	});
	for (const [type, file] of events) {
		milliseconds += 1000;
		listen(file === undefined ? {type} : {type, testFile: `/checkout/dist/test/${file}.test.js`});
	}

	return said;
}

test('the slowest file of kernel tests comes first, and unit tests do not count', t => {
	t.is(listenTo([
		['declared-test', 'kernel/a'], ['declared-test', 'kernel/b'], ['declared-test', 'unit/trace/c'], ['worker-finished', 'kernel/a'], ['test-passed', 'kernel/b'],
		['worker-finished', 'kernel/b'], ['worker-finished', 'unit/trace/c'], ['end'],
	]), 'The 2 slowest of 2 files of kernel tests (two run at once):\n      4.0 s  test/kernel/b.test.ts\n      3.0 s  test/kernel/a.test.ts\n');
});

test('of one file, or of none, nothing is said', t => {
	t.is(listenTo([['declared-test', 'kernel/a'], ['worker-finished', 'kernel/a'], ['end']]), '');
	t.is(listenTo([['declared-test', 'unit/a'], ['worker-finished', 'unit/b'], ['end']]), '');
});

test('ten files are named, of however many', t => {
	const lines = printSlowest(new Map(Array.from({length: 12}, (_, index) => [`file-${index}`, index])));
	t.is(lines.length, 11);
	t.regex(lines[0]!, /10 slowest of 12/u);
	t.regex(lines[1]!, /11\.0 s {2}test\/kernel\/file-11\.test\.ts/u);
	t.false(lines.some(line => line.includes('file-1.test')));
});
