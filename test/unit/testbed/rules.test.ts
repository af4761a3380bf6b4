/** The command `rules` without a process, and once as a process that finds neither iptables nor nft. */

import {createHash} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import {execa} from 'execa';
import {dir} from 'tmp-promise';
import {parseReleaseInput} from '../../../src/istio/options/arguments.js';
import {sidecarRuleSet} from '../../../src/istio/iptables/sidecar.js';
import {sidecarRouting} from '../../../src/istio/routing.js';
import {parseSave} from '../../../src/netfilter/iptables/save.js';
import {intentOf} from '../../../src/istio/intent.js';
import {istio} from '../../../src/istio/mesh.js';
import {showRules, type RulesFlags, type RulesOutput} from '../../../testbed/cli/commands/rules.js';
import type {RuleInput} from '../../../testbed/inputs/types.js';
import type {MissingInput} from '../../../testbed/inputs/request.js';
import {TestbedError, type ErrorCode} from '../../../testbed/errors.js';

function show(input: string | undefined, flags: Partial<RulesFlags> = {}): RulesOutput {
	return showRules(input, {
		family: ['ipv4'], format: 'text', ...flags,
	}, {terminal: {color: false, width: 80}});
}

/** The input of a release, also one that a run has no expectation for. */
function inputOf(source: string, changes: Partial<RuleInput> = {}): RuleInput {
	const {release, options} = parseReleaseInput(source);
	const ruleSet = sidecarRuleSet(release, options, ['ipv4']);
	return {
		source, release: release.asked, mesh: istio, backend: 'iptables-nft', ruleSet, routing: sidecarRouting(options, ['ipv4']), warnings: [], notes: [], reference: ruleSet, intent: intentOf({options, release}), ...changes,
	};
}

/** Shows inputs that a loader gives. */
function showLoaded(inputs: readonly RuleInput[], flags: Partial<RulesFlags> = {}, missing: readonly MissingInput[] = []): RulesOutput {
	return showRules('given', {
		family: ['ipv4'], format: 'text', ...flags,
	}, {terminal: {color: false, width: 80}, load: () => ({inputs, missing})});
}

/** Writes files into a folder that goes with the test, and returns their names. */
async function files(t: {teardown: (undo: () => Promise<void>) => void}, texts: Readonly<Record<string, string>>): Promise<(name: string) => string> {
	const folder = await dir({unsafeCleanup: true});
	t.teardown(async () => folder.cleanup());
	for (const [name, text] of Object.entries(texts)) {
		writeFileSync(path.join(folder.path, name), text);
	}

	return name => path.join(folder.path, name);
}

const dumps = {
	ipv4: '*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n',
	ipv6: '*nat\n-A OUTPUT -d ::1 -p tcp --dport 80 -j ACCEPT\nCOMMIT\n',
	other: '*nat\n-A OUTPUT -p tcp --dport 80 -j ACCEPT\nCOMMIT\n',
};

test('without an input: the newest release', t => {
	const {stdout, stderr, status} = show(undefined);
	t.is(stdout, show('release:latest').stdout);
	t.is(parseSave(stdout, 'ipv4').tables.length, 1);
	t.is(stderr, '');
	t.is(status, 0);
});

test('a dump of each family, with headings', async t => {
	const file = await files(t, dumps);
	const {stdout} = show(file('ipv4'), {rules6: file('ipv6'), family: ['ipv4', 'ipv6']});
	const [, ipv4 = '', ipv6 = ''] = stdout.split(/^# ip6?tables \(IPv[46]\)$/mu);
	t.regex(ipv4, /-A OUTPUT -p tcp -m tcp --dport 80 -j ACCEPT/u);
	t.regex(ipv6, /^# ip -6 addr add ::6\/128 dev lo$/mu);
	t.regex(ipv6, /-A OUTPUT -d ::1 -p tcp --dport 80 -j ACCEPT/u);
	t.notRegex(show(file('ipv6'), {family: ['ipv6']}).stdout, /ip6tables/u);
});

test('JSON: the sum is of the rules as text, and the explanation comes with --explain only', t => {
	const plain = JSON.parse(show('release:1.30', {format: 'json'}).stdout) as Record<string, unknown>;
	t.is(plain['sha256'], createHash('sha256').update(show('release:1.30').stdout).digest('hex'));
	t.deepEqual(Object.keys(plain), ['version', 'source', 'release', 'backend', 'identity', 'families', 'sha256', 'rules', 'notes', 'warnings', 'routing', 'tables']);
	t.false(JSON.stringify(plain).includes('explanation'));
	const {tables, unknownTypes} = JSON.parse(show('release:1.30', {format: 'json', explain: true}).stdout) as {
		tables: ReadonlyArray<{chains: ReadonlyArray<{rules: ReadonlyArray<Record<string, unknown>>}>}>; unknownTypes: unknown;
	};
	t.is(unknownTypes, null);
	t.deepEqual(Object.keys(tables[0]!.chains[0]!.rules[0]!), ['number', 'text', 'role', 'opaque', 'matches', 'target', 'explanation']);
});

test('--explain of a dump: the types where they can be told, and why not where they cannot', async t => {
	const file = await files(t, {...dumps, ranges: '*nat\n:ISTIO_OUTPUT -\n-A ISTIO_OUTPUT -d 10.0.0.0/8 -j RETURN\nCOMMIT\n'});
	t.regex(show(file('ipv4'), {explain: true}).stdout, /types whose first packets should match the rule/u);
	t.regex(show(file('ranges'), {explain: true}).stdout.replaceAll(/\s+/gu, ' '), /: a dump does not show which options led to range-exclude/u);
});

test('--diff: status 0 for equal sets, 1 for others, as text and JSON', async t => {
	const file = await files(t, dumps);
	const equal = show(file('ipv4'), {diff: file('other')});
	t.is(equal.status, 0);
	t.regex(equal.stdout, /Equal: 1 rule compared/u);
	const other = show('release:1.30', {diff: 'release:1.30 -u 2000'});
	t.is(other.status, 1);
	t.regex(other.stdout, /6 rules differ \(6 changed\), 12 are the same/u);
	const data = JSON.parse(show('release:1.30', {diff: 'release:1.30 -u 2000', format: 'json'}).stdout) as {equal: boolean; compared: unknown; chains: ReadonlyArray<{changes: readonly unknown[]}>};
	t.false(data.equal);
	t.deepEqual(data.compared, {from: 18, to: 18, same: 12});
	t.is(data.chains.flatMap(({changes}) => changes).length, 6);
	t.is(show(file('ipv4'), {
		rules6: file('ipv6'), diff: file('other'), diff6: file('ipv6'), family: ['ipv4', 'ipv6'],
	}).status, 0);
});

test('options that no type has an expectation for: the rules are printed, and the explanation says that it is not known who needs them', t => {
	const input = inputOf('release:1.30 -m TPROXY -k eth0');
	t.regex(showLoaded([input]).stdout, /-j TPROXY --on-port 15006/u);
	const {stdout} = showLoaded([input], {explain: true});
	t.regex(stdout.replaceAll(/\s+/gu, ' '), /: the types have no expectation for --kube-virt-interfaces with an interface of the pod under TPROXY/u);
	t.notRegex(stdout, /met by/u);
	const data = JSON.parse(showLoaded([input], {explain: true, format: 'json'}).stdout) as {unknownTypes: string};
	t.is(data.unknownTypes, 'the types have no expectation for --kube-virt-interfaces with an interface of the pod under TPROXY');
});

test('the same release by two back ends', t => {
	const equal = show('release:1.30', {diff: 'release:1.30', backend: ['iptables-legacy', 'nftables'], family: ['ipv4', 'ipv6']});
	t.regex(equal.stdout, /from +release:1\.30, iptables-legacy[\s\S]*to +release:1\.30, nftables[\s\S]*Equal: 36 rules compared/u);
	t.is(equal.status, 0);
	// Native rules look at TCP only (Istio 1.30): a true difference.
	const invalid = show('release:1.30 --drop-invalid', {diff: 'release:1.30 --drop-invalid', backend: ['iptables-nft', 'nftables']});
	t.regex(invalid.stdout, /~ invalid-jump at #1 changed: protocol any → tcp\./u);
	t.regex(invalid.stdout, /1 rule differs \(1 changed\)/u);
	t.is(invalid.status, 1);
});

test('warnings go to stderr, of both sides of a comparison, and into the JSON', t => {
	const input = inputOf('release:1.30', {warnings: ['one', 'two']});
	t.is(showLoaded([input]).stderr, 'warning: one\nwarning: two\n');
	t.deepEqual(showLoaded([input], {diff: 'given'}).stderr.split('\n'), [...Array.from({length: 2}, () => ['warning: release:1.30: one', 'warning: release:1.30: two']).flat(), '']);
	t.deepEqual((JSON.parse(showLoaded([input], {format: 'json'}).stdout) as {warnings: unknown}).warnings, ['one', 'two']);
});

test('a source that names several sets, or none', t => {
	const several = t.throws(() => showLoaded([inputOf('release:1.30'), inputOf('release:1.30.3')]), {instanceOf: TestbedError});
	t.is(several.code, 'USAGE');
	t.is(several.message, 'given names 2 rule sets (1.30 by iptables-nft, 1.30.3 by iptables-nft), but rules shows or compares one at a time.');
	t.is(several.hint, 'Name one release and one back end.');
	t.regex(t.throws(() => show('release:all')).message, /^release:all names \d+ rule sets \(1\.5 by iptables-nft … 1\.31 by iptables-legacy\), but rules shows or compares one at a time\.$/u);
	const missing: MissingInput = {
		source: 'given', release: '1.20', backend: 'nftables', reason: 'it has no native rules',
	};
	t.is(t.throws(() => showLoaded([], {}, [missing]), {instanceOf: TestbedError}).message, 'given: it has no native rules');
	t.regex(t.throws(() => showLoaded([inputOf('release:1.30')], {}, [missing])).message, /names 2 rule sets/u);
	t.regex(t.throws(() => show('release:1.30', {backend: ['iptables-nft', 'iptables-legacy']})).message, /1\.30 by iptables-nft, 1\.30 by iptables-legacy/u);
});

const mistakes: ReadonlyArray<{readonly input?: string; readonly flags: Partial<RulesFlags>; readonly code: ErrorCode; readonly message: RegExp; readonly hint?: RegExp}> = [
	{
		flags: {explain: true, diff: 'release:1.30'}, code: 'USAGE', message: /--explain is about one rule set, but --diff compares two/u, hint: /one or the other/u,
	},
	{
		flags: {diff: 'release:1.30', backend: ['iptables-nft', 'iptables-legacy', 'nftables']}, code: 'USAGE', message: /--backend names 3 back ends/u, hint: /one for each/u,
	},
	{
		flags: {diff6: 'x'}, code: 'USAGE', message: /--diff6 works only with --diff/u, hint: /--diff FILE/u,
	},
	{
		input: '-', flags: {diff: '-'}, code: 'USAGE', message: /Standard input can be read only once/u, hint: /to a file/u,
	},
	{
		input: 'x', flags: {rules6: '-', diff: 'y', diff6: '-'}, code: 'USAGE', message: /Standard input can be read only once/u,
	},
	{input: '/nowhere/rules', flags: {}, code: 'INPUT', message: /^The rules cannot be read: \/nowhere\/rules: no such file\.$/u},
	{input: 'release:0.1', flags: {}, code: 'INPUT', message: /^release:0\.1: release 0\.1 is older than 1\.5, the oldest one known; the nearest is 1\.5$/u},
	{flags: {diff: '/nowhere/rules'}, code: 'INPUT', message: /^The rules cannot be read: \/nowhere\/rules: no such file\.$/u},
];

for (const {input, flags, code, message, hint} of mistakes) {
	test(`mistakes: ${input ?? ''} ${JSON.stringify(flags)}`, t => {
		const error = t.throws(() => show(input, flags), {instanceOf: TestbedError});
		t.is(error.code, code);
		t.regex(error.message, message);
		t.regex(error.hint ?? '', hint ?? /^/u);
	});
}

const script = 'import process from \'node:process\'; import {main} from \'./dist/testbed/cli/main.js\'; process.exitCode = await main(process.argv.slice(1));';

test('as a process: no program is needed, the exit status tells, and stdout holds the rules alone', async t => {
	const run = async (...given: readonly string[]) =>
		execa(process.execPath, ['--input-type=module', '-e', script, 'rules', ...given], {
			reject: false, stripFinalNewline: false, env: {PATH: ''}, extendEnv: false,
		});
	const [plain, differing, help, wrong] = await Promise.all([run(), run('--diff', 'release:1.30 -u 2000'), run('--help'), run('--format', 'tap')]);
	t.deepEqual([plain.exitCode, plain.stdout, plain.stderr], [0, show(undefined).stdout, '']);
	t.is(differing.exitCode, 1);
	t.is(help.exitCode, 0);
	t.regex(help.stdout, /--family[\s\S]*Examples:[\s\S]*Exit status: 0 printed, or equal; 1 the two sets differ/u);
	t.deepEqual(help.stdout.split('\n').filter(line => line.length > 80), []);
	t.is(wrong.exitCode, 2);
	t.is(wrong.stderr, 'testbed: --format tap: it must be text or json.\n');
});
