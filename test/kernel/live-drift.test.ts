/**
Drift of live pods: what a pod should do against what it does, with the usual causes.
*/

import test from 'ava';
import {testbed} from './_cli.js';
import type {JsonDiff} from './_diff.js';
import {
	dockerDns, json, LivePodProcess, rulesOfInput, type PodRules,
} from './_live-pod.js';

test.serial('a proxy that the rules do not exempt: its own connections are captured, and the report says why', async t => {
	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.30', 'iptables-nft'), proxy: {uid: 4321, gid: 4321}});
	const {exitCode, report} = await json<JsonDiff>(['diff', 'release:1.30', `pid:${pod.pid}`]);
	t.is(exitCode, 0, 'the rules themselves are equal');
	t.true(report.hints.some(hint => hint.startsWith('The proxy listens as UID 4321, GID 4321, but the rules exempt UID 1337')));
	const run = await testbed(['run', '--rules', `pid:${pod.pid}`]);
	t.is(run.exitCode, 1);
});

/** A pod, what it should be, and what the check says: status, findings, causes. */
const drifts: ReadonlyArray<{
	readonly title: string; readonly rules: readonly PodRules[]; readonly expected: string; readonly status: number; readonly findings: readonly string[]; readonly causes: readonly string[];
}> = [
	{
		title: 'equal', rules: rulesOfInput('release:1.24', 'iptables-legacy'), expected: 'release:1.24', status: 0, findings: [], causes: [],
	},
	{
		title: 'equal in another back end', rules: rulesOfInput('release:1.30', 'nftables'), expected: 'release:1.30', status: 0, findings: [], causes: [],
	},
	{
		title: 'init never ran', rules: [], expected: 'release:1.24', status: 1, findings: ['nothing-captured'], causes: ['no-rules'],
	},
	{
		title: 'without DNS capture', rules: rulesOfInput('release:1.24', 'iptables-nft'), expected: 'release:1.24 --redirect-dns', status: 1, findings: ['dns-bypass', 'captured', 'elsewhere'], causes: [],
	},
	{
		title: 'left from before an upgrade', rules: rulesOfInput('release:1.12', 'iptables-nft'), expected: 'release:1.24', status: 1, findings: ['inbound-bypass', 'captured'], causes: ['other-release'],
	},
	{
		title: 'another tool in front', rules: rulesOfInput('release:1.24', 'iptables-nft').map(({program, input}) => ({program, input: input.replace('-A OUTPUT ', '-A OUTPUT -p tcp -m tcp --dport 443 -j ACCEPT\n-A OUTPUT ')})), expected: 'release:1.24', status: 1, findings: ['outbound-bypass'], causes: ['other-rules'],
	},
	{
		title: 'init ended in the middle', rules: rulesOfInput('release:1.24', 'iptables-nft').map(({program, input}) => ({program, input: input.replaceAll(/^-A OUTPUT .*\n/gmu, '')})), expected: 'release:1.24', status: 1, findings: ['outbound-bypass'], causes: ['partly-installed'],
	},
];

type DriftJson = JsonDiff & {readonly drift?: {readonly findings: ReadonlyArray<{readonly kind: string}>; readonly causes: ReadonlyArray<{readonly kind: string}>}};

for (const {title, rules, expected, status, findings, causes} of drifts) {
	test.serial(`drift: ${title}`, async t => {
		await using pod = await LivePodProcess.start({rules});
		const {exitCode, report, stderr} = await json<DriftJson>(['diff', expected, `pid:${pod.pid}`]);
		t.is(exitCode, status, stderr);
		t.deepEqual(report.drift?.findings.map(({kind}) => kind), findings);
		t.deepEqual(report.drift?.causes.map(({kind}) => kind), causes);
		// A pod without an IPv6 address has nothing to compare there.
		t.deepEqual(report.compared.map(({family}) => family), ['ipv4']);
	});
}

test.serial('two filled back ends: not read without a choice, and with one the other is named', async t => {
	await using pod = await LivePodProcess.start({rules: [...rulesOfInput('release:1.24', 'iptables-nft'), ...dockerDns]});
	const {exitCode, stderr} = await testbed(['diff', 'release:1.24', `pid:${pod.pid}`]);
	t.is(exitCode, 3);
	t.regex(stderr, /2 back ends have rules there.*iptables-nft has \d+ rules \(ip nat, ip6 nat\); iptables-legacy has 2 rules \(ip nat\)/su);
	t.regex(stderr, /--backend iptables-nft, or --backend iptables-legacy/u);
	const chosen = await json<JsonDiff>(['diff', 'release:1.24', `pid:${pod.pid}`, '--backend', 'iptables-nft']);
	t.is(chosen.exitCode, 0);
	t.regex(JSON.stringify(chosen.report.to), /two back ends have rules: those of iptables-legacy are not shown here but take effect as well/u);
});

test.serial('the text of a check says drift and cause', async t => {
	await using pod = await LivePodProcess.start();
	const {exitCode, stdout} = await testbed(['diff', 'release:1.24', `pid:${pod.pid}`]);
	t.is(exitCode, 1);
	t.regex(stdout, /^drift +Nothing is captured: all traffic passes the sidecar by\.$/mu);
	t.regex(stdout, /^cause +No program has written rules in process \d+ \(node\)\./mu);
});
