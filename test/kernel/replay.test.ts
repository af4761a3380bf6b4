/** Runs are recorded and judged again by an unprivileged user, without any programs or the kernel library: identical to the byte. */

import {
	chmodSync, copyFileSync, readFileSync, statSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {backends} from '../../src/netfilter/types.js';
import {formats} from '../../testbed/cli/parsers.js';
import {testbed} from './_cli.js';

/** The user and group "nobody" of Debian (base-passwd): no rights at all. */
const nobody = 65_534;

type Ended = {readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string};

/** Replays in a folder that holds nothing but the bundle of the command line: no koffi is there to be loaded. */
async function replayAsNobody(folder: string, given: readonly string[]): Promise<Ended> {
	copyFileSync('dist/bin/cli.js', path.join(folder, 'cli.js'));
	writeFileSync(path.join(folder, 'package.json'), '{"type": "commonjs"}\n');
	writeFileSync(path.join(folder, 'start.cjs'), 'require("./cli.js").main(process.argv.slice(2)).then(status => { process.exitCode = status; });\n');
	chmodSync(folder, 0o755);
	const {exitCode, stdout, stderr} = await execa(process.execPath, ['start.cjs', ...given], {
		cwd: folder, uid: nobody, gid: nobody, env: {PATH: ''}, extendEnv: false, reject: false, stripFinalNewline: false,
	});
	return {exitCode, stdout, stderr};
}

/** Records, replays, and compares; returns the size of the recording and what was printed. */
async function recordAndReplay(t: ExecutionContext, given: readonly string[], printing: readonly string[]): Promise<Omit<Ended, 'stderr'> & {readonly bytes: number}> {
	const {path: folder, cleanup} = await dir({prefix: 'testbed-replay-', unsafeCleanup: true});
	try {
		const file = path.join(folder, 'run.testbed');
		const run = await testbed(['run', ...given, ...printing, '--record', file], {env: {GITHUB_STEP_SUMMARY: ''}});
		chmodSync(file, 0o644);
		const replayed = await replayAsNobody(folder, ['replay', 'run.testbed', ...printing]);
		t.is(replayed.stderr, '');
		t.true(run.stdout.length > 0);
		t.is(replayed.stdout, run.stdout);
		t.is(replayed.exitCode, run.exitCode);
		return {bytes: statSync(file).size, stdout: run.stdout, exitCode: run.exitCode};
	} finally {
		await cleanup();
	}
}

test.serial('nothing can be run where replays are made', async t => {
	const {path: folder, cleanup} = await dir({prefix: 'testbed-replay-', unsafeCleanup: true});
	const {exitCode, stdout, stderr} = await replayAsNobody(folder, ['run']);
	t.not(exitCode, 0);
	t.is(stdout, '');
	t.regex(stderr, /koffi/u);
	await cleanup();
});

for (const format of formats) {
	for (const backend of backends) {
		test.serial(`the six types, ${backend}, ${format}`, async t => {
			const {bytes, exitCode, stdout} = await recordAndReplay(t, ['--backend', backend], ['--format', format]);
			t.is(exitCode, 0, stdout);
			// Far below what the project allows itself.
			t.true(bytes < 20_000, `${bytes} bytes`);
		});
	}

	test.serial(`a scenario with all back ends, some of which it does not support, ${format}`, async t => {
		const {stdout} = await recordAndReplay(t, ['scenarios/foreign-rule-in-front.yaml'], ['--format', format]);
		t.regex(stdout, /written\s+for\s+iptables|unavailable/u);
	});
}

test.serial('every traversal', async t => {
	await recordAndReplay(t, ['--types', '1,4b'], ['--verbose']);
});

test.serial('both families on all back ends, with DNS capture and TPROXY', async t => {
	await recordAndReplay(t, ['--rules', 'release:1.30 --redirect-dns -m TPROXY', '--family', 'both', '--backend', 'all'], ['--format', 'json']);
});

test.serial('ambient mode', async t => {
	await recordAndReplay(t, ['--rules', 'ambient:1.30', '--family', 'both'], ['--format', 'json']);
});

test.serial('every scenario', async t => {
	const {exitCode, stdout} = await recordAndReplay(t, ['scenarios/'], ['--format', 'json']);
	t.is(exitCode, 0, stdout);
});

test.serial('a run that lost events twice is inconclusive, also when it is replayed', async t => {
	const {exitCode, stdout} = await recordAndReplay(t, ['--trace-buffer', '1'], ['--format', 'json']);
	t.is(exitCode, 3);
	t.regex(stdout, /lost-events/u);
});

test.serial('a failed run fails again', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const {stdout: rules} = await testbed(['rules', 'release:1.30']);
	const broken = path.join(folder, 'broken.rules');
	writeFileSync(broken, rules.replace(/^-A ISTIO_INBOUND .*-j ISTIO_IN_REDIRECT\n/mu, ''));
	const {exitCode, stdout} = await recordAndReplay(t, ['--rules', broken], ['--format', 'github']);
	t.is(exitCode, 1);
	t.regex(stdout, /^::error file=.*broken\.rules/mu);
	await cleanup();
});

test.serial('from standard input', async t => {
	const input = readFileSync('test/recordings/run-1-iptables-nft.testbed');
	const {exitCode, stdout} = await testbed(['replay', '-'], {input});
	t.is(exitCode, 0, stdout);
	t.regex(stdout, /6 passed/u);
	const {exitCode: cutOff, stderr} = await testbed(['replay', '-'], {input: input.subarray(0, 100)});
	t.is(cutOff, 2);
	t.is(stderr, 'testbed: The recording standard input is truncated: its end is missing.\nNothing was judged.\n→ Copy it again completely, or record it again.\n');
});

test.serial('a recording that does not exist, and one that cannot be written', async t => {
	const {exitCode, stderr} = await testbed(['replay', '/not/there']);
	t.is(exitCode, 2);
	t.regex(stderr, /^testbed: The recording cannot be read: \/not\/there: no such file\./u);
	const unwritten = await testbed(['run', '--record', '/not/there']);
	t.is(unwritten.exitCode, 2);
	t.is(unwritten.stdout, '');
	t.regex(unwritten.stderr, /^testbed: The recording cannot be written to \/not\/there: the folder .* does not exist\.\nNothing was run\.\n$/u);
});
