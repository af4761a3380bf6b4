/** Commands whose output cannot be written: a reader that closes is not an error, a full disk is an error with a message, and standard error does not matter. Internal errors end with a message as well. */

import path from 'node:path';
import process from 'node:process';
import {writeFileSync} from 'node:fs';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import type {Ended} from './_cli.js';

const launcher = path.resolve('scripts/run.cjs');
const recording = path.resolve('test/recordings/run-1-iptables-nft.testbed');

/** Runs the testbed in a shell that has its arguments as "$@"; `clean` of a run in a mount namespace finds only what is there. */
async function inShell(script: string, given: readonly string[]): Promise<Ended> {
	const {exitCode, signal, stdout, stderr} = await execa('unshare', ['--mount', 'bash', '-c', `mount -t tmpfs tmpfs /run\n${script}`, 'bash', process.execPath, launcher, 'testbed', ...given], {
		reject: false, stripFinalNewline: false, input: '{"to": "remote:8080"}\n',
	});
	return {
		exitCode, signal, stdout: String(stdout), stderr: String(stderr),
	};
}

/** Every command that prints on standard output, with what makes it short. All end with 0. */
const commands: ReadonlyArray<readonly string[]> = [
	['--help'],
	['help', 'run'],
	['baseline', 'check', '--help'],
	['--version'],
	['doctor'],
	['doctor', '--format', 'json'],
	['clean'],
	['rules'],
	['rules', '--explain'],
	['replay', recording, '--verbose'],
	['mutate', '--print', '1'],
	['run', '--types', '1'],
	['probe', '--to', 'remote:8080', '--first-leg'],
	['probe', '--batch', '-', '--family', 'ipv4'],
	['diff', 'release:1.30', 'release:1.30', '--family', 'ipv4'],
	['baseline', 'create', '--family', 'ipv4'],
];

function isOneSentence(t: ExecutionContext, stderr: string, title: string): void {
	t.notRegex(stderr, /^\s+at |node:|Error:/mu, `${title}: a stack is no message`);
	t.true(stderr.length < 1000, `${title}: ${stderr.length} characters on stderr`);
}

/** Two at a time: each is a process, and there are two cores. */
async function forEach<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
	const queue = [...items];
	await Promise.all([1, 2].map(async () => {
		for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
			await act(next); // eslint-disable-line no-await-in-loop -- One after the other.
		}
	}));
}

test('standard output is full: every command ends with status 2 and one sentence', async t => {
	await forEach(commands, async given => {
		const {exitCode, stderr} = await inShell('"$@" >/dev/full', given);
		const title = given.join(' ');
		t.is(exitCode, 2, `${title}\n${stderr}`);
		t.regex(stderr, /^testbed: The report cannot be written to standard output: no space left on device\.$/mu, title);
		isOneSentence(t, stderr, title);
	});
});

test('the reader of standard output is gone: the command keeps its own status and prints nothing about it', async t => {
	await forEach(commands, async given => {
		// The reader closes its end before it does anything else. In bash, `$PIPESTATUS` is the status of the first part.
		const {stdout, stderr} = await inShell('"$@" | { exec <&-; true; }; echo "$PIPESTATUS"', given);
		const title = given.join(' ');
		t.is(stdout, '0\n', `${title}\n${stderr}`);
		isOneSentence(t, stderr, title);
	});
});

test('the same for a status that is not 0', async t => {
	const {stdout} = await inShell('"$@" | true; echo "$PIPESTATUS"', ['rules', '--diff', 'release:1.30 -u 2000']);
	t.is(stdout, '1\n');
});

/** Commands that take longer than a second, so that progress is shown. */
const long = ['baseline', 'create', '--family', 'ipv4'];

for (const [title, redirection] of [['full', '2>/dev/full'], ['closed', '2>&-'], ['a pipe that nobody reads', '2> >(exec <&-)']] as const) {
	test(`standard error is ${title}: the result is the same`, async t => {
		const {exitCode, stdout} = await inShell(`"$@" ${redirection}`, long);
		t.is(exitCode, 0);
		t.regex(stdout, /"kind": "sidecar-netfilter-baseline"/u);
		const refused = await inShell(`"$@" ${redirection}`, ['run', '--types', '7']);
		t.deepEqual([refused.exitCode, refused.stdout], [2, '']);
	});
}

/** A program that runs the testbed with a planted bug. */
async function faulty(fault: string, given: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const file = path.join(folder, 'faulty.mjs');
	writeFileSync(file, `import process from 'node:process';
import {main} from ${JSON.stringify(path.resolve('dist/testbed/cli/main.js'))};
${fault}
process.exitCode = await main(process.argv.slice(2));
`);
	const {exitCode, signal, stdout, stderr} = await execa(process.execPath, [file, ...given], {reject: false, env});
	await cleanup();
	return {
		exitCode, signal, stdout: String(stdout), stderr: String(stderr),
	};
}

/** Errors that occur while a thread reads the trace, in the middle of a run. */
const faults = {
	'an exception that nobody catches': 'process.once(\'worker\', () => setImmediate(() => { throw new TypeError(\'planted\'); }));',
	'a rejection that nobody handles': 'process.once(\'worker\', () => { Promise.reject(new TypeError(\'planted\')); });',
	'an exception on the way': 'process.getuid = () => 0; const {stringify} = JSON; JSON.stringify = (value, ...rest) => { if (value?.summary !== undefined) { throw new TypeError(\'planted\'); } return stringify(value, ...rest); };',
} as const;

for (const [title, fault] of Object.entries(faults)) {
	test(`an internal error: ${title}. Status 3, one sentence, what to report; the stack on request`, async t => {
		const given = ['run', '--types', '1', '--format', 'json'];
		const {exitCode, stdout, stderr} = await faulty(fault, given);
		t.is(exitCode, 3, stderr);
		t.is(stdout, '');
		t.regex(stderr, /^testbed: Internal error: planted\nThis run proves nothing\.\n→ This is a bug in the testbed\. Please report it .*testbed run --types 1 --format json.*Node \d/mu);
		isOneSentence(t, stderr, title);
		const told = await faulty(fault, given, {TESTBED_DEBUG: '1'});
		t.is(told.exitCode, 3);
		t.regex(told.stderr, /^TypeError: planted\n\s+at /mu);
	});
}
