/**
Live pods: namespaces with real processes and the rules of releases, read where they are. What is read is what was installed, who the proxy is is a fact, nothing changes, and whoever cannot be read is named.
*/

import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import test from 'ava';
import {diffRuleSets, isEqualDiff} from '../../src/judge/rule-diff/rule-diff.js';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import type {Backend} from '../../src/netfilter/types.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {readLive} from '../../testbed/live/read-live.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {testbed, type JsonReport} from './_cli.js';
import {
	dockerDns, json, LivePodProcess, rulesOfInput, type PodRules,
} from './_live-pod.js';

for (const [source, backend] of [
	['release:1.24', 'iptables-nft'],
	['release:1.24', 'iptables-legacy'],
	['release:1.30 --redirect-dns', 'iptables-nft'],
	['release:1.30 -m TPROXY', 'iptables-legacy'],
	['release:1.30', 'nftables'],
	['release:1.30 --redirect-dns', 'nftables'],
] as ReadonlyArray<readonly [string, Backend]>) {
	test.serial(`${source} by ${backend}: the rules as they were installed, and who the proxy is`, async t => {
		await using pod = await LivePodProcess.start({rules: rulesOfInput(source, backend), isDual: true});
		const families = ['ipv4', 'ipv6'] as const;
		const read = loadRuleInput({source: `pid:${pod.pid}`, families});
		const {ruleSet} = loadRuleInput({
			source, families, backend, isForShow: true,
		});
		t.is(read.backend, backend);
		t.true(isEqualDiff(diffRuleSets({from: rulesOfMesh(ruleSet, read.mesh), to: rulesOfMesh(read.ruleSet, read.mesh)}, families)));
		t.deepEqual(read.proxy, {uid: 1337, gid: 1337});
		t.deepEqual(read.apps, [{container: 'node-1000', uid: 1000, gid: 2000}]);
		t.deepEqual(read.live?.filled, [backend]);
		t.deepEqual(read.live?.nameservers, ['10.96.0.10']);
		t.deepEqual(read.live?.devices.toSorted(), ['lo', 'net1', 'peer1']);
		t.true(read.live?.addresses.some(({device, address}) => device === 'net1' && address === '10.7.7.7'));
		t.deepEqual(read.beside, []);
	});
}

test.serial('TPROXY: the routing is read as well, and a pod that lacks it fails as it does', async t => {
	const rules = rulesOfInput('release:1.30 -m TPROXY', 'iptables-nft');
	const proxy = {uid: 0, gid: 1337};
	await using whole = await LivePodProcess.start({rules, proxy, commands: ['ip rule add fwmark 1337 lookup 133', 'ip route add local default dev lo table 133']});
	const {routing} = loadRuleInput({source: `pid:${whole.pid}`, families: ['ipv4']});
	t.deepEqual(routing, {loopbackAddresses: [], markRules: [{family: 'ipv4', mark: 1337, table: 133}], localRoutes: [{family: 'ipv4', destination: '0.0.0.0/0', table: 133}]});
	const right = await testbed(['run', '--types', '1', '--rules', `pid:${whole.pid}`]);
	t.is(right.exitCode, 0, right.stdout);
	await using half = await LivePodProcess.start({rules, proxy});
	const {exitCode} = await testbed(['run', '--types', '1', '--rules', `pid:${half.pid}`]);
	t.true(exitCode === 1 || exitCode === 3, String(exitCode));
});

/** Everything that reading could change: tables and counters of all back ends, sysctls, processes, modules. */
async function snapshot(pod: LivePodProcess): Promise<Readonly<Record<string, unknown>>> {
	const netns = readlinkSync(`/proc/${pod.pid}/ns/net`);
	return {
		nft: await pod.shell('nft -a list ruleset'),
		names: await pod.shell('cat /proc/net/ip_tables_names /proc/net/ip6_tables_names'),
		// Only of tables that are there: asking for others makes them.
		legacy: await pod.shell('for table in $(cat /proc/net/ip_tables_names); do iptables-legacy-save -c -t $table | grep -v "^#"; done; for table in $(cat /proc/net/ip6_tables_names); do ip6tables-legacy-save -c -t $table | grep -v "^#"; done'),
		sysctls: await pod.shell('grep -rs . /proc/sys/net | grep -v -e /flush -e nf_conntrack_count -e /random | sort'),
		network: await pod.shell('ip address; ip rule; ip -6 rule; ip route show table all; ip -6 route show table all; ip -s -s link | grep -c .'),
		processes: readdirSync('/proc').filter(name => {
			try {
				return /^\d+$/u.test(name) && readlinkSync(`/proc/${name}/ns/net`) === netns;
			} catch {
				return false;
			}
		}),
		modules: modulesOf(),
	};
}

function modulesOf(): readonly string[] {
	try {
		return readFileSync('/proc/modules', 'utf8').split('\n').map(line => line.split(' ')[0]!);
	} catch {
		return readdirSync('/sys/module');
	}
}

for (const [title, rules] of [
	['no rules', []],
	['iptables-nft', rulesOfInput('release:1.30 --redirect-dns', 'iptables-nft')],
	['iptables-legacy', rulesOfInput('release:1.30 --redirect-dns', 'iptables-legacy')],
	['nftables', rulesOfInput('release:1.30', 'nftables')],
	['both, one of Docker', [...rulesOfInput('release:1.30', 'iptables-nft'), ...dockerDns]],
] as ReadonlyArray<readonly [string, readonly PodRules[]]>) {
	test.serial(`reading changes nothing: ${title}`, async t => {
		await using pod = await LivePodProcess.start({rules});
		const before = await snapshot(pod);
		for (const source of ['pid', 'netns'] as const) {
			t.truthy(readLive(source, source === 'pid' ? String(pod.pid) : `/proc/${pod.pid}/ns/net`).place);
		}

		t.deepEqual(await snapshot(pod), before);
	});
}

test.serial('the check of changes goes red: what iptables-legacy-save -t does by itself, and a single counted packet', async t => {
	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.30', 'iptables-nft', ['ipv4'])});
	const before = await snapshot(pod);
	await pod.shell('iptables-legacy-save -t nat');
	const made = await snapshot(pod);
	t.notDeepEqual(made['names'], before['names']);
	await pod.shell('bash -c ": > /dev/tcp/10.7.7.7/8080"');
	const counted = await snapshot(pod);
	t.notDeepEqual(counted['nft'], before['nft']);
});

test.serial('pods in a row: a hundred are read one after another, each with its own rules', async t => {
	for (let index = 0; index < 100; index++) {
		const netns = Netns.create(`pod ${index}`);
		try {
			const [{program: [file, ...words], input}] = rulesOfInput(`release:1.30 -o ${10_000 + index}`, index % 2 === 0 ? 'iptables-nft' : 'iptables-legacy', ['ipv4']) as readonly [PodRules];
			await netns.runConfined(file, words, {input}); // eslint-disable-line no-await-in-loop -- In a row.
			const {backend, ruleSet} = loadRuleInput({source: `netns:${netns.path}`, families: ['ipv4']});
			t.is(backend, index % 2 === 0 ? 'iptables-nft' : 'iptables-legacy');
			t.true(JSON.stringify(ruleSet).includes(`--dport ${10_000 + index} `));
		} finally {
			netns.close();
		}
	}
});

test.serial('run and probe play with what was read: the proxy\'s user is a fact', async t => {
	await using pod = await LivePodProcess.start({rules: rulesOfInput('release:1.30 -u 4321 -g 4321', 'iptables-legacy'), proxy: {uid: 4321, gid: 4321}});
	const {exitCode, report} = await json<JsonReport>(['run', '--rules', `pid:${pod.pid}`]);
	t.is(exitCode, 0);
	t.is(report.rules.backend, 'iptables-legacy');
	t.true(report.types.length >= 6);
	t.deepEqual(report.types[0]?.actors['proxy'], {uid: 4321, gid: 4321});
	t.deepEqual(report.types[0]?.actors['app'], {uid: 1000, gid: 2000});
	t.true(report.rules.notes.some(note => note.startsWith(`Read from process ${pod.pid} (node): iptables-legacy has `)));
	t.true(JSON.stringify(report.types[0]?.legs[0]).includes('10.7.7.7'), 'the pod of the sandbox has the address of the pod');
	const probed = await testbed(['probe', '--rules', `netns:/proc/${pod.pid}/ns/net`, '--to', 'remote:8080']);
	t.is(probed.exitCode, 0);
	t.regex(probed.stdout, /app → proxy:15001 → remote:8080/u);
	for (const to of ['10.7.7.7:8080', 'pod:8080']) {
		const entered = await testbed(['probe', '--rules', `pid:${pod.pid}`, '--from', 'remote', '--to', to]); // eslint-disable-line no-await-in-loop -- One after the other.
		t.is(entered.exitCode, 0, entered.stderr);
		t.regex(entered.stdout, /remote → proxy:15006 → app:8080/u);
		t.regex(entered.stdout, /→ 10\.7\.7\.7:8080/u);
	}

	const other = await testbed(['probe', '--rules', `pid:${pod.pid}`, '--from', 'remote', '--to', '10.244.1.10:8080']);
	t.is(other.exitCode, 2, 'the usual address is no longer that of the pod');
});

