/** A program that is not done does not end with status 0. */

import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {root} from './_setup.js';

async function endOf(main: string) {
	return execa(process.execPath, ['-e', `require(${JSON.stringify(path.join(root, 'scripts/setup/run-to-end.cjs'))}).runToEnd(${main})`], {reject: false});
}

test('the status of a program that is done', async t => {
	for (const status of [0, 1, 3]) {
		const {exitCode, stderr} = await endOf(`async () => ${status}`); // eslint-disable-line no-await-in-loop -- Three of them.
		t.is(exitCode, status);
		t.is(stderr, '');
	}
});

test('goes red: a program that waits for what never comes', async t => {
	const {exitCode, stderr} = await endOf('async () => { await new Promise(() => {}); return 0; }');
	t.is(exitCode, 3);
	t.regex(stderr, /^testbed: Internal error: the program ended while it was still waiting for something\.\nThis run proves nothing\.$/mu);
});

test('a program that ends the process itself keeps its status', async t => {
	const {exitCode, stderr} = await endOf('async () => { process.exit(4); }');
	t.is(exitCode, 4);
	t.is(stderr, '');
});

test('a program that has ended does not wait for what is left, and loses nothing that it wrote', async t => {
	const bytes = 3_000_000;
	const program = `
		const {endProcess, runToEnd} = require(${JSON.stringify(path.join(root, 'scripts/setup/run-to-end.cjs'))});
		setTimeout(() => {}, 600_000);
		runToEnd(async () => {
			await new Promise(resolve => { process.stdout.write('x'.repeat(${bytes}), resolve); });
			process.stderr.write('y'.repeat(${bytes}));
			return 1;
		}).then(endProcess);
	`;
	const {exitCode, stdout, stderr} = await execa(process.execPath, ['-e', program], {reject: false, timeout: 60_000});
	t.is(exitCode, 1);
	t.is(stdout.length, bytes);
	t.is(stderr.length, bytes);
});
