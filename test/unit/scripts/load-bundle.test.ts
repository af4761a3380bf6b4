/** Bundles load from compiled code of an earlier start, and never from that of another source. */

import {Buffer} from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {isolated, load, writeTree} from './_setup.js';

const {loadBundle, useOf} = load('load-bundle');

const source = `module.exports = {
	answer: () => 1111,
	name: require('node:path').basename(__filename),
	imported: () => import('./other.mjs'),
	sibling: () => require('./sibling.js'),
};
`;

/** A folder with a bundle and two files beside it. */
async function withBundle(t: ExecutionContext): Promise<{readonly file: string; readonly cache: string}> {
	const context = await isolated();
	t.teardown(async () => context[Symbol.asyncDispose]());
	writeTree(context.root, {
		'dist/bin/package.json': '{"type": "commonjs"}', 'dist/bin/cli.js': source, 'dist/bin/other.mjs': 'export const value = 3;\n', 'dist/bin/sibling.js': 'module.exports = 4;\n',
	});
	return {file: path.join(context.root, 'dist/bin/cli.js'), cache: path.join(context.root, 'dist/.compiled/cli.js.run.cache')};
}

type Exports = {readonly answer: () => number; readonly name: string; readonly imported: () => Promise<{readonly value: number}>; readonly sibling: () => number};

function answerOf(file: string): number {
	return (loadBundle(file, 'run').exports as Exports).answer();
}

/** Loads a bundle, calls its function, and writes the compiled code. */
function loadAndSave(file: string): boolean {
	const {exports, save} = loadBundle(file, 'run');
	(exports as Exports).answer();
	return save();
}

test('a bundle is a module: it requires, imports and knows its file, with compiled code and without', async t => {
	const {file} = await withBundle(t);
	for (const isFirst of [true, false]) {
		const {exports, save} = loadBundle(file, 'run');
		const bundle = exports as Exports;
		t.is(bundle.answer(), 1111);
		t.is(bundle.name, 'cli.js');
		t.is(bundle.sibling(), 4);
		const {value} = await bundle.imported(); // eslint-disable-line no-await-in-loop -- One after the other is what is tried.
		t.is(value, 3);
		t.is(save(), isFirst, 'compiled code is written once');
	}
});

test('nothing is left beside the compiled code', async t => {
	const {file, cache} = await withBundle(t);
	loadAndSave(file);
	t.deepEqual(fs.readdirSync(path.dirname(cache)), ['cli.js.run.cache']);
	t.deepEqual(fs.readdirSync(path.dirname(file)).toSorted(), ['cli.js', 'other.mjs', 'package.json', 'sibling.js']);
});

test('a changed bundle of the same length is not run with the old code', async t => {
	const {file, cache} = await withBundle(t);
	loadAndSave(file);
	const before = fs.readFileSync(cache);
	fs.writeFileSync(file, source.replace('1111', '2222'));
	t.is(answerOf(file), 2222);
	t.true(loadAndSave(file));
	t.notDeepEqual(fs.readFileSync(cache), before);
	t.is(answerOf(file), 2222);
});

for (const [title, damage] of [
	['cut off', (bytes: Buffer) => bytes.subarray(0, -1)],
	['empty', () => Buffer.alloc(0)],
	['changed in one byte', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])])],
] as const) {
	test(`compiled code that is ${title} is written again`, async t => {
		const {file, cache} = await withBundle(t);
		loadAndSave(file);
		const whole = fs.readFileSync(cache);
		fs.writeFileSync(cache, damage(whole));
		t.is(answerOf(file), 1111);
		t.true(loadAndSave(file));
		t.is(fs.readFileSync(cache).length, whole.length);
	});
}

test('without a place for the compiled code, the bundle runs as it is', async t => {
	const {file, cache} = await withBundle(t);
	fs.writeFileSync(path.dirname(cache), 'a file where the folder should be');
	t.true(loadAndSave(file));
	t.is(answerOf(file), 1111);
	t.is(fs.readFileSync(path.dirname(cache), 'utf8'), 'a file where the folder should be');
});

test('each use has compiled code of its own', async t => {
	const {file, cache} = await withBundle(t);
	loadAndSave(file);
	const {save} = loadBundle(file, 'probe');
	t.true(save(), 'the code of `run` is not that of `probe`');
	t.deepEqual(fs.readdirSync(path.dirname(cache)).toSorted(), ['cli.js.probe.cache', 'cli.js.run.cache']);
});

test('a command line uses the code of its command; what is over in a moment shares one', t => {
	const uses = [[], ['scenarios/a.yaml'], ['--json'], ['run', '--json'], ['mutate', 'x'], ['run', '--help'], ['--version'], ['rules'], ['unknown'], ['../escape']].map(argv => useOf(argv));
	t.deepEqual(uses, ['run', 'other', 'run', 'run', 'mutate', 'other', 'other', 'other', 'other', 'other']);
});
