import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {root} from './_setup.js';

type Exit = Record<'status' | 'signal', unknown>; // JSON's null where there is none.
type Result = {ended: boolean; stats?: Record<string, unknown>};
type Count = {passed: number; failed: number; notes: string[]};

const {countResult, countCells} = await import(path.join(root, 'scripts/ci/count.mjs')) as {
	countResult: (result: Result | undefined, exit: Exit) => Count;
	countCells: (rows: ReadonlyArray<{part: string; machine: string; result: string}> | undefined, ending: string) => Count;
};
const recorded = JSON.parse(fs.readFileSync(path.join(root, 'test/unit/scripts/recordings/ava.json'), 'utf8')) as {
	ava: string; runs: Record<string, {exit: Exit; result?: Result}>;
};

const wanted: Record<string, [passed: number, failed: number]> = {
	'all pass': [2, 0],
	'some fail': [3, 1],
	'expected failure': [3, 0],
	'uncaught exception': [2, 2],
	'timed-out file': [2, 2],
	'hangs while it loads': [2, 1],
	'file without tests': [2, 1],
	'file that does not load': [2, 1],
	'file that exits': [2, 2],
	'file that is killed': [2, 1],
	'failing hook': [2, 2],
	'skipped and todo': [3, 2],
	'no files': [0, 1],
	'ava is killed': [2, 2],
};

test('every recorded run is counted', t => {
	t.deepEqual(Object.keys(recorded.runs).toSorted(), Object.keys(wanted).toSorted());
});

test('the recordings were made with the installed ava', t => {
	const {version} = JSON.parse(fs.readFileSync(path.join(root, 'node_modules/ava/package.json'), 'utf8')) as {version: string};
	t.is(recorded.ava, version, 'ava changed. Record its runs again, and look at the difference: npm run record-ava');
});

for (const [name, [passed, failed]] of Object.entries(wanted)) {
	test(`counts: ${name}`, t => {
		const {exit, result} = recorded.runs[name]!;
		const count = countResult(result, exit);
		t.is(count.passed, passed);
		t.is(count.failed, failed, count.notes.join('\n'));
	});
}

test('an npm that ended before ava wrote anything has failed', t => {
	t.like(countResult(undefined, {status: 4, signal: null}), {passed: 0, failed: 1});
});

test('a run that says nothing wrong but ends badly has failed', t => {
	t.like(countResult(recorded.runs['all pass']!.result, {status: 1, signal: null}), {passed: 2, failed: 1});
});

test('each machine of the matrix counts, and only a passed one as passed', t => {
	const row = (machine: string, result: string) => ({part: 'debian', machine, result});
	t.deepEqual(countCells([row('a', 'passed'), row('b', 'passed')], 'exit status 0'), {passed: 2, failed: 0, notes: []});
	t.deepEqual(countCells([row('a', 'passed'), row('b', 'failed: types: x'), row('c', 'not tried: mmdebstrap missing')], 'exit status 1'), {
		passed: 1, failed: 2, notes: ['Counted as failed: matrix, debian, b: failed: types: x', 'Counted as failed: matrix, debian, c: not tried: mmdebstrap missing'],
	});
	for (const rows of [undefined, []]) {
		t.deepEqual(countCells(rows, 'signal SIGKILL'), {passed: 0, failed: 1, notes: ['Counted as failed: the matrix of machines, which tried nothing (signal SIGKILL).']});
	}
});
