/** Output files: only regular files are replaced, refusals come before the run, and a file is either complete or unchanged. */

import {
	chmodSync, closeSync, linkSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {TestbedError} from '../../../../testbed/errors.js';
import {checkOutputs} from '../../../../testbed/outputs/check.js';
import {identityOf, targetOf} from '../../../../testbed/outputs/target.js';
import {appendOutput, writeOutput} from '../../../../testbed/outputs/write.js';

const words = {what: 'The report', state: 'The run itself is complete.'};

/** Runs a test in a folder of its own. */
async function inFolder(act: (at: (name: string) => string, folder: string) => Promise<void>): Promise<void> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	try {
		await act(name => path.join(folder, name), folder);
	} finally {
		await cleanup();
	}
}

test('a new file, and one that replaces another and keeps its mode; no draft is left', async t => {
	await inFolder(async (at, folder) => {
		await writeOutput(at('new'), 'one', words);
		writeFileSync(at('old'), 'before, and longer');
		chmodSync(at('old'), 0o640);
		await writeOutput(at('old'), 'two', words);
		t.is(readFileSync(at('new'), 'utf8'), 'one');
		t.is(readFileSync(at('old'), 'utf8'), 'two');
		t.is(statSync(at('old')).mode & 0o7777, 0o640);
		t.deepEqual(readdirSync(folder).toSorted(), ['new', 'old']);
	});
});

test('a link stays a link, and its target is written, even if it does not exist yet', async t => {
	await inFolder(async at => {
		mkdirSync(at('elsewhere'));
		writeFileSync(at('elsewhere/real'), 'before');
		symlinkSync('elsewhere/real', at('direct'));
		symlinkSync(at('direct'), at('twice'));
		symlinkSync('elsewhere/none', at('dangling'));
		symlinkSync('elsewhere', at('folder'));
		await writeOutput(at('twice'), 'one', words);
		await writeOutput(at('dangling'), 'two', words);
		await writeOutput(at('folder/three'), 'three', words);
		for (const name of ['direct', 'twice', 'dangling', 'folder']) {
			t.true(lstatSync(at(name)).isSymbolicLink(), name);
		}

		t.is(readlinkSync(at('dangling')), 'elsewhere/none');
		t.deepEqual(['real', 'none', 'three'].map(name => readFileSync(at(`elsewhere/${name}`), 'utf8')), ['one', 'two', 'three']);
		t.deepEqual(readdirSync(at('elsewhere')).toSorted(), ['none', 'real', 'three']);
	});
});

test('a file with two names keeps both', async t => {
	await inFolder(async at => {
		writeFileSync(at('one'), 'before, and longer');
		linkSync(at('one'), at('other'));
		await writeOutput(at('one'), 'after', words);
		t.is(readFileSync(at('other'), 'utf8'), 'after');
		t.is(statSync(at('one')).ino, statSync(at('other')).ino);
	});
});

test('a FIFO is written to, whether its reader is there or comes later, even with more than it can hold', async t => {
	await inFolder(async at => {
		await execa('mkfifo', [at('fifo')]);
		const text = 'x'.repeat(1 << 20);
		const written = writeOutput(at('fifo'), text, words);
		const {stdout} = await execa('cat', [at('fifo')], {maxBuffer: 1 << 24});
		await written;
		t.is(stdout.length, text.length);
		t.true(lstatSync(at('fifo')).isFIFO());
	});
});

test('a reader of a FIFO may stop reading early', async t => {
	await inFolder(async at => {
		await execa('mkfifo', [at('fifo')]);
		const reader = execa('head', ['-c', '10', at('fifo')]);
		await writeOutput(at('fifo'), 'y'.repeat(1 << 20), words);
		const {stdout} = await reader;
		t.is(stdout, 'y'.repeat(10));
	});
});

test('a descriptor of our own is written to at its current position', async t => {
	await inFolder(async at => {
		writeFileSync(at('log'), 'before\n');
		const fd = openSync(at('log'), 'a');
		await writeOutput(`/dev/fd/${fd}`, 'one\n', words);
		await writeOutput(`/proc/self/fd/${fd}`, 'two\n', words);
		closeSync(fd);
		t.is(readFileSync(at('log'), 'utf8'), 'before\none\ntwo\n');
	});
});

test('a device receives what it accepts, and stays a device', async t => {
	await writeOutput('/dev/null', 'text', words);
	t.true(lstatSync('/dev/null').isCharacterDevice());
	const error = await t.throwsAsync(writeOutput('/dev/full', 'text', words), {instanceOf: TestbedError, code: 'INPUT'});
	t.is(error.message, 'The report cannot be written to /dev/full: no space left on device.');
	t.is(error.state, 'The run itself is complete.');
	t.true(lstatSync('/dev/full').isCharacterDevice());
});

test('appending adds to a file and to a device, and makes a file where none is', async t => {
	await inFolder(async at => {
		writeFileSync(at('summary'), 'one\n');
		symlinkSync('summary', at('link'));
		await appendOutput(at('link'), 'two\n', words);
		await appendOutput(at('new'), 'three\n', words);
		await appendOutput('/dev/null', 'four\n', words);
		t.is(readFileSync(at('summary'), 'utf8'), 'one\ntwo\n');
		t.is(readFileSync(at('new'), 'utf8'), 'three\n');
		t.true(lstatSync(at('link')).isSymbolicLink());
	});
});

/** What is refused, with the reason. `make` gets it ready and names it. */
const refused: ReadonlyArray<{readonly title: string; readonly make: (at: (name: string) => string) => string; readonly reason: RegExp}> = [
	{
		title: 'a file without write permission', reason: /it is read-only \(mode 0444\)/u,
		make(at) {
			writeFileSync(at('locked'), 'before');
			chmodSync(at('locked'), 0o444);
			return at('locked');
		},
	},
	{
		title: 'a link to one', reason: /it is read-only \(mode 0400\)/u,
		make(at) {
			writeFileSync(at('locked'), 'before');
			chmodSync(at('locked'), 0o400);
			symlinkSync('locked', at('link'));
			return at('link');
		},
	},
	{title: 'a folder', reason: /it is a folder/u, make: at => at('.')},
	{title: 'the name of a folder', reason: /it names a folder/u, make: at => at('none/')},
	{title: 'a folder that is not there', reason: /the folder .*\/none does not exist\./u, make: at => at('none/report')},
	{
		title: 'a file in the place of a folder', reason: /not a directory/u,
		make(at) {
			writeFileSync(at('file'), '');
			return at('file/report');
		},
	},
	{
		title: 'a link into a folder that is not there', reason: /the folder .*\/none does not exist\./u,
		make(at) {
			symlinkSync('none/report', at('dangling'));
			return at('dangling');
		},
	},
	{
		title: 'links in a circle', reason: /too many/u,
		make(at) {
			symlinkSync('two', at('one'));
			symlinkSync('one', at('two'));
			return at('one');
		},
	},
	{title: 'a descriptor that nobody opened', reason: /descriptor 987 is not open/u, make: () => '/dev/fd/987'},
	{title: 'a descriptor of another process', reason: /descriptor of another process/u, make: () => `/proc/${process.ppid}/fd/0`},
	{
		title: 'a descriptor for reading', reason: /open for reading only/u,
		make(at) {
			writeFileSync(at('read'), 'before');
			return `/dev/fd/${openSync(at('read'), 'r')}`; // Closed with this process.
		},
	},
	{title: 'a name that is too long', reason: /name too long/u, make: at => at('x'.repeat(300))},
];

test('an output without a name, as an unset variable gives it', t => {
	t.throws(() => {
		checkOutputs([{name: '--output', what: 'The report', file: ''}], []);
	}, {instanceOf: TestbedError, code: 'USAGE', message: '--output is empty (an unset variable?).'});
});

for (const {title, make, reason} of refused) {
	test(`refused before the run, and after it with the same words: ${title}`, async t => {
		await inFolder(async (at, folder) => {
			const file = make(at);
			const before = readdirSync(folder).toSorted();
			const early = t.throws(() => {
				checkOutputs([{name: '--output', what: 'The report', file}], []);
			}, {instanceOf: TestbedError, code: 'INPUT'});
			t.regex(early.message, /^The report cannot be written to /u);
			t.regex(early.message, reason);
			t.is(early.state, 'Nothing was run.');
			const late = await t.throwsAsync(writeOutput(file, 'text', words), {instanceOf: TestbedError, code: 'INPUT'});
			t.is(late.message, early.message);
			t.deepEqual(readdirSync(folder).toSorted(), before);
		});
	});
}

test('a check leaves nothing behind and changes nothing', async t => {
	await inFolder(async (at, folder) => {
		writeFileSync(at('old'), 'before');
		checkOutputs([{name: '--output', what: 'The report', file: at('old')}, {name: '--record', what: 'The recording', file: at('new')}], []);
		t.is(readFileSync(at('old'), 'utf8'), 'before');
		t.deepEqual(readdirSync(folder), ['old']);
	});
});

test('an output is neither an input nor another output, whatever its name', async t => {
	await inFolder(async at => {
		writeFileSync(at('rules'), 'rules');
		symlinkSync('rules', at('link'));
		linkSync(at('rules'), at('hard'));
		mkdirSync(at('folder'));
		symlinkSync('folder', at('way'));
		const inputs = [{name: '--rules', file: at('rules')}];
		for (const name of ['rules', 'link', 'hard', 'folder/../rules']) {
			t.throws(() => {
				checkOutputs([{name: '--output', what: 'The report', file: at(name)}], inputs);
			}, {instanceOf: TestbedError, code: 'USAGE', message: /^--output would overwrite the file that --rules reads: /u}, name);
		}

		for (const [one, other] of [['new', 'new'], ['folder/new', 'way/new'], ['rules', 'hard']] as const) {
			t.throws(() => {
				checkOutputs([{name: '--output', what: 'The report', file: at(one)}, {name: '--record', what: 'The recording', file: at(other)}], []);
			}, {instanceOf: TestbedError, code: 'USAGE', message: /^--record and --output are the same file: /u}, `${one} ${other}`);
		}

		t.notThrows(() => {
			checkOutputs([{name: '--output', what: 'The report', file: '/dev/null'}, {name: '--record', what: 'The recording', file: '/dev/null'}], [{name: '--rules', file: '/dev/null'}]);
			checkOutputs([{name: '--output', what: 'The report', file: at('one')}, {name: '--record', what: 'The recording', file: at('two')}], [...inputs, {name: '--rules6', file: at('not there')}]);
		});
		t.is(identityOf(targetOf(at('none/x'))), undefined);
	});
});

test('an output that matters less than the run is not reported before it', async t => {
	await inFolder(async at => {
		const summary = {
			name: 'GITHUB_STEP_SUMMARY', what: 'The summary', file: at('none/summary'), isLenient: true,
		};
		t.notThrows(() => {
			checkOutputs([summary], []);
		});
		t.throws(() => {
			checkOutputs([{name: '--output', what: 'The report', file: at('same')}, {...summary, file: at('same')}], []);
		}, {code: 'USAGE'});
	});
});
