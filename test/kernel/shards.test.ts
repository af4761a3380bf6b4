/** Work that is cut into shards, done one after the other and merged: the same report as without shards, in every format, and nothing that is missing is forgotten. */

import {
	copyFileSync, mkdirSync, readFileSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {normalizeReport} from '../../src/sharding/normalize.js';
import {testbed} from './_cli.js';
import {doAllShards, inFolder, noEngine} from './_shards.js';

const scenarios = ['six-types', 'udp', 'no-rules'].map(name => path.resolve(`scenarios/${name}.yaml`));

test.serial('run: all shards together make the whole report, in every format; merged twice, they give the same bytes', async t => {
	await inFolder(async (folder, run) => {
		const whole = await run('run', ...scenarios, '--record', 'whole.testbed');
		t.is(whole.exitCode, 0, whole.stderr);
		await doAllShards(t, run, {command: ['run', ...scenarios], count: 3, into: 'a/'});
		for (const format of ['text', 'json', 'html', 'tap', 'junit', 'markdown', 'github']) {
			const replayed = await run('replay', 'whole.testbed', '--format', format); // eslint-disable-line no-await-in-loop -- The machine is small.
			const merged = await run('merge', 'a', '--format', format); // eslint-disable-line no-await-in-loop -- As above.
			t.is(merged.stderr, '');
			t.is(merged.exitCode, 0);
			t.is(normalizeReport(merged.stdout), normalizeReport(replayed.stdout), format);
			t.true(merged.stdout.length > 100);
		}

		const files = [2, 3, 1].map(index => `a/shard-${index}-of-3.shard`);
		await run('merge', 'a', '--record', 'one.testbed', '--times', 'times.json', '--output', 'one.json', '--format', 'json');
		await run('merge', ...files, '--record', 'two.testbed', '--output', 'two.json', '--format', 'json');
		t.deepEqual(readFileSync(path.join(folder, 'one.testbed')), readFileSync(path.join(folder, 'two.testbed')));
		t.is(readFileSync(path.join(folder, 'one.json'), 'utf8'), readFileSync(path.join(folder, 'two.json'), 'utf8'));
		const replayed = await run('replay', 'one.testbed', '--format', 'json');
		t.is(replayed.stdout, readFileSync(path.join(folder, 'one.json'), 'utf8'));

		// The next run is cut by the times of this one: another cut, the same results, and the two do not mix.
		const {times} = JSON.parse(readFileSync(path.join(folder, 'times.json'), 'utf8')) as {times: Record<string, number>};
		t.is(Object.keys(times).length, 9);
		const [slowest] = Object.keys(times);
		writeFileSync(path.join(folder, 'times.json'), JSON.stringify({version: 1, command: 'run', times: Object.fromEntries(Object.keys(times).map(id => [id, id === slowest ? 1_000_000 : 1]))}));
		await doAllShards(t, run, {
			command: ['run', ...scenarios], count: 2, into: 'b/', more: ['--shard-times', 'times.json'],
		});
		const timed = await run('merge', 'b', '--format', 'json');
		t.is(normalizeReport(timed.stdout), normalizeReport(readFileSync(path.join(folder, 'one.json'), 'utf8')));
		await run('run', ...scenarios, '--shard', '1/2', '--shard-output', 'even.shard');
		const mixed = await run('merge', 'b/shard-2-of-2.shard', 'even.shard');
		t.is(mixed.exitCode, 2);
		t.regex(mixed.stderr, /their work was cut differently, by other times\./u);
	});
});

test.serial('run: what is missing is inconclusive, and failures stay failures', async t => {
	await inFolder(async (folder, run) => {
		const failing = ['run', '--rules', 'release:1.30 -u 64535,1337', '--proxy-uid', '1337', '--types', '2,4', '--backend', 'iptables-nft,iptables-legacy'];
		await doAllShards(t, run, {command: failing, count: 3, into: 'a/'});
		const whole = await run('merge', 'a');
		t.is(whole.exitCode, 1);
		t.is(whole.stderr, '');
		const part = await run('merge', 'a/shard-2-of-3.shard', 'a/shard-3-of-3.shard', '--format', 'json');
		t.is(part.stderr, 'testbed: Missing: shard 1 of 3, with 1 of 2 pieces. They are inconclusive.\n');
		t.is(part.exitCode, 1);
		const {runs, summary} = JSON.parse(part.stdout) as {runs: ReadonlyArray<{inconclusive?: string; rules: {backend: string}}>; summary: Record<string, number>};
		t.deepEqual(runs.map(({rules: {backend}, inconclusive}) => [backend, inconclusive]), [['iptables-nft', 'The file of shard 1/3 is missing.'], ['iptables-legacy', undefined]]);
		t.is(summary['inconclusive'], 1);

		// The third shard has no pieces, and its file says that.
		const {exitCode, stdout} = await run('merge', 'a/shard-3-of-3.shard');
		t.is(exitCode, 3);
		t.regex(stdout, /2 inconclusive/u);
		await run('run', '--types', '2', '--backend', 'iptables-nft,nftables', '--shard', '1/2', '--shard-output', 'passing.shard');
		const half = await run('merge', 'passing.shard');
		t.is(half.exitCode, 3);
		copyFileSync(path.join(folder, 'passing.shard'), path.join(folder, 'copy.shard'));
		const twice = await run('merge', 'passing.shard', 'copy.shard');
		t.regex(twice.stderr, /^testbed: (?:copy|passing)\.shard is left out: \S+ is the same shard 1\/2, with the same results\.$/mu);
	});
});

test.serial('run: a single run that is a shard by itself is reported as one run', async t => {
	await inFolder(async (_, run) => {
		const command = ['run', '--types', '1'];
		const whole = await run(...command, '--format', 'json');
		await doAllShards(t, run, {command, count: 2, into: 'a/'});
		const merged = await run('merge', 'a', '--format', 'json', '--record', 'one.testbed');
		t.is(normalizeReport(merged.stdout), normalizeReport(whole.stdout));
		const replayed = await run('replay', 'one.testbed', '--format', 'json');
		t.is(replayed.stdout, merged.stdout);
		const drawn = await run('merge', 'a', '--format', 'svg');
		t.regex(drawn.stdout, /^<svg/u);
	});
});

test.serial('run: Kubernetes and GitLab say which shard it is, but only to a command that writes a shard', async t => {
	await inFolder(async folder => {
		const run = async (env: Readonly<Record<string, string>>, ...given: readonly string[]) => testbed(['run', '--types', '1', '--backend', 'iptables-nft,nftables', ...given], {cwd: folder, env: {...noEngine, ...env}});
		const kubernetes = await run({JOB_COMPLETION_INDEX: '0', JOB_COMPLETIONS: '2'}, '--shard-output', 'k/');
		t.regex(kubernetes.stderr, /shard 1\/2: 1 of 2 pieces, in k\/shard-1-of-2\.shard/u);
		const gitlab = await run({CI_NODE_INDEX: '2', CI_NODE_TOTAL: '2'}, '--shard-output', 'k/');
		t.regex(gitlab.stderr, /shard 2\/2: 1 of 2 pieces/u);
		const merged = await testbed(['merge', 'k'], {cwd: folder, env: noEngine});
		t.is(merged.exitCode, 0);
		const uncut = await run({CI_NODE_INDEX: '2', CI_NODE_TOTAL: '2'}, '--format', 'json');
		t.is((JSON.parse(uncut.stdout) as {runs: unknown[]}).runs.length, 2);
	});
});

/** The words of the testbed's commands in an example, each as its engine would give them to the shell of the first shard. */
function commandsIn(file: string): ReadonlyArray<readonly string[]> {
	return readFileSync(path.join('examples', file), 'utf8').split('\n').flatMap(line => {
		const inline = /command: \[bin\/testbed, (?<words>.*)\]$/u.exec(line)?.groups?.['words'];
		const shell = /^ *(?:run:|-) (?:sudo )?bin\/testbed (?<words>.*)$/u.exec(line)?.groups?.['words'];
		return inline === undefined ? (shell === undefined ? [] : [shell.replace(/\$\{\{ matrix\.shard \}\}/u, '1').split(' ')]) : [inline.split(', ')];
	});
}

const engines: ReadonlyArray<readonly [file: string, env: Readonly<Record<string, string>>, shard: string]> = [
	['kubernetes-shards.yml', {JOB_COMPLETION_INDEX: '0', JOB_COMPLETIONS: '16'}, '1/16'],
	['github-actions-shards.yml', {}, '1/8'],
	['gitlab-ci-shards.yml', {CI_NODE_INDEX: '1', CI_NODE_TOTAL: '8'}, '1/8'],
];
for (const [file, env, shard] of engines) {
	test.serial(`the commands in ${file} run: one shard, and a report that names the missing ones`, async t => {
		await inFolder(async folder => {
			const [work, merge] = commandsIn(file);
			const here = (words: readonly string[]) => words.map(word => word === 'scenarios/' ? path.resolve(word) : word.replace('/results/', 'results/'));
			const done = await testbed(here(work!), {cwd: folder, env: {...noEngine, ...env}});
			t.is(done.exitCode, 0, done.stderr);
			t.regex(done.stderr, new RegExp(`shard ${shard}: \\d+ of \\d+ pieces, in results/`, 'u'));
			const merged = await testbed(here(merge!), {cwd: folder, env: noEngine});
			t.is(merged.exitCode, 3, merged.stderr);
			t.regex(merged.stderr, new RegExp(`Missing: shards 2-${shard.split('/')[1]!} of `, 'u'));
		});
	});
}

const wrong: ReadonlyArray<readonly [title: string, given: readonly string[], message: RegExp]> = [
	['a shard that is none', ['run', '--shard', '5/4', '--shard-output', 'x'], /--shard 5\/4: it must be a number, a slash and the number of shards, such as 3\/16/u],
	['a shard without a file', ['run', '--shard', '1/4'], /--shard needs --shard-output/u],
	['a file without a shard', ['run', '--shard-output', 'x'], /--shard-output needs --shard, because the environment does not say/u],
	['times without a shard', ['run', '--shard-times', 'x'], /--shard-times needs --shard-output/u],
	['times that are not there', ['run', '--shard', '1/4', '--shard-output', 'x', '--shard-times', 'none.json'], /The file of times cannot be read: none\.json: no such file/u],
	['times that are no JSON', ['run', '--shard', '1/4', '--shard-output', 'x', '--shard-times', 'text'], /text is not a file of times: it is not JSON/u],
	['times of another form', ['run', '--shard', '1/4', '--shard-output', 'x', '--shard-times', 'odd.json'], /odd\.json is not a file of times: the file\.times is missing/u],
	['times of another command', ['run', '--shard', '1/4', '--shard-output', 'x', '--shard-times', 'diff.json'], /diff\.json has the times of testbed diff, not of testbed run\./u],
	['a folder that cannot be created', ['run', '--shard', '1/4', '--shard-output', 'text/'], /The shard file cannot be written to text\/shard-1-of-4\.shard: /u],
	['a file that would overwrite the times', ['run', '--shard', '1/4', '--shard-output', 'diff.json', '--shard-times', 'diff.json'], /--shard-output would overwrite the file that --shard-times reads/u],
	['a capture of packets', ['run', '--shard', '1/4', '--shard-output', 'x', '--pcap', 'y'], /--pcap cannot be used with a shard\./u],
	['a sandbox that is kept', ['run', '--shard', '1/4', '--shard-output', 'x', '--keep'], /--keep cannot be used with a shard\./u],
	['merge: nothing', ['merge'], /merge needs an argument/u],
	['merge: a file that is not there', ['merge', 'none.shard'], /The shard file cannot be read: none\.shard: no such file/u],
	['merge: a text', ['merge', 'text'], /text is not the file of a shard\./u],
	['merge: a folder without shards', ['merge', 'empty'], /The folder empty has no shard files \(\*\.shard\)\./u],
	['merge: a format that is none', ['merge', 'text', '--format', 'xml'], /Did you mean junit\?/u],
	['merge: an output that is an input', ['merge', 'text', '--output', 'text'], /--output would overwrite the file that a shard reads: text\./u],
];
for (const [title, given, message] of wrong) {
	test.serial(`usage: ${title}`, async t => {
		await inFolder(async (folder, run) => {
			mkdirSync(path.join(folder, 'empty'));
			writeFileSync(path.join(folder, 'text'), 'text\n');
			writeFileSync(path.join(folder, 'odd.json'), '{"version": 1, "command": "run"}');
			writeFileSync(path.join(folder, 'diff.json'), '{"version": 1, "command": "diff", "times": {}}');
			const {exitCode, stdout, stderr} = await run(...given);
			t.is(exitCode, 2, stderr);
			t.is(stdout, '');
			t.regex(stderr.replaceAll(/\s+/gu, ' '), message);
			t.notRegex(stderr, /\n\s+at /u);
		});
	});
}
