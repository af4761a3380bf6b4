/** `--check`: what a command would send, and all faults of all inputs at once. Nothing here needs root. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {Checks} from '../../../../testbed/cli/check/checks.js';
import {printPlan} from '../../../../testbed/cli/check/plan.js';
import {TestbedError} from '../../../../testbed/errors.js';
import {faultsIn} from '../../../../testbed/inputs/many-faults.js';
import {runCommandLine} from '../../../helpers/command-line.js';

const folder = await dir({unsafeCleanup: true});
test.after.always(async () => {
	await folder.cleanup();
});

function written(name: string, text: string): string {
	const file = path.join(folder.path, name);
	writeFileSync(file, text);
	return file;
}

const good = written('good.rules', '*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n');
const bad = written('bad.rules', '*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j NOSUCH\nCOMMIT\n');
const worse = written('worse.rules', '*nat\n-A OUTPUT -p tcp -j\nCOMMIT\n');
const scenario = written('one.yaml', 'version: 1\nname: one\nabout: One.\nrules: release:1.30\nbackends: [iptables-nft]\nprobes:\n  - {name: out, from: app, to: \'remote:8080\', expect: {stops: [\'proxy:15001\', \'remote:8080\']}}\n');
const broken = written('broken.yaml', 'version: 1\nname: broken\nabout: None.\nrulez: release:1.30\n');
const batch = written('probes.jsonl', '{"to": "remote:80"}\n\n{"from": "app", "to": "10.96.0.1:443"}\n');
const badBatch = written('bad.jsonl', '{"to": "remote:80"}\nno\n{"too": "remote:80"}\n');
const noBaseline = written('baseline.json', '{}');

/** The values of a printed plan. */
function rowsOf(stdout: string): Readonly<Record<string, string>> {
	return Object.fromEntries([...stdout.matchAll(/^ {2}(?<label>[a-z]+(?: [a-z]+)?) {2,}(?<value>.+)$/gmu)].map(({groups}) => [groups!['label']!, groups!['value']!]));
}

for (const [given, rows] of [
	[['run', '--check', '--rules', 'release:1.30', '--family', 'both', '--backend', 'all'], {
		'rule sets': '3: release:1.30', 'back ends': 'iptables-nft, iptables-legacy, nftables', families: 'IPv4, IPv6', cases: '36',
	}],
	[['--check', '--types', '1,4b', '--rules', 'release:1.30'], {'rule sets': '1: release:1.30', cases: '2'}],
	[['run', scenario, '--check'], {scenarios: '1: one', 'rule sets': '1: release:1.30', cases: '1'}],
	[['run', '--check', '--rules', 'release:1.30', '--filter', 'type [23] '], {cases: '2'}],
	[['probe', '--check', '--rules', good, '--to', 'remote:80'], {probe: 'app to remote:80, as UID 1000', 'rule sets': `1: ${good}`, families: 'IPv4'}],
	[['probe', '--check', '--rules', 'release:1.30', '--batch', batch], {probes: '2', families: 'IPv4, IPv6'}],
	[['diff', '--check', '--family', 'ipv4', 'release:1.24', 'release:1.30'], {'rule sets': '2: release:1.24, release:1.30', pairs: '1', families: 'IPv4'}],
	[['mutate', '--check', 'release:1.30', '--cases', `types,${scenario}`, '--sample', '7'], {cases: `types 6, ${scenario} 1`}],
	[['coverage', '--check', 'release:1.30', '--cases', 'types'], {cases: 'types 6', families: 'IPv4'}],
	[['baseline', 'create', '--check', 'release:1.30', '--scenarios', scenario], {connections: '13', families: 'IPv4, IPv6'}],
] as const) {
	test(`what it would send: ${given.join(' ').replaceAll(folder.path, '')}`, async t => {
		const {exitCode, stdout, stderr} = await runCommandLine(given);
		t.is(exitCode, 0, stderr);
		t.like(rowsOf(stdout), rows, stdout);
		t.regex(stdout, /^testbed [a-z -]+: no fault found\. Nothing was sent\.\n/u);
		t.regex(stdout, /^Not known without the kernel:\n/mu);
	});
}

test('several inputs with faults: all of them are named, with their hints', async t => {
	for (const [given, ...messages] of [
		[['run', '--check', '--rules', bad, '--output', '/nowhere/report.txt'], /^testbed: 2 faults:\n/u, /bad\.rules: line 3: .*NOSUCH/u, /cannot be written to \/nowhere\/report\.txt/u],
		[['run', '--check', '--rules', bad, '--rules6', worse, '--family', 'both'], /^testbed: 2 faults:\n/u, /bad\.rules: line 3: /u, /worse\.rules: line 2: /u],
		[['run', '--check', broken, scenario, '/nowhere/a.yaml', '--output', '/nowhere/o'], /^testbed: 3 faults:\n/u, /broken\.yaml: line 4, .*rulez/u, /\/nowhere\/a\.yaml: no such file/u, /\/nowhere\/o/u],
		[['probe', '--check', '--rules', bad, '--to', 'nowhere:x', '--output', '/nowhere/o'], /^testbed: 3 faults:\n/u, /bad\.rules: line 3/u, /nowhere:x/u, /\/nowhere\/o/u],
		[['probe', '--check', '--rules', bad, '--batch', badBatch], /^testbed: 3 faults:\n/u, /bad\.rules: line 3/u, /bad\.jsonl, line 2: this is not JSON/u, /bad\.jsonl, line 3: .*too/u],
		[['diff', '--check', bad, worse], /^testbed: 2 faults:\n/u, /bad\.rules: line 3/u, /worse\.rules: line 2/u],
		[['mutate', '--check', bad, '--cases', `types,${broken}`], /^testbed: 2 faults:\n/u, /bad\.rules: line 3/u, /rulez/u],
		[['coverage', '--check', bad, '--cases', broken, '--require', 'types'], /^testbed: 3 faults:\n/u, /bad\.rules: line 3/u, /rulez/u, /--require names types/u, /→ Add it: --cases/u],
		[['baseline', 'create', '--check', bad, '--scenarios', broken], /^testbed: 2 faults:\n/u, /bad\.rules: line 3/u, /rulez/u],
		[['baseline', 'check', '--check', noBaseline, bad], /^testbed: 2 faults:\n/u, /baseline\.json/u, /bad\.rules: line 3/u],
	] as const) {
		const {exitCode, stdout, stderr} = await runCommandLine(given); // eslint-disable-line no-await-in-loop -- One process at a time.
		t.deepEqual([exitCode, stdout], [2, ''], `${given.join(' ')}\n${stderr}`);
		for (const message of messages) {
			t.regex(stderr, message);
		}

		t.regex(stderr, /Nothing was run\./u);
	}
});

for (const [given, message] of [
	[['run', '--check', '--shard-output', '/tmp/'], /^testbed: --check sends nothing, so --shard-output cannot be used with it\.\n/u],
	[['run', '--check', '--list'], /^testbed: --list runs nothing, so --check cannot be used with it\.\n/u],
	[['mutate', '--check', '--print', '3'], /^testbed: --check sends nothing, so --print cannot be used with it\.\n/u],
	[['run', '--check', '--backend', 'all', '--pcap', '/tmp/none.pcap'], /^testbed: --pcap works with a single run only/u],
	[['run', '--check', '--format', 'svg'], /^testbed: svg draws one connection, but this run has 6\./u],
	[['run', '--check', '--filter', 'type 9'], /^testbed: --filter type 9: it matches none of the 6 cases/u],
	[['run', '--check', '--rules', 'pid:abc'], /^testbed: pid:abc is not the number of a process\./u],
	[['diff', '--check', 'release:1.24', 'release:1.30', '--limit', '5'], /^testbed: The rules divide the packets of IPv4 into more than 5 classes\./u],
	[['rules', '--check'], /^testbed: rules has no option --check\./u],
	[['probe', '--check', '--rules', 'release:1.30', '--batch', written('empty.jsonl', '\n')], /contains no probes/u],
] as const) {
	test(`refused: ${given.join(' ').replaceAll(folder.path, '')}`, async t => {
		const {exitCode, stdout, stderr} = await runCommandLine(given);
		t.deepEqual([exitCode, stdout], [2, ''], stderr);
		t.regex(stderr, message);
	});
}

test('a live pod is not read, and the plan says what that leaves unknown', async t => {
	const {exitCode, stdout, stderr} = await runCommandLine(['diff', '--check', 'release:1.30', 'netns:no-such-namespace']);
	t.is(exitCode, 0, stderr);
	t.regex(stdout, /What netns:no-such-namespace holds: a live pod is read when the command\s+runs/u);
	t.false(stdout.includes('classes'), stdout);
	const wrong = await runCommandLine(['diff', '--check', bad, 'netns:no-such-namespace']);
	t.is(wrong.exitCode, 2, wrong.stdout);
	t.regex(wrong.stderr, /bad\.rules: line 3/u);
});

test('what cannot be run is named; --quiet prints nothing', async t => {
	const {exitCode, stdout} = await runCommandLine(['run', '--check', '--rules', 'release:1.20', '--backend', 'all']);
	t.is(exitCode, 0);
	t.regex(stdout, /^Would be reported as not run:\n {2}- release:1\.20, nftables: It writes no native nftables rules/mu);
	t.deepEqual(await runCommandLine(['run', '--check', '--quiet']), {exitCode: 0, stdout: '', stderr: ''});
});

test('goes red: without --check, the first fault ends the command; with it, a bug is not taken for a fault', t => {
	const fault = (message: string) => () => {
		throw new TestbedError('INPUT', {message});
	};

	t.throws(() => {
		new Checks().do(fault('one'));
	}, {message: 'one'});
	const checks = new Checks({check: true});
	checks.do(fault('one'));
	checks.do(fault('one'));
	checks.do(fault('two'));
	const error = t.throws(() => {
		checks.end();
	}, {instanceOf: TestbedError});
	t.deepEqual(faultsIn(error).map(({message}) => message), ['one', 'two']);
	t.throws(() => {
		checks.do(() => {
			throw new TypeError('a bug');
		});
	}, {instanceOf: TypeError});
});

test('a plan is wrapped, and a list without entries has no heading', t => {
	const text = printPlan({command: 'run', rows: [['rule sets', '1: release:1.30'], ['cases', '6']]}, {width: 40});
	t.true(text.split('\n').every(line => line.length <= 60));
	t.false(text.includes('not run:'));
	t.false(text.includes('Notes:'));
});
