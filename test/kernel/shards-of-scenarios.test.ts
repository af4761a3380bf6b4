/** Shards of scenarios: each makes the rules of its own pieces only, so what is wrong or impossible elsewhere is found by others; all together they say what one machine says. */

import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {normalizeReport} from '../../src/sharding/normalize.js';
import {doAllShards, inFolder} from './_shards.js';

const dump = '*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n';

/** A scenario of one packet that nothing captures. */
function scenario({name, rules, more = ''}: {readonly name: string; readonly rules: string; readonly more?: string}): string {
	return `version: 1\nname: ${name}\nabout: One packet.\nrules: ${rules}\n${more}probes:\n  - {name: p, from: remote, to: "pod:15020", expect: {stops: ["agent:15020"]}}\n`;
}

test.serial('runs that turn out to be impossible: the merged report is the whole one, byte for byte', async t => {
	await inFolder(async (folder, run) => {
		// 1.20 has no native nft rules, which only the shard with that piece finds out; the other file says by itself that it is not for nftables. Both have one name.
		writeFileSync(path.join(folder, 'late.yaml'), scenario({name: 'twins', rules: 'release:1.20'}));
		writeFileSync(path.join(folder, 'early.yaml'), scenario({name: 'twins', rules: 'none', more: 'backends: [iptables-nft]\n'}));
		writeFileSync(path.join(folder, 'dump.yaml'), scenario({name: 'from a dump', rules: 'own.rules'}));
		writeFileSync(path.join(folder, 'own.rules'), dump);
		const command = ['run', 'late.yaml', 'early.yaml', 'dump.yaml', '--backend', 'iptables-nft,nftables'];
		const whole = await run(...command, '--format', 'json');
		t.is(whole.exitCode, 0, whole.stderr);
		const {runs} = JSON.parse(whole.stdout) as {runs: ReadonlyArray<{rules: {source: string; backend: string}; unavailable?: string}>};
		t.deepEqual(runs.map(({rules: {source, backend}, unavailable}) => [source, backend, unavailable !== undefined]), [
			['own.rules', 'iptables-nft', false], ['own.rules', 'nftables', true],
			['release:1.20', 'iptables-nft', false], ['none', 'iptables-nft', false], ['none', 'nftables', true], ['release:1.20', 'nftables', true],
		]);
		for (const count of [1, 2, 5]) {
			await doAllShards(t, run, {command, count, into: `${count}/`}); // eslint-disable-line no-await-in-loop -- One machine does one shard at a time.
			for (const format of ['json', 'text', 'junit']) {
				const one = await run(...command, '--format', format); // eslint-disable-line no-await-in-loop -- As above.
				const merged = await run('merge', String(count), '--format', format); // eslint-disable-line no-await-in-loop -- As above.
				t.is(normalizeReport(merged.stdout), normalizeReport(one.stdout), `${count}, ${format}`);
				t.is(merged.exitCode, 0);
			}
		}
	});
});

test.serial('a file with a fault: the shard that would run it says so, the others do their work, and the merged report is inconclusive', async t => {
	await inFolder(async (folder, run) => {
		writeFileSync(path.join(folder, 'a.yaml'), scenario({name: 'a', rules: '"release:1.30"'}));
		writeFileSync(path.join(folder, 'b.yaml'), scenario({name: 'b', rules: '"release:1.30 "'}).replace('from: remote', 'from: nobody'));
		const shard = (index: number) => ['run', 'a.yaml', 'b.yaml', '--backend', 'nftables', '--shard', `${index}/2`, '--shard-output', 'o/'];
		const good = await run(...shard(1));
		t.is(good.exitCode, 0, good.stderr);
		const bad = await run(...shard(2));
		t.is(bad.exitCode, 2);
		t.regex(bad.stderr, /b\.yaml: line 6, column 15, probes\[0\]\.from: "nobody" is not an actor of this scenario/u);
		const merged = await run('merge', 'o', '--format', 'json');
		t.is(merged.exitCode, 3);
		t.is(merged.stderr, 'testbed: Missing: shard 2 of 2, with 1 of 2 pieces. They are inconclusive.\n');
		const {runs} = JSON.parse(merged.stdout) as {runs: ReadonlyArray<{scenario: {name: string}; inconclusive?: string}>};
		t.deepEqual(runs.map(one => [one.scenario.name, one.inconclusive]), [['a', undefined], ['b', 'The file of shard 2/2 is missing.']]);
		// A fault in the head, which every shard reads, stops all of them.
		writeFileSync(path.join(folder, 'b.yaml'), scenario({name: '5', rules: 'none'}));
		const both = await run(...shard(1));
		t.is(both.exitCode, 2);
		t.regex(both.stderr, /b\.yaml: line 2, column 1, name: this is 5; expected/u);
	});
});

test.serial('shards that read other rules do not mix, though neither reads those of the other', async t => {
	await inFolder(async (folder, run, runIn) => {
		for (const machine of ['one', 'other']) {
			mkdirSync(path.join(folder, machine));
			writeFileSync(path.join(folder, machine, 'a.yaml'), scenario({name: 'a', rules: 'none'}));
			writeFileSync(path.join(folder, machine, 'b.yaml'), scenario({name: 'b', rules: 'own.rules'}));
			writeFileSync(path.join(folder, machine, 'own.rules'), machine === 'one' ? dump : dump.replace('COMMIT', '-A OUTPUT -p udp -j ACCEPT\nCOMMIT'));
		}

		for (const [machine, index] of [['one', 1], ['other', 2], ['other', 1]] as const) {
			// Both machines give the same command line, in a folder of their own.
			const {exitCode, stderr} = await runIn(machine)('run', 'a.yaml', 'b.yaml', '--backend', 'iptables-nft', '--shard', `${index}/2`, '--shard-output', `../${machine}-${index}.shard`); // eslint-disable-line no-await-in-loop -- One machine does one shard at a time.
			t.is(exitCode, 0, stderr);
		}

		const mixed = await run('merge', 'one-1.shard', 'other-2.shard');
		t.is(mixed.exitCode, 2);
		t.regex(mixed.stderr, /their command lines are the same, but the files that they read \(rules, scenarios, probes\) are not\./u);
		const merged = await run('merge', 'other-1.shard', 'other-2.shard');
		t.is(merged.exitCode, 0, merged.stderr);
	});
});
