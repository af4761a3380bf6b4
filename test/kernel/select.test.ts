/** `--list`, `--filter` and `--bail` of `testbed run`: a case that was not run is in no count of what passed. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {testbed, type JsonReport} from './_cli.js';

const linesOf = (text: string): readonly string[] => text.split('\n').filter(line => line !== '');

test('--list names every case and runs nothing; --filter chooses by these names', async t => {
	const all = await testbed(['run', '--list', '--rules', 'release:1.31', '--backend', 'iptables-nft,nftables', '--family', 'both']);
	t.deepEqual([all.exitCode, all.stderr], [0, '']);
	t.is(linesOf(all.stdout).length, 24);
	t.true(linesOf(all.stdout).includes('release:1.31, nftables: type 2 local-to-remote, ipv6'));
	const some = await testbed(['run', '--list', '--rules', 'release:1.31', '--backend', 'iptables-nft,nftables', '--family', 'both', '--filter', ', nftables: type [23] .*ipv6$']);
	t.deepEqual(linesOf(some.stdout), ['release:1.31, nftables: type 2 local-to-remote, ipv6', 'release:1.31, nftables: type 3 prometheus-to-local, ipv6']);
	t.is(some.stderr, 'testbed: --filter chooses 2 of 24 cases; the others are not run.\n');
});

for (const [given, message] of [
	[['run', '--filter', 'type 9'], /^testbed: --filter type 9: it matches none of the 6 cases, such as "release:\S+, iptables-nft: type 1 remote-to-local, ipv4"\.\nNothing was run\.\n→ List all cases: \S+ run --list …\n$/u],
	[['run', '--filter', '('], /^testbed: --filter \(: it must be a regular expression: .*Unterminated group\.\n/u],
	[['run', '--filter', ''], /^testbed: --filter is empty \(an unset variable\?\): it must be a regular expression\.\n/u],
	[['run', '--list', '--bail'], /^testbed: --list runs nothing, so --bail cannot be used with it\.\n/u],
	[['run', 'scenarios/', '--list', '--shard-output', '/tmp/'], /^testbed: --list runs nothing, so --shard-output cannot be used with it\.\n/u],
	[['run', '--bail', '--shard', '1/2', '--shard-output', '/tmp/none.shard'], /^testbed: --bail cannot be used with a shard\.\n/u],
] as const) {
	test(`refused: ${given.join(' ')}`, async t => {
		const {exitCode, stdout, stderr} = await testbed(given);
		t.deepEqual([exitCode, stdout], [2, '']);
		t.regex(stderr, message);
	});
}

test('only the chosen cases are sent, counted, recorded and replayed', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const recording = path.join(folder, 'run.testbed');
	const ran = await testbed(['run', '--family', 'both', '--filter', 'type 2 .*ipv4|type 4 .*ipv6', '--format', 'json', '--record', recording]);
	t.is(ran.exitCode, 0, ran.stderr);
	const {types, summary} = JSON.parse(ran.stdout) as JsonReport;
	t.deepEqual(types.map(({id, family}) => `${id} ${family}`), ['2 ipv4', '4 ipv6']);
	t.deepEqual(summary, {passed: 2, failed: 0, inconclusive: 0});
	const replayed = await testbed(['replay', recording, '--format', 'json']);
	t.is(replayed.stdout, ran.stdout);
	await cleanup();
});

test('a filter keeps the probes of a scenario that match, and drops the others with their failures', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const file = path.join(folder, 'two.yaml');
	writeFileSync(file, scenario('two', [['right', 'proxy:15001'], ['wrong', 'app:8080']]));
	const both = await testbed(['run', file, '--format', 'json']);
	t.is(both.exitCode, 1, both.stderr);
	const one = await testbed(['run', file, '--filter', 'probe 1 right', '--format', 'json']);
	t.is(one.exitCode, 0, one.stderr);
	t.deepEqual((JSON.parse(one.stdout) as JsonReport).types.map(({name}) => name), ['right']);
	await cleanup();
});

test('--bail starts nothing after a scenario that fails; what was not run is inconclusive', async t => {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	for (const name of ['one', 'two', 'three']) {
		writeFileSync(path.join(folder, `${name}.yaml`), scenario(name, [['wrong', 'app:8080']]));
	}

	const kindsOf = (stdout: string): readonly string[] => (JSON.parse(stdout) as {runs: ReadonlyArray<Readonly<Record<string, unknown>>>}).runs.map(run => 'types' in run ? 'failed' : String(run['inconclusive'])).toSorted();
	const all = await testbed(['run', folder, '--jobs', '1', '--format', 'json']);
	t.deepEqual(kindsOf(all.stdout), ['failed', 'failed', 'failed']);
	const bailed = await testbed(['run', folder, '--jobs', '1', '--bail', '--format', 'json']);
	t.is(bailed.exitCode, 1, bailed.stderr);
	const [first, second, third] = kindsOf(bailed.stdout);
	t.regex(first!, /^Not run: --bail ended the run after \w+, iptables-nft, which did not pass\.$/u);
	t.is(second, first);
	t.is(third, 'failed');
	await cleanup();
});

function scenario(name: string, probes: ReadonlyArray<readonly [name: string, stop: string]>): string {
	return [
		'version: 1', `name: ${name}`, 'about: Connections of the app.', 'rules: release:1.30', 'backends: [iptables-nft]', 'probes:',
		...probes.map(([title, stop]) => `  - {name: ${title}, from: app, to: 'remote:8080', expect: {stops: ['${stop}', 'remote:8080']}}`), '',
	].join('\n');
}
