/** Inputs open no other files: they are refused before any tool runs, by the command line and by the check before the tools. */

import {execFileSync} from 'node:child_process';
import {
	closeSync, constants, openSync, rmSync, statSync, utimesSync, writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {parseNft} from '../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {TestbedError} from '../../testbed/errors.js';
import {LockFile} from '../../testbed/system/lock-file.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {installRules} from '../../testbed/sandbox/install.js';
import {testbed} from './_cli.js';

/** The only time at which nobody reads: what is read later has a later one, whatever the mount says (relatime, Linux). */
const longAgo = new Date('2001-01-01T00:00:00Z');

type Bait = {readonly folder: string; readonly file: string; readonly pipe: string; readonly untouched: () => boolean};

/** A harmless rule in a file that nobody may read, and a pipe at which nobody may wait. */
async function bait(): Promise<Bait & AsyncDisposable> {
	const {path: folder, cleanup} = await dir({unsafeCleanup: true});
	const [file, pipe] = [path.join(folder, 'other.nft'), path.join(folder, 'pipe')] as const;
	writeFileSync(file, 'counter comment "from the other file"\n');
	utimesSync(file, longAgo, longAgo);
	execFileSync('mkfifo', [pipe]);
	return {
		folder,
		file,
		pipe,
		untouched() {
			// Whoever had opened the pipe for reading would still wait there, and then this open would succeed (fifo(7): ENXIO without a reader).
			try {
				closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
				return false;
			} catch (error) {
				return (error as NodeJS.ErrnoException).code === 'ENXIO' && statSync(file).atimeMs === longAgo.getTime();
			}
		},
		async [Symbol.asyncDispose]() {
			await cleanup();
		},
	};
}

const chain = (line: string): string => `table inet t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy accept;\n\t\t${line}\n\t\tcounter\n\t}\n}\n`;
const set = (line: string): string => `table inet t {\n\tset s {\n\t\ttype ipv4_addr\n\t\t${line}\n\t}\n}\n`;
const json = (words: string): string => JSON.stringify({nftables: [{table: {family: 'inet', name: 't'}}, {chain: {family: 'inet', table: 't', name: 'c'}}, {rule: {family: 'inet', table: 't', chain: 'c', expr: [{match: {op: '==', left: {payload: {protocol: 'tcp', field: 'dport'}}, right: `80; ${words}; tcp dport`}}]}}]});

test('the test notices if a forbidden file is opened', async t => {
	await using given = await bait();
	t.true(given.untouched());
	execFileSync('cat', [given.file]);
	t.false(given.untouched());
});

for (const [name, write] of [['a chain', chain], ['a set', set], ['JSON', json]] as const) {
	test(`include in ${name} opens nothing, by every command that takes rules`, async t => {
		await using given = await bait();
		for (const target of [given.file, given.pipe]) {
			const rules = path.join(given.folder, 'own.rules');
			writeFileSync(rules, write(`include "${target}"`));
			const scenario = path.join(given.folder, 'own.yaml');
			writeFileSync(scenario, 'version: 1\nname: x\nabout: x\nrules: own.rules\nprobes:\n  - name: p\n    from: app\n    to: remote:8080\n    expect:\n      stops: [remote:8080]\n');
			for (const words of [['run', '--rules', rules], ['probe', '--to', 'remote:8080', '--rules', rules], ['diff', 'release:1.30', rules, '--family', 'ipv4'], ['baseline', 'create', rules, '--family', 'ipv4'], ['mutate', rules], ['rules', rules], ['run', scenario, '--format', 'json']]) {
				const {exitCode, stdout, stderr} = await testbed(words); // eslint-disable-line no-await-in-loop -- Two cores.
				t.is(exitCode, 2, `${words.join(' ')}: ${stderr}`);
				t.is(stdout, '');
				t.regex(stderr, /line \d+: .*(?:"include" is an nft command|one word was expected)/u, words.join(' '));
				t.notRegex(stderr, /from the other file/u);
			}

			t.true(given.untouched());
			rmSync(rules);
		}
	});
}

test('rules that were not made by a parser never reach a tool', async t => {
	await using given = await bait();
	await using netns = Netns.create('inputs');
	await using lockFile = await LockFile.create();
	const [table] = parseNft(chain('accept')).tables;
	const [own] = table!.chains;
	const [rule] = own!.rules;
	const native: RuleSet = {tables: [{...table!, chains: [{...own!, rules: [{...rule!, text: `accept\n\t\tinclude "${given.file}"`}]}]}]};
	const [filter] = parseSave('*filter\n-A OUTPUT -j ACCEPT\nCOMMIT\n', 'ipv4').tables;
	const forged = (text: string): RuleSet => ({tables: [{...filter!, chains: filter!.chains.map(each => ({...each, rules: each.rules.map(one => ({...one, text}))}))}]});
	const marker = path.join(given.folder, 'ran');
	const program = path.join(given.folder, 'program');
	writeFileSync(program, `#!/bin/sh\n: > ${marker}\n`, {mode: 0o755});
	for (const [ruleSet, backend] of [
		[native, 'nftables'],
		[forged(`-j LOG --log-uid "--modprobe=${program}"`), 'iptables-nft'],
		[forged(`-m nosuchmatch --modprobe=${program} -j ACCEPT`), 'iptables-legacy'],
		[forged('-j ACCEPT\n-A OUTPUT -j DROP'), 'iptables-nft'],
		[forged('-m nosuchmatch -j ACCEPT'), 'iptables-legacy'],
		[forged('-j AUDIT --type accept'), 'iptables-nft'],
	] as const) {
		const error = await t.throwsAsync(async () => installRules(netns, { // eslint-disable-line no-await-in-loop -- One namespace.
			ruleSet, backend, families: ['ipv4'], lockFile: lockFile.path,
		}), {instanceOf: TestbedError, code: 'RULES_REJECTED'});
		t.regex(error.state ?? '', /not passed to any tool/u);
	}

	t.true(given.untouched());
	t.throws(() => statSync(marker), {code: 'ENOENT'});
	t.is(await netns.run('nft', ['list', 'ruleset']), '');
});
