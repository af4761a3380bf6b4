/** `testbed run` in the formats for machines, as a process: one document on stdout, the same cases in each, failures at their lines. */

import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {complaintsAboutJunit, elementsOf, parseXml} from '../helpers/junit.js';
import {testbed} from './_cli.js';
import {defaultDump} from './_run.js';

/** Without the rule that lets the proxy out, so that some types fail and others do not. */
const broken = defaultDump().replace('-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN\n', '');

test('a broken dump: the same failures in every format, each annotation at the line of the deciding rule', async t => {
	const folder = await dir({unsafeCleanup: true});
	const [dump, summary] = ['broken.rules', 'summary.md'].map(name => path.join(folder.path, name)) as [string, string];
	writeFileSync(dump, broken);
	writeFileSync(summary, 'Before.\n');
	const run = async (format: string, env: Record<string, string> = {}) => testbed(['--rules', dump, '--format', format], {env: {GITHUB_STEP_SUMMARY: '', ...env}});
	const [junit, markdown, github, alone] = await Promise.all([run('junit'), run('markdown'), run('github', {GITHUB_STEP_SUMMARY: summary}), run('github')]);
	t.deepEqual([junit, markdown, github, alone].map(({exitCode}) => exitCode), [1, 1, 1, 1]);

	const document = parseXml(junit.stdout);
	t.deepEqual(complaintsAboutJunit(document), []);
	const failed = elementsOf(document, 'testcase').filter(({children}) => children.some(({name}) => name === 'failure')).map(({attributes}) => attributes['name']!);
	t.true(failed.length > 0 && failed.length < 6);
	t.is(elementsOf(document, 'testcase').length, 6);

	const rows = markdown.stdout.split('\n').filter(line => line.startsWith('| ') && !line.startsWith('| outcome'));
	t.is(rows.length, 6);
	t.deepEqual(rows.filter(row => row.includes('**fail**')).map(row => /<code>(?<name>[^<]*)/u.exec(row)!.groups!['name']), failed);

	const commands = github.stdout.split('\n').filter(line => line.startsWith('::'));
	t.is(commands.length, failed.length);
	for (const command of commands) {
		const {file, line} = /^::error file=(?<file>[^,]*),line=(?<line>\d+),title=/u.exec(command)!.groups!;
		const {chain, number} = /: (?<chain>\w+)#(?<number>\d+) \(/u.exec(command)!.groups!;
		const lines = broken.split('\n').filter(text => text.startsWith(`-A ${chain} `));
		t.is(file, dump);
		t.is(broken.split('\n')[Number(line) - 1], lines[Number(number) - 1]);
	}

	t.is(github.stdout.split('\n').length, commands.length + 2);
	t.regex(readFileSync(summary, 'utf8'), /^Before\.\n## ✖ /u);
	t.true(alone.stdout.startsWith(github.stdout));
	t.regex(alone.stdout, /\n\n## ✖ <code>testbed run<\/code>: /u);
	await folder.cleanup();
});

test('a scenario on several back ends: a suite for each, and the line of the probe that failed', async t => {
	const folder = await dir({unsafeCleanup: true});
	const file = path.join(folder.path, 'mine.yaml');
	writeFileSync(file, `version: 1
name: mine
about: One of two is wrong.
rules: release:1.30
probes:
  - name: right
    from: app
    to: remote:8080
    expect: {stops: [proxy:15001, remote:8080]}
  - name: wrong
    from: app
    to: remote:8080
    expect: {stops: [remote:8080]}
`);
	const [github, junit] = await Promise.all([
		testbed(['run', file, '--backend', 'iptables-nft,nftables', '--format', 'github'], {env: {GITHUB_STEP_SUMMARY: ''}}),
		testbed(['run', file, '--backend', 'iptables-nft,nftables', '--format', 'junit']),
	]);
	t.is(github.exitCode, 1, github.stderr);
	const commands = github.stdout.split('\n').filter(line => line.startsWith('::'));
	t.deepEqual(commands.map(command => command.replace(/::Leg.*$/u, '')), ['iptables-nft', 'nftables'].map(backend => `::error file=${file},line=10,title=probe 2 wrong%2C ipv4 (mine%2C ${backend})`));
	t.deepEqual(elementsOf(parseXml(junit.stdout), 'testsuite').map(({attributes: {name, tests, failures, errors}}) => [name, tests, failures, errors]), [['mine, iptables-nft', '2', '1', '0'], ['mine, nftables', '2', '1', '0']]);
	await folder.cleanup();
});

test('a gap is inconclusive in every format, and never a pass', async t => {
	const given = ['--types', '1', '--trace-buffer', '1', '--format'];
	const [tap, junit, markdown, github] = await Promise.all(['tap', 'junit', 'markdown', 'github'].map(async format => testbed([...given, format], {env: {GITHUB_STEP_SUMMARY: ''}})));
	t.deepEqual([tap, junit, markdown, github].map(ended => ended!.exitCode), [3, 3, 3, 3]);
	t.regex(tap!.stdout, /^not ok 1 [\s\S]* {2}outcome: inconclusive\n/mu);
	t.is(elementsOf(parseXml(junit!.stdout), 'error').length, 1);
	t.is(elementsOf(parseXml(junit!.stdout), 'failure').length, 0);
	t.regex(markdown!.stdout, /\| \? \*\*inconclusive\*\* \|/u);
	t.regex(github!.stdout, /^::warning title=type 1 /u);
});
