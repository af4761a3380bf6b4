/** Answers as people write them, and the list that they choose from. */

import test from 'ava';
import {wordsOf} from '../../../../../testbed/cli/lesson/answers.js';
import {drawList} from '../../../../../testbed/cli/lesson/draw-list.js';
import {createPainter} from '../../../../../src/report/terminal/colors.js';

const choices = ['4', 'proxy:15001 → remote:8080', 'UID 2000, GID 1337'].map((value, index) => ({
	key: String(index + 1), value, text: value, isRule: false,
}));

for (const [line, isList, words] of [
	['1', false, ['1']],
	['proxy:15001 → remote:8080', false, ['proxy:15001 → remote:8080']],
	['UID 2000, GID 1337', true, ['UID 2000, GID 1337']],
	['1,3', true, ['1', '3']],
	['1  3 ,', true, ['1', '3']],
	['none', true, []],
	['none', false, ['none']],
] as const) {
	test(`${JSON.stringify(line)}${isList ? ' as a list' : ''}`, t => {
		t.deepEqual(wordsOf(line, {
			kind: 'ready', choices, isList, right: [],
		}), words);
	});
}

const items = Array.from({length: 30}, (_, index) => ({key: String(index + 1), value: `v${index + 1}`, label: `item ${index + 1} ${'x'.repeat(index * 4)}`}));
const size = {paint: createPainter(false), columns: 40, rows: 10};

test('a list is never higher or wider than the terminal, and shows where it is', t => {
	for (const cursor of [0, 1, 15, 28, 29]) {
		const lines = drawList({
			message: 'Which?', items, cursor, state: 'active',
		}, size).split('\n');
		t.true(lines.length <= size.rows - 2);
		t.deepEqual(lines.slice(1).filter(line => [...line].length > size.columns), []);
		t.deepEqual(lines.filter(line => line.startsWith('  > ')).map(line => line.trim().split(/\s+/u)[1]), [String(cursor + 1)]);
		t.regex(lines[0]!, /Which\? \(\d+–\d+ of 30\)/u);
	}
});

test('what is marked, and what is left when it is chosen', t => {
	const some = items.slice(0, 2);
	t.is(drawList({
		message: 'Which?', items: some, cursor: 1, state: 'active', marked: ['v1'],
	}, size), '  Which?\n    1  [x] item 1 \n  > 2  [ ] item 2 xxxx');
	t.is(drawList({
		message: 'Which?', items: some, cursor: 1, state: 'submit', marked: ['v1'],
	}, size), '  → item 1 \n');
	t.is(drawList({
		message: 'Which?', items: some, cursor: 1, state: 'submit', marked: [],
	}, size), '  → none\n');
	t.is(drawList({
		message: 'Which?', items: some, cursor: 1, state: 'submit',
	}, size), '  → item 2 xxxx\n');
	t.is(drawList({
		message: 'Which?', items: some, cursor: 0, state: 'cancel',
	}, size), '  → stopped\n');
});
