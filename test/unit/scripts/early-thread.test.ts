/** Which command lines have the thread of the rule tools started before they are loaded, and what happens to that thread. */

import fs from 'node:fs';
import path from 'node:path';
import {once} from 'node:events';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {
	isolated, load, root, writeTree,
} from './_setup.js';

const {startEarlyThread} = load('early-thread');

/** Like the thread itself: it loads, then waits for its first message. */
const waits = `const {parentPort, workerData} = require('node:worker_threads');
Atomics.store(workerData.loading, 0, 1);
Atomics.notify(workerData.loading, 0);
parentPort.on('message', message => parentPort.postMessage(message));
`;

/** A folder with a program in the place of the thread's. */
async function withThread(t: ExecutionContext, text: string): Promise<string> {
	const context = await isolated();
	t.teardown(async () => context[Symbol.asyncDispose]());
	writeTree(context.root, {'dist/bin/package.json': '{"type": "commonjs"}', 'dist/bin/tool-thread.js': text});
	return context.root;
}

for (const [argv, does] of [
	[[], true],
	[['--backend', 'all'], true],
	[['run', '--types', '1'], true],
	[['probe', '--to', 'pod:80'], true],
	[['diff', 'release:1.29', 'release:1.30'], true],
	[['lesson'], true],
	[['run', '--keep'], true],
	[['run', '--help'], false],
	[['run', '--check'], false],
	[['run', '--list'], false],
	[['mutate', '--print', '3'], false],
	[['serve'], false],
	[['enter', 'app'], false],
	[['clean'], false],
	[['doctor'], false],
	[['rules'], false],
	[['--version'], false],
] as const) {
	test(`${does ? 'early' : 'later, or never'}: testbed ${argv.join(' ')}`, async t => {
		const folder = await withThread(t, waits);
		const early = startEarlyThread({root: folder, argv, uid: 0});
		t.is(early !== undefined, does);
		await early?.worker.terminate();
	});
}

test('a user\'s command becomes another process first, and an incomplete checkout has no thread', async t => {
	const folder = await withThread(t, waits);
	t.is(startEarlyThread({root: folder, argv: ['run'], uid: 1000}), undefined);
	fs.rmSync(path.join(folder, 'dist/bin/tool-thread.js'));
	t.is(startEarlyThread({root: folder, argv: ['run'], uid: 0}), undefined);
});

test('a message that is sent before the thread listens reaches it', async t => {
	const {worker} = startEarlyThread({root: await withThread(t, `setTimeout(() => {${waits}}, 100);`), argv: ['run'], uid: 0})!;
	worker.postMessage('first');
	worker.ref();
	t.deepEqual(await once(worker, 'message'), ['first']);
	await worker.terminate();
});

test('a thread that fails is noted, and nobody is told', async t => {
	const early = startEarlyThread({root: await withThread(t, 'throw new Error("no");'), argv: ['run'], uid: 0})!;
	t.false(early.failed);
	early.worker.ref();
	await new Promise(resolve => {
		early.worker.once('exit', resolve);
	});
	t.true(early.failed);
});

const caller = `const {startEarlyThread} = require(${JSON.stringify(path.join(root, 'scripts/setup/early-thread.cjs'))});
const early = startEarlyThread({root: process.argv[1], argv: ['run'], uid: 0});
if (process.argv[2] === 'online') {
	early.worker.ref();
	early.worker.once('online', () => process.exit(7));
} else {
	process.exitCode = 7;
}
`;

for (const end of ['at once', 'online']) {
	test(`a process that ends ${end} lets the thread load, and does not wait for more`, async t => {
		const folder = await withThread(t, `const {writeFileSync} = require('node:fs');
			const until = Date.now() + 100;
			while (Date.now() < until);
			writeFileSync(require('node:path').join(__dirname, 'loaded'), '');
			${waits}`);
		const {exitCode, stderr} = await execa(process.execPath, ['-e', caller, folder, end], {reject: false});
		t.is(exitCode, 7, stderr);
		t.is(stderr, '');
		t.true(fs.existsSync(path.join(folder, 'dist/bin/loaded')));
	});
}

test('a thread that failed does not hold up the end of the process', async t => {
	const folder = await withThread(t, 'throw new Error("no");');
	const {exitCode, stderr} = await execa(process.execPath, ['-e', `${caller}early.worker.ref(); early.worker.once('exit', () => { process.once('exit', () => { console.error(early.failed); }); });`, folder], {reject: false});
	t.is(exitCode, 7);
	t.is(stderr, 'true');
});

test('without another thread to have, there is none early', async t => {
	const folder = await withThread(t, waits);
	const text = `const threads = require('node:worker_threads');
		threads.Worker = class { constructor() { throw new Error('Worker initialization failure: EAGAIN'); } };
		const {startEarlyThread} = require(${JSON.stringify(path.join(root, 'scripts/setup/early-thread.cjs'))});
		console.log(startEarlyThread({root: process.argv[1], argv: ['run'], uid: 0}));`;
	const {stdout} = await execa(process.execPath, ['-e', text, folder]);
	t.is(stdout, 'undefined');
});
