/** Baselines on the kernel: which changes they tolerate, which they catch, and when they are inconclusive. */

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

/** Through its file. */
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

/** A summary of a report, so that a failing test explains itself. */
const said = (report: VerificationReport): readonly string[] => [
	verificationOutcome(report),
	...report.statements.map(({traffic, from, to, cause}) => `${traffic.join('; ')}: ${from.join(' > ')} → ${to.join(' > ')}: ${cause.text}`),
	...report.cases.flatMap(({outcome, record: {id, family}}) => outcome === 'same' ? [] : [`${id} ${family} ${outcome}`]),
	...report.gaps.map(({message}) => message),
];

for (const source of ['release:1.30', 'release:1.30 --redirect-dns -x 10.96.0.0/12 -o 9090']) {
	test(`a baseline recorded with iptables-nft holds with iptables-legacy and native nftables, and the reverse: ${source}`, async t => {
		const recorded = await record(source, {families: both});
		t.deepEqual([recorded.lost, recorded.unsent], [[], []]);
		for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
			t.deepEqual(said(await verify(recorded, source, {backend})), ['same'], backend); // eslint-disable-line no-await-in-loop -- Two cores.
		}

		const native = await record(load(source, {families: both, backend: 'nftables'}), {families: both});
		t.deepEqual(said(await verify(native, source, {backend: 'iptables-nft'})), ['same']);
	});
}

test('the same rules give the same file, which is small enough for a pull request and contains no rule numbers', async t => {
	const [one, other] = [await record('release:1.30', {families: both}), await record('release:1.30', {families: both})];
	const text = printBaseline(one.baseline);
	t.is(text, printBaseline(other.baseline));
	t.true(text.length < 200_000, `${text.length} bytes`);
	t.is(printBaseline(parseBaseline(text)), text);
	t.notRegex(JSON.stringify([one.baseline.classes, one.baseline.cases]), /#\d/u);
	t.is(new Set(one.baseline.cases.map(({id, family}) => `${id} ${family}`)).size, 12);
});

test('a baseline stays valid when rules are renumbered: another tool adds a rule at the front, in another chain', async t => {
	const dump = defaultDump();
	const recorded = await record(await inputOf(dump));
	// There are no connections to multicast addresses, so that rule decides nothing.
	const renumbered = await inputOf(replace(dump, '-A OUTPUT -j ISTIO_OUTPUT', '-A OUTPUT -d 224.0.0.9/32 -j RETURN\n-A OUTPUT -j ISTIO_OUTPUT'));
	t.deepEqual([...rulesOf(renumbered.ruleSet)].filter(({rule}) => rule.chain === 'OUTPUT').map(({rule: {number}}) => number), [1, 2]);
	t.deepEqual(said(await verify(recorded, renumbered)), ['same']);
});

test('a changed port is found although no recorded probe uses it: release 1.18 lets 15008 pass where 1.17 did not', async t => {
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

test('a deleted rule is found by the traffic that moved; if it only changes the deciding rule, only where roles are compared', async t => {
	const dump = defaultDump();
	const recorded = await record(await inputOf(dump));
	const gone = await verify(recorded, await inputOf(without(dump, '-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN')));
	t.is(verificationOutcome(gone), 'moved');
	t.true(gone.statements.every(({cause}) => cause.text === 'ISTIO_OUTPUT#4 proxy-uid-bypass is gone'), said(gone).join('\n'));
	t.is(gone.statements[0]!.severity, 'elsewhere');
	t.deepEqual(gone.cases.flatMap(({outcome, record: {id}}) => outcome === 'moved' ? [id] : []), ['2', '3', '5', '6']);

	// The rule for the pod's own traffic comes first for localhost too; both return.
	const other = await inputOf(replace(dump, '-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN', '-A ISTIO_OUTPUT -d 10.9.9.0/24 -j RETURN\n-A ISTIO_OUTPUT -d 127.0.0.1/32 -j RETURN'));
	t.is(verificationOutcome(await verify(recorded, other)), 'moved');
	const silent = await inputOf(replace(dump, '-A OUTPUT -j ISTIO_OUTPUT', '-A OUTPUT -d 10.244.1.20/32 -p udp -j ACCEPT\n-A OUTPUT -j ISTIO_OUTPUT'));
	const byRoles = await verify(recorded, silent);
	t.deepEqual([verificationOutcome(byRoles), ...byRoles.statements.map(({severity}) => severity)], ['moved', 'path'], said(byRoles).join('\n'));
	t.deepEqual(said(await verify(recorded, silent, {areRolesCompared: false})), ['same']);
});

test('a connection that the proxy opens is compared with the record of its own class, not only with the probe of the first one', async t => {
	// Everybody's traffic is captured alike; only the proxy's own connection to one address is dropped.
	const dump = `${defaultDump()}*filter\n:OUTPUT ACCEPT\n-A OUTPUT -d 198.51.100.7/32 -m owner --uid-owner 1337 -j DROP\nCOMMIT\n`;
	const recorded = await record(await inputOf(dump));
	t.deepEqual(said(await verify(recorded, await inputOf(dump))), ['same']);
	// The new rule does nothing but tell that address from others: its path is as before.
	const split = replace(dump, '-A OUTPUT -j ISTIO_OUTPUT', '-A OUTPUT -d 198.51.100.7/32 -p udp -m udp --dport 1 -j RETURN\n-A OUTPUT -j ISTIO_OUTPUT');
	t.deepEqual(said(await verify(recorded, await inputOf(split), {areRolesCompared: false})), ['same']);
	// Without the drop it does differ.
	const open = await verify(recorded, await inputOf(defaultDump()));
	t.true(open.statements.some(({from, to}) => from.includes('dropped') && !to.includes('dropped')), said(open).join('\n'));
});

test('a class without a record, or lost evidence, is inconclusive and never equal', async t => {
	const recorded = await record('release:1.30');
	const less: Recording = {...recorded, baseline: {...recorded.baseline, classes: recorded.baseline.classes.slice(1)}};
	const report = await verify(less, 'release:1.30');
	t.is(verificationOutcome(report), 'inconclusive');
	t.regex(report.gaps[0]!.message, /^The baseline does not say what happened to /u);
	t.is(report.gaps[0]!.kind, 'not-recorded');

	const blind = await verify(recorded, 'release:1.30', {traceBufferBytes: 1});
	t.is(verificationOutcome(blind), 'inconclusive');
	t.true(blind.gaps.some(({kind}) => kind === 'lost-events'), said(blind).join('\n'));
	const {lost} = await record('release:1.30', {traceBufferBytes: 1});
	t.true(lost.length > 0);
});

test('inconclusive: two records of one class that disagree, a record without packets, and a probe that is no longer sent', async t => {
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
	t.true(split.gaps.some(({message}) => message.startsWith('The baseline has contradicting records for packets like ')), said(split).join('\n'));

	const more: Recording = {...recorded, baseline: {...recorded.baseline, cases: [...recorded.baseline.cases, {...recorded.baseline.cases[0]!, id: '9'}]}};
	t.deepEqual(said(await verify(more, 'release:1.30')), ['inconclusive', '9 ipv4 inconclusive', 'type 9 remote-to-local, ipv4 is recorded but was not sent: its number and name no longer exist.']);
});

test('the command line: create, check, report what moved, update, in every format', async t => {
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

	t.regex(text!.stdout, /✖ Moved: \d+ of \d+ packet classes/u);
	t.regex(text!.stdout, /mine\.yaml,\s+probe\s+1\s+out,\s+ipv4/u);
	const failures = elementsOf(parseXml(junit!.stdout), 'testcase').filter(({children}) => children.some(({name}) => name === 'failure')).length;
	const {summary, outcome} = JSON.parse(json!.stdout) as {readonly summary: {readonly moved: number}; readonly outcome: string};
	t.deepEqual([outcome, summary.moved, tap!.stdout.match(/^not ok /gmu)?.length, github!.stdout.match(/^::error /gmu)?.length], ['moved', failures, failures, failures]);
	t.true(failures > 3);
	t.is(readFileSync(file, 'utf8'), first);

	const updated = await testbed(['baseline', 'check', file, dump, '--update']);
	t.is(updated.exitCode, 0, updated.stderr);
	t.regex(updated.stdout, /✖ Moved: /u);
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
	test(`a check finds the same as a direct comparison: ${from}, ${to}`, async t => {
		const [compared, verified] = [
			await compareInputs({
				...shared(), families: ['ipv4'], from: load(from, {families: ['ipv4']}), to: load(to, {families: ['ipv4']}), arePathsCompared: true,
			}),
			await verify(await record(from), to),
		];
		const moves = ({statements}: Pick<VerificationReport, 'statements'>): readonly string[] => [...new Set(statements.map(({severity, from: was, to: is}) => `${severity}: ${was.join(' > ')} → ${is.join(' > ')}`))].toSorted();
		t.is(compared.outcome, 'moved');
		// A baseline has no sockets that are bound to a device.
		t.deepEqual(moves(verified), moves({statements: compared.statements.filter(({example}) => example.bindDevice === undefined)}));
		t.deepEqual(verified.gaps, compared.gaps);
	});
}

test('wrong uses end with status 2, and nothing is written if evidence was lost', async t => {
	const folder = await dir({unsafeCleanup: true});
	const file = path.join(folder.path, 'baseline.json');
	const refused = async (given: readonly string[], pattern: RegExp): Promise<void> => {
		const {exitCode, stderr} = await testbed(given, {input: defaultDump()});
		t.is(exitCode, 2, stderr);
		t.regex(stderr, pattern);
	};

	const blind = await testbed(['baseline', 'create', '--family', 'ipv4', '--trace-buffer', '1', '--output', file]);
	t.is(blind.exitCode, 3);
	t.regex(blind.stderr, /Nothing was recorded because evidence is missing:/u);
	await refused(['baseline', 'check', file], /The baseline cannot be read: .*: no such file\.\n→ (?:bin\/)?testbed baseline create --output /u);
	const recorded = await testbed(['baseline', 'create', '-', '--family', 'ipv4', '--output', file], {input: defaultDump()});
	t.is(recorded.exitCode, 0, recorded.stderr);
	await refused(['baseline', 'check', file], /was created from standard input/u);
	await refused(['baseline', 'check', '-', '-'], /The baseline and the rules cannot both be read from standard input/u);
	await refused(['baseline', 'check', '-', 'release:1.30', '--update'], /--update cannot write a baseline that comes from standard input/u);
	const text = readFileSync(file, 'utf8');
	writeFileSync(file, text.replace('--to-ports 15006', '--to-ports 15007'));
	await refused(['baseline', 'check', file, 'release:1.30'], /the checksum of "ruleText" is not "rules\.sha256"/u);
	writeFileSync(file, text.replace('"version": 2', '"version": 3'));
	await refused(['baseline', 'check', file, 'release:1.30'], /is of version 3/u);
	writeFileSync(file, text);
	await refused(['baseline', 'check', file, 'release:1.30', '--family', 'ipv6'], /covers ipv4, not ipv6\./u);
	const whole = path.join(folder.path, 'both.json');
	const recordedBoth = await testbed(['baseline', 'create', '--output', whole]);
	t.is(recordedBoth.exitCode, 0, recordedBoth.stderr);
	await refused(['baseline', 'check', whole, '-', '--family', 'ipv4', '--update'], /--update would drop ipv6 from /u);
	const part = await testbed(['baseline', 'check', whole, '-', '--family', 'ipv4'], {input: defaultDump()});
	t.is(part.exitCode, 0, part.stdout + part.stderr);
	const piped = await testbed(['baseline', 'check', file, '-'], {input: defaultDump()});
	t.is(piped.exitCode, 0, piped.stdout);
	await refused(['baseline', 'create', '--family', 'ipv4', '--output', path.join(folder.path, 'none', 'x.json')], /cannot be written/u);
	await folder.cleanup();
});
