/** Whole runs as processes: many at once and in a row, interrupted and killed, and what is left behind. */

import process from 'node:process';
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {defaultTypeIds} from '../../src/istio/traffic/six-types.js';
import {newest} from '../helpers/releases.js';
import {
	testbed, until, WatchedRun, type JsonReport,
} from './_cli.js';
import {
	bothBackends, defaultDump, pathOf, run, waitingDump,
} from './_run.js';

function pathsOf({types}: JsonReport): readonly string[] {
	return types.map(({id, family, outcome, path: steps}) => `${id} ${family} ${outcome}: ${steps.join(' > ')}`);
}

for (const count of [2, 4, 8]) {
	test.serial(`${count} runs at once, of both back ends and families: all pass, by the same paths`, async t => {
		const runs = await Promise.all(Array.from({length: count}, async (_, index) => testbed(['--family', 'both', '--format', 'json', '--backend', bothBackends[index % 2]!])));
		t.deepEqual(runs.map(({exitCode}) => exitCode), runs.map(() => 0), runs.map(({stderr}) => stderr).join('\n'));
		const paths = runs.map(({stdout}) => pathsOf(JSON.parse(stdout) as JsonReport));
		for (const other of paths) {
			t.deepEqual(other, paths[0]);
		}
	});
}

test.serial('twenty runs in a row take the same paths', async t => {
	const paths = new Set<string>();
	for (let round = 0; round < 20; round++) {
		const report = await run({backend: bothBackends[round % 2]!}); // eslint-disable-line no-await-in-loop -- In a row.
		t.true(report.types.every(({outcome}) => outcome.kind === 'pass'), `run ${round + 1}`);
		paths.add(defaultTypeIds.map(id => pathOf(report, id)).join('\n'));
	}

	t.is(paths.size, 1);
});

/** A run that is in its middle as long as it takes. */
async function waitingRun(): Promise<WatchedRun> {
	return WatchedRun.start(['--rules', '-', '--timeout', '120000'], {input: waitingDump()});
}

const interruptions = [
	{signal: 'SIGINT', exitCode: 130, ended: undefined},
	{signal: 'SIGTERM', exitCode: 130, ended: undefined},
	{signal: 'SIGHUP', exitCode: 130, ended: undefined},
	{signal: 'SIGKILL', exitCode: undefined, ended: 'SIGKILL'},
] as const;

for (const {signal, exitCode, ended} of interruptions) {
	test.serial(`${signal} while the probes are under way: no process, namespace, mount or file is left`, async t => {
		await using running = await waitingRun();
		await running.says(/sending 6 probes/u);
		t.true(running.children.length >= 3, 'those of the proxy and its agent, the app, and the hosts outside');
		t.is(running.noteNamespaces(), 2, 'the pod and its neighbourhood');
		t.true(running.leftovers().holders.length >= 5, 'the search finds who holds them, as long as somebody does: the run both, each process one');
		running.process.kill(signal);
		const result = await running.process;
		t.is(result.exitCode, exitCode);
		t.is(result.signal, ended);
		t.is(result.stdout, '');
		if (ended === undefined) {
			t.regex(String(result.stderr), new RegExp(`Interrupted by ${signal}`, 'u'));
		}

		await t.notThrowsAsync(running.nothingLeft());
	});

	test.serial(`${signal} as soon as the run has a process: nothing is left`, async t => {
		await using running = await WatchedRun.start([]);
		await until('the run has a process', () => running.children.length > 0 ? true : undefined);
		running.noteNamespaces();
		running.process.kill(signal);
		const result = await running.process;
		// It may just have come to its end.
		t.true(result.exitCode === 0 || (result.exitCode === exitCode && result.signal === ended), `${result.exitCode} ${result.signal}`);
		await t.notThrowsAsync(running.nothingLeft());
	});
}

test.serial('Ctrl-C in a terminal reaches the whole process group: the run ends just as cleanly', async t => {
	await using running = await WatchedRun.start(['--rules', '-', '--timeout', '120000'], {
		input: waitingDump(), detached: true,
	});
	await running.says(/sending 6 probes/u);
	running.noteNamespaces();
	process.kill(-running.process.pid!, 'SIGINT');
	const result = await running.process;
	t.is(result.exitCode, 130, String(result.stderr));
	await t.notThrowsAsync(running.nothingLeft());
});

test.serial('nothing is left of a run that passes, fails, is inconclusive, or whose rules the kernel rejects', async t => {
	const dump = defaultDump();
	for (const [given, input, status] of [
		[[], '', 0],
		[['--rules', '-'], dump.replace('-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n', ''), 1],
		[['--trace-buffer', '1'], '', 3],
		[['--rules', '-', '--allow-modules'], '*nat\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', 2],
		[['--rules', 'release:1.30 -p 8080'], '', 3],
	] as const) {
		await using running = await WatchedRun.start(given, {input}); // eslint-disable-line no-await-in-loop -- One at a time.
		const {exitCode, stderr} = await running.process; // eslint-disable-line no-await-in-loop -- As above.
		t.is(exitCode, status, String(stderr));
		await t.notThrowsAsync(running.nothingLeft()); // eslint-disable-line no-await-in-loop -- As above.
	}
});

test.serial('stdout has the JSON document only, with every documented key', async t => {
	const {exitCode, stdout, stderr} = await testbed(['--format', 'json', '--family', 'both', '--types', '1,4b,6']);
	t.is(exitCode, 0, stdout);
	t.regex(stderr, /^(?:testbed: .* …\n)*$/u);
	t.true(stdout.startsWith('{') && stdout.endsWith('}\n'));
	const report = JSON.parse(stdout) as JsonReport;
	t.like(report, {version: 2, rules: {source: `release:${newest}`, release: newest, backend: 'iptables-nft', notes: []}, summary: {passed: 6, failed: 0, inconclusive: 0}});
	t.deepEqual(Object.keys(report.environment).toSorted(), ['iptables', 'kernel', 'nft', 'node', 'proxy']);
	t.regex(report.rules.sha256, /^[\da-f]{64}$/u);
	t.is(typeof report.durationMs, 'number');
	t.deepEqual(report.types.map(({id, family}) => `${id} ${family}`), ['1 ipv4', '4b ipv4', '6 ipv4', '1 ipv6', '4b ipv6', '6 ipv6']);
	for (const type of report.types) {
		for (const key of ['id', 'name', 'family', 'actors', 'outcome', 'stops', 'path', 'expected', 'published', 'differences', 'gaps', 'legs']) {
			t.true(Object.hasOwn(type, key), key);
		}

		t.is(type.outcome, 'pass');
		t.deepEqual(type.stops, type.expected.stops);
		t.deepEqual([type.differences, type.gaps], [[], []]);
	}

	t.deepEqual(report.types[0]!.actors, {remote: {uid: 0, gid: 0}, proxy: {uid: 1337, gid: 1337}, app: {uid: 1000, gid: 1000}});
	t.is(report.types[1]!.published, null);
});

test.serial('--format tap, --output, and a failure in each format', async t => {
	const folder = await dir({unsafeCleanup: true});
	const dump = path.join(folder.path, 'broken.rules');
	writeFileSync(dump, defaultDump().replace('-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n', ''));
	const [tap, broken, text, json] = await Promise.all([
		testbed(['--format', 'tap']),
		testbed(['--format', 'tap', '--rules', dump]),
		testbed(['--output', path.join(folder.path, 'report.txt')]),
		testbed(['--format', 'json', '--rules', `file:${dump}`]),
	]);
	t.is(tap.exitCode, 0);
	t.regex(tap.stdout, /^TAP version 14\n1\.\.6\n/u);
	t.is(tap.stdout.match(/^ok \d - type/gmu)?.length, 6);
	t.is(broken.exitCode, 1);
	t.deepEqual(broken.stdout.match(/^not ok \d - type \d/gmu), ['not ok 2 - type 2', 'not ok 4 - type 4']);
	t.is(text.stdout, '');
	const report = readFileSync(path.join(folder.path, 'report.txt'), 'utf8');
	t.regex(report, /6 passed, 0 failed/u);
	t.true(report.split('\n').every(line => line.length <= 80), report);
	t.is(json.exitCode, 1);
	const failed = JSON.parse(json.stdout) as JsonReport;
	t.deepEqual(failed.summary, {passed: 4, failed: 2, inconclusive: 0});
	t.like(failed.types.find(({id}) => id === '2')!.differences[0], {
		kind: 'stop', leg: 0, expectedRole: 'outbound-capture', rule: null, expected: {actor: 'app', stop: 'proxy:15001'}, observed: {actor: 'app', stop: 'remote:8080'},
	});
	await folder.cleanup();
});

test.serial('colour: none without a terminal, none with NO_COLOR, some when it is forced', async t => {
	const escape = '\u001B[';
	const [plain, forced, none] = await Promise.all([
		testbed(['--types', '3'], {env: {}}),
		testbed(['--types', '3'], {env: {FORCE_COLOR: '1', NO_COLOR: ''}}),
		testbed(['--types', '3'], {env: {FORCE_COLOR: '1', NO_COLOR: '1'}}),
	]);
	t.deepEqual([plain, forced, none].map(({stdout}) => stdout.includes(escape)), [process.env['FORCE_COLOR'] !== undefined && process.env['NO_COLOR'] === undefined && process.env['FORCE_COLOR'] !== '0', true, false]);
});

test.serial('a dump of iptables-save -c from stdin, with comments, counters and a foreign table', async t => {
	const saved = defaultDump()
		.replaceAll(/^-A /gmu, '[12:720] -A ')
		.replaceAll(/^(?<chain>:\S+ \S+)$/gmu, '$<chain> [3:180]');
	const input = `# Generated by iptables-save v1.8.9 on Mon Nov  4 10:00:00 2024\n${saved}# Completed on Mon Nov  4 10:00:00 2024\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [5:300]\nCOMMIT\n`;
	for (const backend of bothBackends) {
		const {exitCode, stdout, stderr} = await testbed(['--rules', '-', '--format', 'json', '--backend', backend], {input}); // eslint-disable-line no-await-in-loop -- One at a time.
		t.is(exitCode, 0, stderr);
		const report = JSON.parse(stdout) as JsonReport;
		t.like(report.rules, {source: '-', release: null});
		t.is(report.types.find(({id}) => id === '5')!.path.join(' > '), 'proxy > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > proxy:15090 > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > proxy:15000');
	}
});

test.serial('dumps of both families: --rules and --rules6', async t => {
	const folder = await dir({unsafeCleanup: true});
	const [four, six] = (['ipv4', 'ipv6'] as const).map(family => {
		const file = path.join(folder.path, family);
		writeFileSync(file, defaultDump(family));
		return file;
	});
	const both = await testbed(['--rules', four!, '--rules6', six!, '--family', 'both', '--format', 'json']);
	t.is(both.exitCode, 0, both.stderr);
	t.is((JSON.parse(both.stdout) as JsonReport).summary.passed, 12);
	const only = await testbed(['--rules', six!, '--family', 'ipv6', '--format', 'json']);
	t.is(only.exitCode, 0, only.stderr);
	t.is((JSON.parse(only.stdout) as JsonReport).summary.passed, 6);
	await folder.cleanup();
});
