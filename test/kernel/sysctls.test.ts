/** What a namespace inherits from the machine makes no difference: every inheritable sysctl is changed first. */

import {
	existsSync, readdirSync, readFileSync, writeFileSync,
} from 'node:fs';
import test from 'ava';
import {addressFamilies, defaultTopology} from '../../src/mesh/topology.js';
import {noExtension, type TopologyExtension} from '../../src/scenario/topology-extension.js';
import {credentialsOf} from '../../testbed/inputs/credentials.js';
import {printRecording, parseRecording} from '../../testbed/recording/file.js';
import {ActorSandbox} from '../../testbed/run/actor-sandbox.js';
import {runTestbed} from '../../testbed/run/run.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {Sandbox} from '../../testbed/sandbox/sandbox.js';
import {neighborSettings, sysctlSettings} from '../../testbed/sandbox/sysctl-table.js';
import type {Sysctls} from '../../testbed/sandbox/sysctls.js';
import {readScenario} from '../../testbed/inputs/scenarios.js';
import {optionsOf, outcomesOf} from './_run.js';

/** All sysctls below some folders of a namespace, but those that nobody can read. */
function sysctlsOf(netns: Netns, folders: readonly string[]): Sysctls {
	const below = (folder: string): readonly string[] => readdirSync(`/proc/sys/${folder}`, {withFileTypes: true}).flatMap(entry => entry.isDirectory() ? below(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]);
	return netns.enter(() => Object.fromEntries(folders.flatMap(folder => below(folder)).flatMap(name => {
		try {
			return [[name, readFileSync(`/proc/sys/${name}`, 'utf8').trim().replaceAll(/\s+/gu, ' ')] as const];
		} catch {
			return []; // Written only (`route/flush`), or without a value (`stable_secret`).
		}
	})));
}

/** What a new namespace can take from the machine (see the head of sysctl-table.ts). */
const handedDown = ['net/ipv4/conf', 'net/ipv6/conf', 'net/ipv4/neigh', 'net/ipv6/neigh'] as const;

/** Another value for each of them that takes one. */
async function hostileSysctls(): Promise<Sysctls> {
	await using netns = Netns.create('hostile', ['lo']);
	const hostile: Record<string, string> = {};
	// Before the others, for it resets them.
	for (const [name, value] of [['net/ipv4/ip_forward', '1'], ...Object.entries(sysctlsOf(netns, handedDown)).map(([key, found]) => [key, found === '0' ? '1' : (found === '1' ? '0' : String(Number(found) + 1))] as const)] as const) {
		try {
			netns.enter(() => {
				writeFileSync(`/proc/sys/${name}`, value);
			});
			hostile[name] = value;
		} catch {} // It takes no such value, and so no machine hands it down.
	}

	return {
		...hostile,
		'net/ipv4/tcp_rmem': '8192 65536 131072',
		'net/ipv4/tcp_wmem': '8192 65536 131072',
		'net/ipv4/ip_local_port_range': '1024 2047',
		'net/ipv4/ip_unprivileged_port_start': '1000',
		'net/ipv4/tcp_fwmark_accept': '1',
		'net/ipv4/fwmark_reflect': '1',
		'net/ipv4/ip_nonlocal_bind': '1',
		'net/ipv6/ip_nonlocal_bind': '1',
		'net/ipv6/bindv6only': '1',
	};
}

/** What may differ afterwards, because no answer of the testbed depends on it. */
const indifferent = [
	/** The kernel's own membership reports, which the trace table keeps from the rules; and how soon they are sent. */
	/igmpv\d_unsolicited_report_interval$|mldv\d_unsolicited_report_interval$|force_igmp_version$|force_mld_version$/u,
	/** What is made of advertisements of routers, of which `accept_ra` takes none, and how routers are asked for, of which none is asked. */
	/\/accept_ra_\w+$|\/ra_\w+$|\/autoconf$|router_solicitation\w*$|router_probe_interval$|suppress_frag_ndisc$/u,
	/** Temporary addresses, of which `use_tempaddr` makes none. */
	/\/temp_\w+_lft$|\/max_desync_factor$|\/regen_\w+$/u,
	/** Detection of duplicates, which `accept_dad` turns off. */
	/\/dad_transmits$|\/enhanced_dad$|\/use_optimistic$|\/addr_gen_mode$|conf\/lo\/accept_dad$/u,
	/** Extension headers of IPv6 that nobody sends; packet classes that no rule sees. */
	/\/ioam6_\w+$|\/rpl_seg_enabled$|\/seg6_require_hmac$|\/ndisc_tclass$|\/force_tllao$|\/accept_untracked_na$/u,
	/** DHCP relays, and marks of devices that nothing reads (medium_id is for proxy_arp). */
	/\/bootp_relay$|\/tag$|\/medium_id$/u,
	/** The smallest size that routes may say; an interface has its own. */
	/conf\/(?:all|default)\/mtu$/u,
	/** The kernel turns IPsec off on `lo` by itself; there are no policies. */
	/conf\/lo\/disable_(?:policy|xfrm)$/u,
	/** How long a neighbor entry is valid: all are permanent, or there is none. */
	/neigh\/.*\/(?:base_reachable_time_ms|delay_first_probe_time|gc_stale_time|interval_probe_time_ms|proxy_qlen|unres_qlen|unres_qlen_bytes|proxy_delay|anycast_delay|locktime|base_reachable_time|retrans_time)$/u,
];

const withVm: TopologyExtension = {
	...noExtension,
	interfaces: [{
		name: 'docker0', namespace: 'containers', addresses: {ipv4: {pod: '172.17.0.1', peer: '172.17.0.2', prefixLength: 16}}, routes: [],
	}],
};

for (const [title, extension] of [['the pod and its neighbourhood', noExtension], ['a pod with a further interface', withVm]] as const) {
	test.serial(`${title}: every sysctl that a namespace could inherit has the value of a machine that changed nothing`, async t => {
		const hostile = await hostileSysctls();
		for (const name of ['net/ipv4/conf/all/route_localnet', 'net/ipv4/conf/lo/route_localnet', 'net/ipv4/conf/default/rp_filter', 'net/ipv4/conf/all/accept_local', 'net/ipv6/conf/default/forwarding', 'net/ipv4/ip_forward']) {
			t.is(hostile[name], '1', name);
		}

		await using usual = Sandbox.create(extension);
		await using handed = Sandbox.create(extension, {presetSysctls: hostile});
		await usual.configure(defaultTopology);
		await handed.configure(defaultTopology);
		const names = ['pod', 'remote', ...extension.interfaces.map(({namespace}) => namespace)];
		for (const name of names) {
			const [wanted, found] = [usual, handed].map(sandbox => sysctlsOf(sandbox.namespace(name), ['net/ipv4', 'net/ipv6', 'net/mptcp', 'net/core'])) as [Sysctls, Sysctls];
			t.deepEqual(Object.keys(found), Object.keys(wanted));
			t.deepEqual(
				Object.entries(found).filter(([key, value]) => value !== wanted[key] && indifferent.every(pattern => !pattern.test(key))).map(([key, value]) => `${name}: ${key} is ${value} and not ${wanted[key]}`),
				[],
			);
		}

		t.deepEqual(handed.sysctls, usual.sysctls);
		for (const [name, noted] of usual.sysctls) {
			const found = sysctlsOf(usual.namespace(name), ['net']);
			t.true(Object.keys(noted).length > 150);
			t.deepEqual(noted, Object.fromEntries(Object.keys(noted).map(key => [key, found[key]])), 'what is noted is what the kernel has');
		}
	});
}

test('the table names each sysctl once, with a reason', t => {
	t.is(new Set(sysctlSettings.map(({name}) => name)).size, sysctlSettings.length);
	t.true([...sysctlSettings, ...neighborSettings].every(({why}) => why.endsWith('.')));
});

test.serial('a run has the same outcomes on a machine that passes everything on, and its recording has the namespaces\' values', async t => {
	const presetSysctls = await hostileSysctls();
	const usual = await runTestbed(optionsOf({families: addressFamilies}));
	const handed = await runTestbed({...optionsOf({families: addressFamilies, presetSysctls}), isRecorded: true});
	t.deepEqual(outcomesOf(handed.report), outcomesOf(usual.report));
	const recording = parseRecording(printRecording({what: 'run', entries: [{kind: 'evidence', evidence: handed.evidence}]}), 'a recording');
	const [entry] = recording.entries;
	const sysctls = entry?.kind === 'evidence' ? Object.fromEntries(entry.evidence.play.sysctls ?? []) : {};
	t.deepEqual(Object.keys(sysctls), ['pod', 'remote']);
	t.like(sysctls['pod'], {'net/ipv4/conf/all/route_localnet': '0', 'net/ipv4/ip_unprivileged_port_start': '0', 'net/ipv4/neigh/eth0/mcast_solicit': '3'});
	t.deepEqual(sysctls, Object.fromEntries(usual.evidence.play.sysctls ?? []));
});

test.serial('a scenario whose outcome the machine\'s route_localnet and rp_filter used to change', async t => {
	// What kube-proxy and a hardening guide set on a node. Without sysctls of its own, one probe of this scenario was inconclusive then (measured).
	const node = Object.fromEntries(['all', 'default', 'lo'].flatMap(place => [[`net/ipv4/conf/${place}/route_localnet`, '1'], [`net/ipv4/conf/${place}/rp_filter`, '1']]));
	const {prepared} = readScenario(readFileSync('scenarios/docker-bridge.yaml', 'utf8'), {file: 'scenarios/docker-bridge.yaml', backends: ['iptables-nft'], credentialsOf: (intent, known) => credentialsOf({appUid: 1000}, intent, known)});
	const {rules, play: ready} = prepared[0]!;
	const {report} = await runTestbed({
		...optionsOf({rules, presetSysctls: {'net/ipv4/ip_forward': '1', ...node}}), families: [...new Set(ready.cases.map(({probe}) => probe.family))], types: [], scenario: ready,
	});
	t.deepEqual(Object.values(outcomesOf(report)).filter(outcome => outcome !== 'pass'), []);
});

for (const family of addressFamilies) {
	test(`every datagram to a closed port is answered, however many came before, ${family}`, async t => {
		const options = optionsOf({families: [family]});
		const {rules: {mesh, intent}} = options;
		await using ownSandbox = await ActorSandbox.create({...options, mesh, intent, timeoutMs: 1000});
		await ownSandbox.configured();
		const {actors} = await ownSandbox.actorGroup();
		const address = ownSandbox.topology.places.remote[family];
		// Linux lets 6 at once through to one host, and then one per second. There are as many ports as datagrams, so two that could share one would.
		ownSandbox.sandbox.pod.setSysctl('net/ipv4/ip_local_port_range', '40000 40019');
		const ends = await Promise.all(Array.from({length: 20}, async (_, index) => actors.get('app')!.open(String(index), {address, port: 9999}, {protocol: 'udp'})));
		t.deepEqual(new Set(ends.map(({reason}) => reason.includes('ECONNREFUSED') ? 'refused' : reason)), new Set(['refused']));
	});
}

test('each namespace has a table of TCP connections of its own size, and the machine keeps its settings', async t => {
	const read = (name: string): string | undefined => {
		const file = `/proc/sys/net/ipv4/${name}`;
		return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
	};

	const machines = [read('tcp_child_ehash_entries'), read('tcp_ehash_entries')];
	await using netns = Netns.create('own table', ['lo']);
	const buckets = machines[0] === undefined ? undefined : await netns.run('cat', ['/proc/sys/net/ipv4/tcp_ehash_entries']);
	t.is(buckets, machines[0] === undefined ? undefined : '2048', 'Linux 6.1 or newer');
	t.deepEqual([read('tcp_child_ehash_entries'), read('tcp_ehash_entries')], machines);
});
