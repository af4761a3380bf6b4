/** The hash of the sources is only computed again when a file may have changed. */

import fs from 'node:fs';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {isolated, load, writeTree, type Context} from './_setup.js';

const {hashUnlessUnchanged} = load('file-times');

const names = ['a.ts', 'room/b.ts'];

/** A checkout with two sources that are older than a tick, the number of times they were hashed, and a function that asks for their hash. */
async function withSources(t: ExecutionContext): Promise<{readonly context: Context; readonly hashed: () => number; readonly ask: () => string}> {
	const context = await isolated();
	t.teardown(async () => context[Symbol.asyncDispose]());
	writeTree(context.root, {'a.ts': 'one', 'room/b.ts': 'two', 'dist/.keep': ''});
	await sleep(2100);
	let count = 0;
	return {
		context,
		hashed: () => count,
		ask: () => hashUnlessUnchanged(names, {
			note: 'dist/.files', context,
			hash() {
				count++;
				return `${names.map(name => fs.readFileSync(path.join(context.root, name), 'utf8')).join(' ')}\n`;
			},
		}),
	};
}

test('files that have not changed are read once', async t => {
	const {ask, hashed, context} = await withSources(t);
	t.deepEqual([ask(), ask(), ask()], ['one two\n', 'one two\n', 'one two\n']);
	t.is(hashed(), 1);
	t.deepEqual(fs.readdirSync(path.join(context.root, 'dist')).toSorted(), ['.files', '.keep']);
});

const changes: ReadonlyArray<readonly [title: string, change: (root: string) => void, expected: string]> = [
	['that keeps size and modification time', root => {
		const file = path.join(root, 'a.ts');
		const {atime, mtime} = fs.statSync(file);
		fs.writeFileSync(file, 'six');
		fs.utimesSync(file, atime, mtime);
	}, 'six two\n'],
	['by another file in its place', root => {
		const file = path.join(root, 'room/b.ts');
		const {atime, mtime} = fs.statSync(file);
		fs.writeFileSync(`${file}.new`, 'ten');
		fs.utimesSync(`${file}.new`, atime, mtime);
		fs.renameSync(`${file}.new`, file);
	}, 'one ten\n'],
];

for (const [title, change, expected] of changes) {
	test(`a change ${title} is noticed, also a second one in the same moment`, async t => {
		const {ask, hashed, context} = await withSources(t);
		ask();
		change(context.root);
		t.is(ask(), expected);
		t.is(hashed(), 2);
		// The file is younger than a tick: the note that was written now proves nothing.
		fs.writeFileSync(path.join(context.root, 'a.ts'), 'own');
		t.true(ask().startsWith('own'));
		ask();
		t.is(hashed(), 4);
	});
}

test('a list with another file is another list', async t => {
	const {ask, context} = await withSources(t);
	ask();
	const hash = (): string => 'three\n';
	t.is(hashUnlessUnchanged(names.slice(0, 1), {note: 'dist/.files', context, hash}), 'three\n');
});

for (const [title, text] of [['is empty', ''], ['is cut off', 'one two\n1 2 3'], ['has only the hash', 'one two\n']] as const) {
	test(`a note that ${title} counts for nothing`, async t => {
		const {ask, hashed, context} = await withSources(t);
		fs.writeFileSync(path.join(context.root, 'dist/.files'), text);
		t.is(ask(), 'one two\n');
		ask();
		t.is(hashed(), 1);
	});
}

test('without a place for the note, the files are read each time', async t => {
	const {ask, hashed, context} = await withSources(t);
	fs.rmSync(path.join(context.root, 'dist'), {recursive: true});
	t.deepEqual([ask(), ask()], ['one two\n', 'one two\n']);
	t.is(hashed(), 2);
});

test('a file that is gone is an error', async t => {
	const {ask, context} = await withSources(t);
	fs.rmSync(path.join(context.root, 'a.ts'));
	t.throws(ask, {code: 'ENOENT'});
});
