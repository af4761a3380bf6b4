/** Output files of the command line: devices, links and read-only files stay what they are, inputs stay intact, and outputs that cannot be written are reported before anything is sent. */

import {
	chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {testbed, type Ended} from './_cli.js';
import {defaultDump, systemPath} from './_run.js';

const launcher = path.resolve('scripts/run.cjs');
const recording = path.resolve('test/recordings/run-1-iptables-nft.testbed');
const cleaned: Array<() => Promise<void>> = [];

test.after.always(async () => {
	await Promise.all(cleaned.map(async cleanup => cleanup()));
});

/** A folder for one test; `at` names a file in it. */
async function folder(): Promise<(name: string) => string> {
	const {path: place, cleanup} = await dir({unsafeCleanup: true});
	cleaned.push(cleanup);
	return name => path.join(place, name);
}

/** Writes a report without asking the kernel. */
async function replayTo(output: string, ...more: readonly string[]): Promise<Ended> {
	return testbed(['replay', recording, '--output', output, ...more]);
}

test('output to a device: to one that accepts everything, and to one that is full', async t => {
	const at = await folder();
	await execa('mknod', [at('null'), 'c', '1', '3']);
	await execa('mknod', [at('full'), 'c', '1', '7']);
	const taken = await replayTo(at('null'));
	t.deepEqual([taken.exitCode, taken.stdout, taken.stderr], [0, '', '']);
	const full = await replayTo(at('full'));
	t.is(full.exitCode, 2);
	t.is(full.stderr, `testbed: The report cannot be written to ${at('full')}: no space left on device.\nThe run itself is complete.\n`);
	for (const name of ['null', 'full']) {
		t.true(lstatSync(at(name)).isCharacterDevice(), name);
	}
});

test('a baseline is written through a link and to a device; a read-only one is not replaced', async t => {
	const at = await folder();
	await execa('mknod', [at('full'), 'c', '1', '7']);
	writeFileSync(at('real.json'), 'before');
	chmodSync(at('real.json'), 0o600);
	symlinkSync('real.json', at('link.json'));
	const recorded = await testbed(['baseline', 'create', '--family', 'ipv4', '--output', at('link.json')]);
	t.is(recorded.exitCode, 0, recorded.stderr);
	t.true(lstatSync(at('link.json')).isSymbolicLink());
	t.is(statSync(at('real.json')).mode & 0o7777, 0o600);
	const baseline = readFileSync(at('real.json'), 'utf8');
	t.regex(baseline, /sidecar-netfilter-baseline/u);

	const full = await testbed(['baseline', 'create', '--family', 'ipv4', '--output', at('full')]);
	t.is(full.exitCode, 2);
	t.regex(full.stderr, /The baseline cannot be written to .*full: no space left on device\./u);
	t.true(lstatSync(at('full')).isCharacterDevice());

	chmodSync(at('real.json'), 0o444);
	const updated = await testbed(['baseline', 'check', at('link.json'), '--update']);
	t.is(updated.exitCode, 2);
	t.regex(updated.stderr, /^testbed: The baseline cannot be written to .*link\.json: it is read-only \(mode 0444\)\.\nNothing was run\.\n$/u);
	t.is(updated.stdout, '');
	t.is(readFileSync(at('real.json'), 'utf8'), baseline);
	t.is(statSync(at('real.json')).mode & 0o7777, 0o444);
});

test('one run writes several reports, and all of them are checked before it', async t => {
	const at = await folder();
	const single = async (format: string): Promise<string> => {
		const {stdout} = await testbed(['replay', recording, '--format', format]);
		return stdout;
	};

	const several = await testbed(['replay', recording, '--output', `junit=${at('report.xml')}`, '--output', `markdown=${at('report.md')}`, '--output', at('report.json'), '--format', 'json']);
	t.deepEqual([several.exitCode, several.stdout, several.stderr], [0, '', '']);
	t.is(readFileSync(at('report.xml'), 'utf8'), await single('junit'));
	t.is(readFileSync(at('report.md'), 'utf8'), await single('markdown'));
	t.is(readFileSync(at('report.json'), 'utf8'), await single('json'));

	const beside = await replayTo(`tap=${at('report.tap')}`);
	t.is(beside.stdout, await single('text'));
	t.is(readFileSync(at('report.tap'), 'utf8'), await single('tap'));

	for (const [more, message] of [
		[['--output', `junit=${at('none')}/report.xml`], `The report cannot be written to ${at('none')}/report.xml: the folder ${at('none')} does not exist.`],
		[['--output', `junit=${at('same')}`, '--output', `tap=${at('same')}`], `--output tap=FILE and --output junit=FILE are the same file: ${at('same')}.`],
		[['--output', `html=${recording}`], `--output html=FILE would overwrite the file that the recording reads: ${recording}.`],
		[['--output', 'json=-'], 'Two reports would go to standard output: text and json.'],
		[['--output', 'yaml=x'], '--output yaml=x: before the equals sign, it must be text, json, html, tap, junit, markdown, github, svg or mermaid. For a file with that name: --output ./yaml=x'],
	] as const) {
		const refused = await testbed(['replay', recording, ...more]); // eslint-disable-line no-await-in-loop -- One at a time is fast enough.
		t.is(refused.exitCode, 2);
		t.is(refused.stdout, '');
		t.true(refused.stderr.startsWith(`testbed: ${message}\n`), refused.stderr);
	}

	t.false(readdirSync(at('.')).includes('same'));
});

/** Standard output under its other names. */
for (const name of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', '-']) {
	test(`--output ${name} is standard output, a pipe or a file that is appended to`, async t => {
		const at = await folder();
		const plain = await testbed(['replay', recording]);
		const named = await replayTo(name);
		t.deepEqual([named.exitCode, named.stdout], [0, plain.stdout]);
		writeFileSync(at('log'), 'before\n');
		await execa('sh', ['-c', 'exec "$0" "$@" >>"$LOG"', process.execPath, launcher, 'testbed', 'replay', recording, '--output', name], {env: {LOG: at('log')}});
		t.is(readFileSync(at('log'), 'utf8'), `before\n${plain.stdout}`);
	});
}

/** What must not be run: arguments, and what the message says. `at` has the files rules, link (to rules), hard (the same file), scenario.yaml, locked (0444), folder/. */
const refused: ReadonlyArray<{readonly given: (at: (name: string) => string) => readonly string[]; readonly message: RegExp}> = [
	{given: at => ['run', '--output', at('none/report')], message: /^testbed: The report cannot be written to .*: the folder .*none does not exist\.$/mu},
	{given: at => ['run', '--output', at('folder')], message: /cannot be written to .*folder: it is a folder/u},
	{given: at => ['run', '--output', at('locked')], message: /locked: it is read-only/u},
	{given: at => ['run', '--record', at('locked')], message: /The recording cannot be written to .*locked: it is read-only/u},
	{given: at => ['run', '--record', at('x'), '--output', at('x')], message: /--record and --output are the same file/u},
	{given: () => ['run', '--record', '/dev/stdout'], message: /--record and standard output are the same file/u},
	{given: at => ['run', '--rules', at('rules'), '--output', at('rules')], message: /--output would overwrite the file that --rules reads/u},
	{given: at => ['run', '--rules', at('rules'), '--output', at('link')], message: /--output would overwrite the file that --rules reads/u},
	{given: at => ['run', '--rules', `file:${at('rules')}`, '--record', at('hard')], message: /--record would overwrite the file that --rules reads/u},
	{given: at => ['run', at('scenario.yaml'), '--output', at('scenario.yaml')], message: /--output would overwrite the file that the scenario .* reads/u},
	{given: at => ['run', at('scenario.yaml'), '--output', at('link')], message: /--output would overwrite the file that the scenario .* reads/u},
	{given: at => ['diff', at('rules'), 'release:1.30', '--family', 'ipv4', '--output', at('rules')], message: /--output would overwrite the file that an input reads/u},
	{given: at => ['coverage', at('rules'), '--output', at('rules')], message: /--output would overwrite the file that the input reads/u},
	{given: at => ['mutate', at('rules'), '--cases', 'types', '--output', at('hard')], message: /--output would overwrite the file that the input reads/u},
	{given: at => ['baseline', 'create', at('rules'), '--family', 'ipv4', '--output', at('rules')], message: /--output would overwrite the file that the input reads/u},
	{given: at => ['baseline', 'create', '--scenarios', at('scenario.yaml'), '--output', at('scenario.yaml')], message: /--output would overwrite the file that --scenarios reads/u},
	{given: at => ['baseline', 'check', at('baseline'), '--output', at('baseline')], message: /--output would overwrite the file that the baseline reads/u},
	{given: at => ['baseline', 'check', at('baseline'), '--update', '--output', at('baseline')], message: /--update and --output are the same file/u},
	{given: at => ['replay', at('recording'), '--output', at('recording')], message: /--output would overwrite the file that the recording reads/u},
];

test('refused before the run with status 2, and nothing is changed', async t => {
	const at = await folder();
	writeFileSync(at('rules'), defaultDump());
	symlinkSync('rules', at('link'));
	linkSync(at('rules'), at('hard'));
	writeFileSync(at('scenario.yaml'), 'version: 1\nname: one\nabout: One connection.\nrules: rules\nfamilies: [ipv4]\nbackends: [iptables-nft]\nprobes:\n  - name: out\n    from: app\n    to: remote:8080\n    expect: {stops: [proxy:15001, remote:8080]}\n');
	writeFileSync(at('locked'), 'locked');
	chmodSync(at('locked'), 0o444);
	writeFileSync(at('baseline'), 'a baseline');
	writeFileSync(at('recording'), readFileSync(recording));
	mkdirSync(at('folder'));
	const names = ['rules', 'scenario.yaml', 'locked', 'baseline', 'recording'];
	const before = names.map(name => readFileSync(at(name), 'utf8'));
	const there = readdirSync(at('.')).toSorted();
	for (const {given, message} of refused) {
		const words = given(at);
		const {exitCode, stdout, stderr} = await testbed(words); // eslint-disable-line no-await-in-loop -- One after the other: all look at the same files.
		const title = words.join(' ');
		t.is(exitCode, 2, `${title}\n${stderr}`);
		t.is(stdout, '', title);
		t.regex(stderr, message, title);
		t.regex(stderr, /^Nothing was run\.$/mu, title);
		t.notRegex(stderr, /…/u, `${title}: nothing is under way`);
	}

	t.deepEqual(names.map(name => readFileSync(at(name), 'utf8')), before);
	t.deepEqual(readdirSync(at('.')).toSorted(), there);
});

test('rules from standard input cannot be an output either', async t => {
	const at = await folder();
	writeFileSync(at('rules'), defaultDump());
	const {exitCode, stderr} = await execa('sh', ['-c', 'exec "$0" "$@" <"$RULES"', process.execPath, launcher, 'testbed', 'run', '--rules', '-', '--output', at('rules')], {env: {RULES: at('rules')}, reject: false});
	t.is(exitCode, 2, stderr);
	t.regex(stderr, /--output would overwrite the file that --rules reads/u);
	t.is(readFileSync(at('rules'), 'utf8'), defaultDump());
});

test('a disk that becomes full: the old file stays complete, no draft is left, and the same for standard output', async t => {
	const at = await folder();
	mkdirSync(at('disk'));
	// A file system of 64 KiB in a mount namespace of its own; all but one page of it is taken.
	const script = `
		mount -t tmpfs -o size=64k tmpfs "$DISK"
		echo before >"$DISK/report"
		head -c 53248 /dev/zero >"$DISK/ballast"
		"$@" --output "$DISK/report"; echo "status $?"
		cat "$DISK/report"; ls -A "$DISK"
		rm "$DISK/report"
		"$@" >"$DISK/stdout"; echo "status $?"
	`;
	const {stdout, stderr} = await execa('unshare', ['--mount', 'sh', '-c', script, 'sh', process.execPath, launcher, 'testbed', 'replay', recording, '--verbose', '--format', 'json'], {reject: false, env: {DISK: at('disk'), PATH: systemPath}});
	t.is(stdout, 'status 2\nbefore\nballast\nreport\nstatus 2', stderr);
	t.regex(stderr, /^testbed: The report cannot be written to .*\/disk\/report: no space left on device\.\nThe run itself is complete\.\ntestbed: The report cannot be written to standard output: no space left on device\.$/u);
});
