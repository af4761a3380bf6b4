/** Comparisons, mutants and batches of probes that are cut into shards and merged: the same reports as without shards, and what is missing is inconclusive. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {normalizeReport} from '../../src/sharding/normalize.js';
import type {Ended} from './_cli.js';
import {inFolder, type RunThere} from './_shards.js';

/** Does a command whole and in shards, and compares the reports. Returns the merged one without the first shard. */
async function sameInShards(t: ExecutionContext, run: RunThere, {command, count, formats}: {
	readonly command: readonly string[]; readonly count: number; readonly formats: readonly string[];
}): Promise<Ended> {
	for (let index = 1; index <= count; index++) {
		const {stderr} = await run(...command, '--shard', `${index}/${count}`, '--shard-output', 'a/'); // eslint-disable-line no-await-in-loop -- One machine does one shard at a time.
		t.regex(stderr, new RegExp(`testbed: shard ${index}/${count}: \\d+ of \\d+ pieces?, in a/`, 'u'));
	}

	for (const format of formats) {
		const more = format === '' ? [] : ['--format', format];
		const whole = await run(...command, ...more); // eslint-disable-line no-await-in-loop -- The machine is small.
		const merged = await run('merge', 'a', ...more); // eslint-disable-line no-await-in-loop -- As above.
		t.is(merged.stderr, '');
		t.is(merged.exitCode, whole.exitCode);
		t.is(normalizeReport(merged.stdout), normalizeReport(whole.stdout), format);
		t.true(merged.stdout.length > 100);
	}

	return run('merge', ...Array.from({length: count - 1}, (_, place) => `a/shard-${place + 2}-of-${count}.shard`));
}

test.serial('diff: the pairs of two series, with what moved', async t => {
	await inFolder(async (_, run) => {
		const command = ['diff', '--consecutive', 'release:all', 'release:all --redirect-dns', '--since', '1.26', '--family', 'ipv4', '--paths'];
		const part = await sameInShards(t, run, {command, count: 3, formats: ['json', 'html']});
		t.not(part.exitCode, 0);
		t.regex(part.stderr, /^testbed: Missing: shard 1 of 3, with \d of 10 pieces\. They are inconclusive\.$/mu);
		t.regex(part.stdout, /gap: The file of shard 1\/3 is missing\./u);
	});
});

test.serial('diff: a single pair cannot be divided, and a single pair of a series is one piece', async t => {
	await inFolder(async (_, run) => {
		const command = ['diff', '--consecutive', 'release:all', '--since', '1.30', '--family', 'ipv4'];
		const part = await sameInShards(t, run, {command, count: 2, formats: ['text']});
		t.is(part.exitCode, 3);
		const single = await run('diff', 'release:1.29', 'release:1.30', '--shard', '1/2', '--shard-output', 'x');
		t.is(single.exitCode, 2);
		t.regex(single.stderr, /diff of two rule sets is a single piece of work, so it cannot be cut\./u);
	});
});

test.serial('mutate: some mutants of the newest release', async t => {
	await inFolder(async (_, run) => {
		const command = ['mutate', 'release:1.30', '--sample', '9', '--cases', 'types,complete'];
		const part = await sameInShards(t, run, {command, count: 3, formats: ['json', 'html']});
		t.is(part.exitCode, 3);
		t.regex(part.stderr, /Missing: shard 1 of 3, with 3 of 9 pieces\./u);
		t.regex(part.stdout, /not known to differ: The file of shard 1\/3 is missing\./u);
		const recorded = await run('merge', 'a', '--record', 'x');
		t.is(recorded.exitCode, 2);
		t.regex(recorded.stderr, /--record is for shards of testbed run; these are of testbed mutate/u);
		const drawn = await run('merge', 'a', '--format', 'svg');
		t.is(drawn.exitCode, 2);
		const times = await run('merge', 'a', '--times', 'times.json', '--output', 'report.txt');
		t.is(times.exitCode, 0);
		const timed = await run(...command, '--shard', '1/2', '--shard-output', 'timed.shard', '--shard-times', 'times.json');
		t.regex(timed.stderr, /shard 1\/2: \d of 9 pieces/u);
		const mixed = await run('merge', 'a', 'timed.shard');
		t.is(mixed.exitCode, 2);
		t.regex(mixed.stderr, /the number of shards is 3 there and 2 here\./u);
		const printed = await run(...command, '--print', '3', '--shard', '1/2', '--shard-output', 'x');
		t.is(printed.exitCode, 2);
		t.regex(printed.stderr, /--print cannot be used with a shard\./u);
	});
});

test.serial('probe --batch: blocks of lines, with the answers in their order', async t => {
	await inFolder(async (folder, run) => {
		const lines = Array.from({length: 20}, (_, index) => JSON.stringify({
			id: index, from: 'app', to: `10.96.0.1:${440 + index}`, ...(index === 15 ? {to: '255.0.0.1:80', source: '127.0.0.6'} : {}), // The kernel sends no such packet, and its answer names the number of the line.
		}));
		writeFileSync(path.join(folder, 'probes.jsonl'), `${lines.slice(0, 7).join('\n')}\n\n${lines.slice(7).join('\n')}\n`);
		const command = ['probe', '--batch', 'probes.jsonl', '--follow'];
		const part = await sameInShards(t, run, {command, count: 3, formats: ['']});
		t.is(part.exitCode, 3);
		const answers = part.stdout.trimEnd().split('\n').map(line => JSON.parse(line) as {readonly id?: number; readonly outcome: string});
		t.deepEqual(answers.map(({id}) => id), [...Array.from({length: 6}, () => undefined), ...Array.from({length: 14}, (_, index) => index + 6)]);
		t.true(answers.slice(0, 6).every(({outcome}) => outcome === 'inconclusive'));

		// Another file is another question, and of more shards than lines some have none.
		writeFileSync(path.join(folder, 'probes.jsonl'), `${lines.slice(0, 2).join('\n')}\n`);
		await run(...command, '--shard', '1/3', '--shard-output', 'other.shard');
		const mixed = await run('merge', 'a/shard-2-of-3.shard', 'other.shard');
		t.is(mixed.exitCode, 2);
		t.regex(mixed.stderr, /does not belong to \S+: their command lines are the same, but the files that they read/u);
		const empty = await run(...command, '--shard', '3/3', '--shard-output', 'empty.shard');
		t.is(empty.exitCode, 0);
		t.is(empty.stdout, '');
		t.regex(empty.stderr, /shard 3\/3: 0 of 2 pieces/u);
	});
});

const wrong: ReadonlyArray<readonly [title: string, given: readonly string[], message: RegExp]> = [
	['a batch on standard input', ['probe', '--batch', '-', '--shard', '1/2', '--shard-output', 'x'], /A batch on standard input cannot be cut, because it is read twice\./u],
	['a batch with times', ['probe', '--batch', 'one.jsonl', '--shard', '1/2', '--shard-output', 'x', '--shard-times', 'times.json'], /--shard-times cannot be used with --batch/u],
	['a batch without probes', ['probe', '--batch', 'blank.jsonl', '--shard', '1/2', '--shard-output', 'x'], /blank\.jsonl contains no probes\./u],
	['a shard that would overwrite its batch', ['probe', '--batch', 'one.jsonl', '--shard', '1/2', '--shard-output', 'one.jsonl'], /--shard-output would overwrite the file that --batch reads/u],
	['a single probe', ['probe', '--to', '10.96.0.1:443', '--shard', '1/2', '--shard-output', 'x'], /A single probe cannot be cut into shards\./u],
	['mutate without rules', ['mutate', 'none.rules', '--shard', '1/2', '--shard-output', 'x'], /has no rule that can be mutated, so there is nothing to cut\./u],
];
for (const [title, given, message] of wrong) {
	test.serial(`usage: ${title}`, async t => {
		await inFolder(async (folder, run) => {
			writeFileSync(path.join(folder, 'one.jsonl'), '{"to": "10.96.0.1:443"}\n');
			writeFileSync(path.join(folder, 'blank.jsonl'), '\n\n');
			writeFileSync(path.join(folder, 'times.json'), '{"version": 1, "command": "probe", "times": {}}');
			writeFileSync(path.join(folder, 'none.rules'), '*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n');
			const {exitCode, stderr} = await run(...given);
			t.is(exitCode, 2, stderr);
			t.regex(stderr.replaceAll(/\s+/gu, ' '), message);
		});
	});
}
