/** The thread of the rule tools starts before the command line is loaded, and a command works without that as well. */

import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';

const launcher = path.resolve('scripts/testbed.cjs');

/** Notes in a file which thread programs are started, and when the command line is loaded. `FAILS`: the first thread does nothing and reports an error, before the command line has had time for anything. */
const watcher = `const fs = require('node:fs');
const path = require('node:path');
const threads = require('node:worker_threads');
const vm = require('node:vm');
if (threads.isMainThread && process.argv[1] === process.env.WATCHED) {
	let count = 0;
	const note = line => fs.appendFileSync(process.env.NOTES, line + '\\n');
	const {Worker} = threads;
	threads.Worker = class extends Worker {
		constructor(program, options) {
			note('thread ' + path.basename(String(program)));
			const fails = process.env.FAILS === '1' && ++count === 1;
			super(fails ? '' : program, {...options, ...(fails ? {eval: true} : {})});
			if (fails) {
				process.nextTick(() => this.emit('error', new Error('no')));
			}
		}
	};
	const {Script} = vm;
	vm.Script = class extends Script {
		constructor(text, options) {
			note('bundle ' + path.basename(options.filename));
			super(text, options);
		}
	};
}
`;

type Noted = {readonly notes: readonly string[]; readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string};

async function notesOf(t: ExecutionContext, argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Noted> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	t.teardown(cleanup);
	const [preload, notes] = [path.join(folder, 'watcher.cjs'), path.join(folder, 'notes')];
	writeFileSync(preload, watcher);
	writeFileSync(notes, '');
	const {exitCode, stdout, stderr} = await execa(process.execPath, ['--require', preload, launcher, ...argv], {reject: false, env: {WATCHED: launcher, NOTES: notes, ...environment}});
	return {
		notes: readFileSync(notes, 'utf8').trim().split('\n'), exitCode, stdout, stderr,
	};
}

test('it is the first thing that a run loads, and the only such thread', async t => {
	const {notes, exitCode, stdout, stderr} = await notesOf(t, ['run', '--types', '1']);
	t.is(exitCode, 0, stderr);
	t.regex(stdout, /\n {2}1 passed, 0 failed/u);
	t.deepEqual(notes, ['thread tool-thread.js', 'bundle cli.js']);
});

test('if it fails before it is used, the command starts another', async t => {
	const {notes, exitCode, stdout, stderr} = await notesOf(t, ['run', '--types', '1'], {FAILS: '1'});
	t.is(exitCode, 0, stderr);
	t.is(stderr, '');
	t.regex(stdout, /\n {2}1 passed, 0 failed/u);
	t.deepEqual(notes, ['thread tool-thread.js', 'bundle cli.js', 'thread tool-thread.js']);
});

test('a command that is refused ends with its own status, although the thread still loads', async t => {
	for (const argv of [['run', '--no-such-option'], ['run', '--rules', '/no/such/file'], ['probe']]) {
		const {notes, exitCode, stderr} = await notesOf(t, argv); // eslint-disable-line no-await-in-loop -- One after the other is enough.
		t.is(exitCode, 2, stderr);
		t.deepEqual(notes, ['thread tool-thread.js', 'bundle cli.js']);
	}
});
