/** Baselines on the kernel: what they outlive, what they catch, and when they say that they do not know. */

import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import type {Baseline} from '../../src/baseline/baseline.js';
import {parseBaseline, printBaseline} from '../../src/baseline/file.js';
import {rulesOf} from '../../src/netfilter/lookup.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {verificationOutcome, type VerificationReport} from '../../src/report/verification/types.js';
import type {RuleInput} from '../../testbed/inputs/types.js';
import {compareInputs} from '../../testbed/analysis/compare.js';
import {recordBaseline, type Recording} from '../../testbed/analysis/record-baseline.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {verifyBaseline} from '../../testbed/analysis/verify-baseline.js';
import {elementsOf, parseXml} from '../helpers/junit.js';
import {testbed} from './_cli.js';
import {
	defaultDump, inputOf, optionsOf, replace, without,
} from './_run.js';

const both: readonly AddressFamily[] = ['ipv4', 'ipv6'];
const shared = (traceBufferBytes = 64 << 20) => {
	const {credentials, timeoutMs, signal, onProgress} = optionsOf();
	return {
		credentials, timeoutMs, signal, onProgress, traceBufferBytes,
	};
};

type RecordChoices = {readonly families?: readonly AddressFamily[]; readonly scenarios?: readonly string[]; readonly traceBufferBytes?: number};

async function record(rules: RuleInput | string, {families = ['ipv4'], scenarios = [], traceBufferBytes}: RecordChoices = {}): Promise<Recording> {
	return recordBaseline({
		...shared(traceBufferBytes), rules: typeof rules === 'string' ? load(rules, {families}) : rules, families, scenarios, request: {source6: undefined, dnsServers: undefined},
	});
}

type VerifyChoices = {readonly backend?: Backend; readonly areRolesCompared?: boolean; readonly traceBufferBytes?: number};

/** By the way of its file. */
async function verify({baseline}: Recording, rules: RuleInput | string, {backend, areRolesCompared = true, traceBufferBytes}: VerifyChoices = {}): Promise<VerificationReport> {
	const read = parseBaseline(printBaseline(baseline));
	return verifyBaseline({
		...shared(traceBufferBytes), file: 'baseline.json', baseline: read, rules: typeof rules === 'string' ? load(rules, {families: read.rules.families, ...(backend === undefined ? {} : {backend})}) : rules, areRolesCompared,
	});
}

function load(source: string, {families, backend}: {readonly families: readonly AddressFamily[]; readonly backend?: Backend}): RuleInput {
	return loadRuleInput({
		source, source6: undefined, families, ...(backend === undefined ? {} : {backend}),
	});
}

/** What a report says, so that a red test explains itself. */
const said = (report: VerificationReport): readonly string[] => [
	verificationOutcome(report),
	...report.statements.map(({traffic, from, to, cause}) => `${traffic.join('; ')}: ${from.join(' > ')} → ${to.join(' > ')}: ${cause.text}`),
	...report.cases.flatMap(({outcome, record: {id, family}}) => outcome === 'same' ? [] : [`${id} ${family} ${outcome}`]),
	...report.gaps.map(({message}) => message),
];

for (const source of ['release:1.30', 'release:1.30 --redirect-dns -x 10.96.0.0/12 -o 9090']) {
	test(`recorded by iptables-nft, the same by iptables-legacy and native nftables, and the other way round: ${source}`, async t => {
		const recorded = await record(source, {families: both});
		t.deepEqual([recorded.lost, recorded.unsent], [[], []]);
		for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
			t.deepEqual(said(await verify(recorded, source, {backend})), ['same'], backend); // eslint-disable-line no-await-in-loop -- Two cores.
		}

		const native = await record(load(source, {families: both, backend: 'nftables'}), {families: both});
		t.deepEqual(said(await verify(native, source, {backend: 'iptables-nft'})), ['same']);
	});
}

test('the same rules give the same file, small enough for a pull request, without a number of a rule', async t => {
	const [one, other] = [await record('release:1.30', {families: both}), await record('release:1.30', {families: both})];
	const text = printBaseline(one.baseline);
	t.is(text, printBaseline(other.baseline));
	t.true(text.length < 200_000, `${text.length} bytes`);
	t.is(printBaseline(parseBaseline(text)), text);
	t.notRegex(JSON.stringify([one.baseline.classes, one.baseline.cases]), /#\d/u);
	t.is(new Set(one.baseline.cases.map(({id, family}) => `${id} ${family}`)).size, 12);
});

test('it outlives other numbers: a rule of somebody else stands in front, in another chain', async t => {
	const dump = defaultDump();
	const recorded = await record(await inputOf(dump));
	// For a multicast address no connection is made, so that rule decides nothing.
	const renumbered = await inputOf(replace(dump, '-A OUTPUT -j ISTIO_OUTPUT', '-A OUTPUT -d 224.0.0.9/32 -j RETURN\n-A OUTPUT -j ISTIO_OUTPUT'));
	t.deepEqual([...rulesOf(renumbered.ruleSet)].filter(({rule}) => rule.chain === 'OUTPUT').map(({rule: {number}}) => number), [1, 2]);
	t.deepEqual(said(await verify(recorded, renumbered)), ['same']);
});

test('a port that no recorded probe has: release 1.18 lets 15008 by where 1.17 did not', async t => {
	const recorded = await record('release:1.17');
	t.false(recorded.baseline.classes.some(({probe: {uid, destination}}) => uid === 1337 && destination.port === 15_008));
	t.deepEqual(said(await verify(recorded, 'release:1.17')), ['same']);
	const report = await verify(recorded, 'release:1.18');
	t.is(verificationOutcome(report), 'moved');
	const [statement] = report.statements;
	t.is(report.statements.length, 1);
	t.like(statement, {severity: 'bypass', from: ['proxy:15006', 'direct'], to: ['direct'], example: {destination: {port: 15_008}}});
	t.regex(statement!.traffic.join(' '), /^TCP from user 1337 .*port 15008$/u);
	t.regex(statement!.cause.text, /^ISTIO_OUTPUT#2 hairpin-by-uid changed/u);
	t.is(report.classes.filter(({outcome}) => outcome === 'moved').length, 1);
});

test('a rule that is gone shows by the traffic that moved; by roles alone only where roles are compared', async t => {
	const dump = defaultDump();
	const recorded = await record(await inputOf(dump));
	const gone = await verify(recorded, await inputOf(without(dump, '-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN')));
	t.is(verificationOutcome(gone), 'moved');
	t.true(gone.statements.every(({cause}) => cause.text === 'ISTIO_OUTPUT#4 proxy-uid-bypass is gone'), said(gone).join('\n'));
	t.is(gone.statements[0]!.severity, 'elsewhere');
	t.deepEqual(gone.cases.flatMap(({outcome, record: {id}}) => outcome === 'moved' ? [id] : []), ['2', '5', '6']);

	// The rule for the pod's own traffic comes first for localhost too; both return.
	const other = await inputOf(replace(dump, '-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN', '-A ISTIO_OUTPUT -d 10.9.9.0/24 -j RETURN\n-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN'));
	t.is(verificationOutcome(await verify(recorded, other)), 'moved');
	const silent = await inputOf(replace(dump, '-A OUTPUT -j ISTIO_OUTPUT', '-A OUTPUT -d 10.244.1.20/32 -p udp -j ACCEPT\n-A OUTPUT -j ISTIO_OUTPUT'));
	const byRoles = await verify(recorded, silent);
	t.deepEqual([verificationOutcome(byRoles), ...byRoles.statements.map(({severity}) => severity)], ['moved', 'path'], said(byRoles).join('\n'));
	t.deepEqual(said(await verify(recorded, silent, {areRolesCompared: false})), ['same']);
});

test('what is sent on is held against what is recorded of it, not only against the probe that stands for the class', async t => {
	// Everybody's traffic is captured alike; only the proxy's own connection to one address is dropped.
	const dump = `${defaultDump()}*filter\n:OUTPUT ACCEPT\n-A OUTPUT -d 198.51.100.7/32 -m owner --uid-owner 1337 -j DROP\nCOMMIT\n`;
	const recorded = await record(await inputOf(dump));
	t.deepEqual(said(await verify(recorded, await inputOf(dump))), ['same']);
	// The new rule does nothing but tell that address from others: what becomes of it is as before.
	const split = replace(dump, '-A OUTPUT -j ISTIO_OUTPUT', '-A OUTPUT -d 198.51.100.7/32 -p udp -m udp --dport 1 -j RETURN\n-A OUTPUT -j ISTIO_OUTPUT');
	t.deepEqual(said(await verify(recorded, await inputOf(split), {areRolesCompared: false})), ['same']);
	// Without the drop it is another matter.
	const open = await verify(recorded, await inputOf(defaultDump()));
	t.true(open.statements.some(({from, to}) => from.includes('dropped') && !to.includes('dropped')), said(open).join('\n'));
});

test('no record of a class, or evidence that is lost, is a doubt and never the same', async t => {
	const recorded = await record('release:1.30');
	const less: Recording = {...recorded, baseline: {...recorded.baseline, classes: recorded.baseline.classes.slice(1)}};
	const report = await verify(less, 'release:1.30');
	t.is(verificationOutcome(report), 'inconclusive');
	t.regex(report.gaps[0]!.message, /^The baseline does not say what became of /u);
	t.is(report.gaps[0]!.kind, 'not-recorded');

	const blind = await verify(recorded, 'release:1.30', {traceBufferBytes: 1});
	t.is(verificationOutcome(blind), 'inconclusive');
	t.true(blind.gaps.some(({kind}) => kind === 'lost-events'), said(blind).join('\n'));
	const {lost} = await record('release:1.30', {traceBufferBytes: 1});
	t.true(lost.length > 0);
});

test('two records of one class that do not agree, a record of nobody\'s packets, and a probe that is not sent any more', async t => {
	const recorded = await record('release:1.30');
	const [first, ...rest] = recorded.baseline.classes;
	const withClasses = (classes: Baseline['classes']): Recording => ({...recorded, baseline: {...recorded.baseline, classes}});
	const stranger = {...first!, probe: {...first!.probe, source: '192.0.2.1'}, traffic: ['a stranger\'s']};
	const report = await verify(withClasses([stranger, first!, ...rest]), 'release:1.30');
	t.deepEqual(said(report), ['inconclusive', 'The probe of a recorded class cannot be sent here: ipv4 a stranger\'s.', 'Nothing was compared with the recorded class ipv4 a stranger\'s.']);

	const captured = recorded.baseline.classes.find(({arrivals}) => arrivals[0] === 'proxy:15001')!;
	const contrary = [{...captured, probe: {...captured.probe, destination: {address: '192.0.2.8', port: 4}}}, {...captured, arrivals: ['dropped'], probe: {...captured.probe, destination: {address: '192.0.2.9', port: 5}}}];
	const split = await verify(withClasses([...recorded.baseline.classes.filter(each => each !== captured), ...contrary]), 'release:1.30');
	t.is(verificationOutcome(split), 'inconclusive', said(split).join('\n'));
	t.true(split.gaps.some(({message}) => message.startsWith('The baseline says several things of the packets around ')), said(split).join('\n'));

	const more: Recording = {...recorded, baseline: {...recorded.baseline, cases: [...recorded.baseline.cases, {...recorded.baseline.cases[0]!, id: '9'}]}};
	t.deepEqual(said(await verify(more, 'release:1.30')), ['inconclusive', '9 ipv4 inconclusive', 'type 9 remote-to-local, ipv4 is recorded, and was not sent: there is none of that number and name any more.']);
});

test('the command line: recorded, verified, moved, written anew, in every format', async t => {
	const folder = await dir({unsafeCleanup: true});
	const [file, dump, scenario] = ['baseline.json', 'new.rules', 'mine.yaml'].map(name => path.join(folder.path, name)) as [string, string, string];
	writeFileSync(scenario, 'version: 1\nname: mine\nabout: One connection.\nrules: release:1.10\nprobes:\n  - {name: out, from: app, to: "remote:8080", expect: {stops: [proxy:15001, remote:8080]}}\n');
	const recorded = await testbed(['baseline', 'create', 'release:1.30', '--family', 'ipv4', '--scenarios', scenario, '--output', file]);
	t.deepEqual([recorded.exitCode, recorded.stdout], [0, ''], recorded.stderr);
	t.regex(recorded.stderr, /Recorded 19 packet classes and 7 connections in /u);
	const first = readFileSync(file, 'utf8');
	t.true(parseBaseline(first).cases.some(({of, name, stops}) => of === scenario && name === 'out' && stops.join(' ') === 'proxy:15001 remote:8080'));

	const same = await testbed(['baseline', 'check', file]);
	t.is(same.exitCode, 0, same.stderr);
	t.regex(same.stdout, /✔ As recorded: 19 recorded classes and 7 recorded connections\. Compared: 19\s+packet\s+classes\s+in\s+IPv4/u);

	writeFileSync(dump, replace(defaultDump(), '-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN', '-A ISTIO_OUTPUT -m owner --uid-owner 2000 -j RETURN'));
	const [text, junit, json, tap, github, markdown] = await Promise.all(['text', 'junit', 'json', 'tap', 'github', 'markdown'].map(async format => testbed(['baseline', 'check', file, dump, '--format', format], {env: {GITHUB_STEP_SUMMARY: ''}})));
	for (const {exitCode, stderr} of [text!, junit!, json!, tap!, github!, markdown!]) {
		t.is(exitCode, 1, stderr);
	}

	t.regex(text!.stdout, /✘ Moved: \d+ of \d+ packet classes/u);
	t.regex(text!.stdout, /mine\.yaml,\s+probe\s+1\s+out,\s+ipv4/u);
	const failures = elementsOf(parseXml(junit!.stdout), 'testcase').filter(({children}) => children.some(({name}) => name === 'failure')).length;
	const {summary, outcome} = JSON.parse(json!.stdout) as {readonly summary: {readonly moved: number}; readonly outcome: string};
	t.deepEqual([outcome, summary.moved, tap!.stdout.match(/^not ok /gmu)?.length, github!.stdout.match(/^::error /gmu)?.length], ['moved', failures, failures, failures]);
	t.true(failures > 3);
	t.is(readFileSync(file, 'utf8'), first);

	const updated = await testbed(['baseline', 'check', file, dump, '--update']);
	t.is(updated.exitCode, 0, updated.stderr);
	t.regex(updated.stdout, /✘ Moved: /u);
	t.not(readFileSync(file, 'utf8'), first);
	const again = await testbed(['baseline', 'check', file]);
	t.is(again.exitCode, 0, again.stdout);
	await folder.cleanup();
});

// What was compared side by side on the kernel, with `diff`, must come out of a recording as well.
for (const [from, to] of [
	['release:1.10', 'release:1.30 -x 10.96.0.0/12 -o 9090'],
	['release:1.30 -u 64535,1337', 'release:1.30 -b 8080,9080'],
	['release:1.24 -i 10.0.0.0/8', 'release:1.30 -g 1337 -d 22,80'],
	['release:1.28 --redirect-dns', 'release:1.17'],
] as const) {
	test(`a verification says what the comparison side by side says: ${from}, ${to}`, async t => {
		const [compared, verified] = [
			await compareInputs({
				...shared(), families: ['ipv4'], from: load(from, {families: ['ipv4']}), to: load(to, {families: ['ipv4']}), arePathsCompared: true,
			}),
			await verify(await record(from), to),
		];
		const moves = ({statements}: Pick<VerificationReport, 'statements'>): readonly string[] => [...new Set(statements.map(({severity, from: was, to: is}) => `${severity}: ${was.join(' > ')} → ${is.join(' > ')}`))].toSorted();
		t.is(compared.outcome, 'moved');
		t.deepEqual(moves(verified), moves(compared));
		t.deepEqual(verified.gaps, compared.gaps);
	});
}

test('the command line refuses with 2, and writes nothing where evidence is lost', async t => {
	const folder = await dir({unsafeCleanup: true});
	const file = path.join(folder.path, 'baseline.json');
	const refused = async (given: readonly string[], pattern: RegExp): Promise<void> => {
		const {exitCode, stderr} = await testbed(given, {input: defaultDump()});
		t.is(exitCode, 2, stderr);
		t.regex(stderr, pattern);
	};

	const blind = await testbed(['baseline', 'create', '--family', 'ipv4', '--trace-buffer', '1', '--output', file]);
	t.is(blind.exitCode, 3);
	t.regex(blind.stderr, /Nothing was recorded: the evidence is not whole\./u);
	await refused(['baseline', 'check', file], /The baseline cannot be read: .*: no such file\.\n→ testbed baseline create --output /u);
	const recorded = await testbed(['baseline', 'create', '-', '--family', 'ipv4', '--output', file], {input: defaultDump()});
	t.is(recorded.exitCode, 0, recorded.stderr);
	await refused(['baseline', 'check', file], /was created from standard input/u);
	await refused(['baseline', 'check', '-', '-'], /Baseline and rules would both be read from standard input/u);
	await refused(['baseline', 'check', '-', 'release:1.30', '--update'], /--update cannot write a baseline that comes from standard input/u);
	const text = readFileSync(file, 'utf8');
	writeFileSync(file, text.replace('--to-ports 15006', '--to-ports 15007'));
	await refused(['baseline', 'check', file, 'release:1.30'], /does not have the checksum/u);
	writeFileSync(file, text.replace('"version": 1', '"version": 2'));
	await refused(['baseline', 'check', file, 'release:1.30'], /is of version 2/u);
	writeFileSync(file, text);
	await refused(['baseline', 'check', file, 'release:1.30', '--family', 'ipv6'], /covers ipv4 and has no ipv6\./u);
	const whole = path.join(folder.path, 'both.json');
	const recordedBoth = await testbed(['baseline', 'create', '--output', whole]);
	t.is(recordedBoth.exitCode, 0, recordedBoth.stderr);
	await refused(['baseline', 'check', whole, '-', '--family', 'ipv4', '--update'], /--update would leave ipv6 out of /u);
	const part = await testbed(['baseline', 'check', whole, '-', '--family', 'ipv4'], {input: defaultDump()});
	t.is(part.exitCode, 0, part.stdout + part.stderr);
	const piped = await testbed(['baseline', 'check', file, '-'], {input: defaultDump()});
	t.is(piped.exitCode, 0, piped.stdout);
	await refused(['baseline', 'create', '--family', 'ipv4', '--output', path.join(folder.path, 'none', 'x.json')], /cannot be written/u);
	await folder.cleanup();
});
