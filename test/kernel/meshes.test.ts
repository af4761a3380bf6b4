/** What Linkerd, Kuma and Consul promise, on the kernel: each type through exactly these stops, in both families and on both back ends; and a broken variant of each that fails. */

import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {consul} from '../../src/consul/mesh.js';
import {kuma} from '../../src/kuma/mesh.js';
import {linkerd} from '../../src/linkerd/mesh.js';
import type {Mesh} from '../../src/mesh/mesh.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import {defaultTypesOf} from '../../src/mesh/traffic-types.js';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import type {Report} from '../../src/report/run/types.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {readFixture} from '../helpers/fixtures.js';
import {dumpOf, textOf} from '../helpers/mesh-dumps.js';
import {
	bothBackends, optionsOf, run, stopsOf,
} from './_run.js';

const folder = await dir({unsafeCleanup: true});

test.after.always(async () => {
	await folder.cleanup();
});

async function runDumps({source, source6, families, backend}: {
	readonly source: string; readonly source6?: string | undefined; readonly families: readonly AddressFamily[]; readonly backend?: Backend;
}): Promise<Report> {
	const rules = loadRuleInput({
		source, source6, families, ...(backend === undefined ? {} : {backend}),
	});
	return run({
		rules, families, types: defaultTypesOf(rules.mesh.traffic), credentials: {proxy: usualCredentials({}, rules.intent).proxy}, ...(backend === undefined ? {} : {backend}),
	});
}

function outcomesOf({types}: Report): Readonly<Record<string, string>> {
	return Object.fromEntries(types.map(({id, family, outcome}) => [`${id} ${family}`, outcome.kind]));
}

type Promises = {readonly mesh: Mesh; readonly proxyUid: number; readonly stops: Readonly<Record<string, string>>};

const promises: readonly Promises[] = [
	{
		mesh: linkerd,
		proxyUid: 2102,
		stops: {
			1: 'proxy:4143 → app:8080', 2: 'proxy:4140 → remote:8080', 3: 'proxy:4191', 4: 'proxy:4140 → app:8080', '4b': 'app:8080', lo: 'app:8080', dns: 'dns:53',
		},
	},
	{
		mesh: kuma,
		proxyUid: 5678,
		stops: {
			1: 'proxy:15006 → app:8080', 2: 'proxy:15001 → remote:8080', 3: 'proxy:15006 → proxy:5670', 4: 'proxy:15001 → proxy:15006 → app:8080', '4b': 'app:8080', lo: 'app:8080', dns: 'dns:53',
		},
	},
	{
		mesh: consul,
		proxyUid: 5995,
		stops: {
			1: 'proxy:20000 → app:8080', 2: 'proxy:15001 → remote:8080', 3: 'proxy:20200', 4: 'proxy:15001 → app:8080', '4b': 'proxy:15001 → app:8080', lo: 'app:8080', dns: 'dns:53',
		},
	},
];

for (const {mesh, proxyUid, stops} of promises) {
	for (const backend of bothBackends) {
		test.serial(`${mesh.name}, ${backend}: the promised paths, in both families`, async t => {
			const report = await runDumps({
				source: dumpOf(mesh, 'ipv4'), source6: dumpOf(mesh, 'ipv6'), families: addressFamilies, backend,
			});
			t.deepEqual(outcomesOf(report), Object.fromEntries(addressFamilies.flatMap(family => Object.keys(stops).map(id => [`${id} ${family}`, 'pass']))));
			for (const family of addressFamilies) {
				t.deepEqual(Object.fromEntries(Object.keys(stops).map(id => [id, stopsOf(report, id, family)])), stops);
			}

			t.deepEqual(report.hints, []);
			t.deepEqual(report.ruleNotes.filter(({kind}) => kind !== 'not-reached'), []);
			t.true(report.types.flatMap(({legs}) => legs).filter(({actor}) => actor === 'proxy').every(({socket}) => socket?.uid === proxyUid));
		});
	}
}

/** Where what the proxy carries on inbound comes from and goes to. */
for (const [mesh, from, to] of [
	[linkerd, '10.244.1.10', '10.244.1.10'],
	[kuma, '127.0.0.6', '10.244.1.10'],
	[consul, '127.0.0.1', '127.0.0.1'],
] as const) {
	test.serial(`${mesh.name}: the app sees a connection from ${from}`, async t => {
		const report = await runDumps({source: dumpOf(mesh, 'ipv4'), families: ['ipv4']});
		const {legs} = report.types.find(({id}) => id === '1')!;
		t.is(legs[1]!.from.address, from);
		t.is(legs[1]!.to.address, to);
	});
}

type Broken = {readonly mesh: Mesh; readonly title: string; readonly line: string; readonly failed: readonly string[]; readonly loops: readonly string[]; readonly missing: string};

const brokenSets: readonly Broken[] = [
	{
		mesh: linkerd, title: 'without the rule for the proxy\'s user', line: '-A PROXY_INIT_OUTPUT -m owner --uid-owner 2102', failed: ['1', '2', '4'], loops: ['2'], missing: 'proxy-uid-bypass',
	},
	{
		mesh: linkerd, title: 'without the ports that are left alone inbound', line: '-A PROXY_INIT_REDIRECT -p tcp -m multiport', failed: ['3'], loops: [], missing: 'inbound-port-exclude',
	},
	{
		mesh: kuma, title: 'without the rule for the proxy\'s user', line: '-A KUMA_MESH_OUTBOUND -m owner --uid-owner 5678', failed: ['2'], loops: ['2'], missing: 'proxy-uid-bypass',
	},
	{
		mesh: kuma, title: 'without the rule for the proxy\'s source', line: '-A KUMA_MESH_OUTBOUND -s ', failed: ['1', '3', '4'], loops: ['1', '3', '4'], missing: 'passthrough-source',
	},
	{
		mesh: consul, title: 'without the rule for the proxy\'s user', line: '-A CONSUL_PROXY_OUTPUT -m owner --uid-owner 5995', failed: ['1', '2', '4', '4b'], loops: ['2', '4', '4b'], missing: 'proxy-uid-bypass',
	},
	{
		mesh: consul, title: 'without the rule for localhost', line: '-A CONSUL_PROXY_OUTPUT -d ', failed: ['lo'], loops: [], missing: 'localhost-bypass',
	},
];

for (const {mesh, title, line, failed, loops, missing} of brokenSets) {
	for (const family of addressFamilies) {
		test.serial(`${mesh.name}, ${family}, ${title}: ${failed.join(', ')} fail`, async t => {
			const file = path.join(folder.path, `${mesh.name}-${missing}.${family}.save`);
			const lines = textOf(mesh, family).split('\n');
			const kept = lines.filter(one => !one.startsWith(line));
			t.is(kept.length, lines.length - 1);
			writeFileSync(file, kept.join('\n'));
			const report = await runDumps({source: file, families: [family]});
			t.deepEqual(report.types.filter(({outcome}) => outcome.kind !== 'pass').map(({id, outcome}) => `${id} ${outcome.kind}`), failed.map(id => `${id} fail`));
			t.deepEqual(report.types.filter(({loop}) => loop).map(({id}) => id), loops);
			t.deepEqual(report.ruleNotes.flatMap(note => note.kind === 'missing' ? [note.role] : []), [missing]);
		});
	}
}

const foreign = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:IN - [0:0]
:OUT - [0:0]
-A PREROUTING -p tcp -j IN
-A OUTPUT -p tcp -j OUT
-A IN -p tcp -j REDIRECT --to-ports 3000
-A OUT -m owner --uid-owner 1500 -j RETURN
-A OUT -o lo -j RETURN
-A OUT -p tcp -j REDIRECT --to-ports 3001
COMMIT
`;

test.serial('rules of an unknown mesh: only stops are tested, by the users and ports in the rules', async t => {
	const file = path.join(folder.path, 'foreign.save');
	writeFileSync(file, foreign);
	const report = await runDumps({source: file, families: ['ipv4']});
	t.deepEqual(outcomesOf(report), {'1 ipv4': 'pass', '2 ipv4': 'pass'});
	t.is(stopsOf(report, '1'), 'proxy:3000 → app:8080');
	t.is(stopsOf(report, '2'), 'proxy:3001 → remote:8080');
	t.true(report.types.every(({expected}) => expected.legs.every(({roles}) => roles === null)));
	t.regex(report.rules.notes.join('\n'), /^The purpose of these rules is not known/mu);
});

test.serial('rules of an unknown mesh, without the rule for the proxy\'s user: the connection loops', async t => {
	const file = path.join(folder.path, 'foreign-broken.save');
	writeFileSync(file, foreign.replace('-A OUT -m owner --uid-owner 1500 -j RETURN\n', ''));
	const rules = loadRuleInput({source: file, families: ['ipv4']});
	const report = await run({...optionsOf({rules, credentials: {proxy: {uid: 1500, gid: 1500}}}), types: ['1', '2']});
	t.deepEqual(outcomesOf(report), {'1 ipv4': 'pass', '2 ipv4': 'fail'});
	t.true(report.types[1]!.loop);
});

for (const {mesh, stops} of promises) {
	for (const family of addressFamilies) {
		test.serial(`${mesh.name}, ${family}: its tables as nft lists them are recognized, and keep what the mesh promises`, async t => {
			const file = path.join(folder.path, `${mesh.name}.${family}.nft`);
			await using netns = Netns.create('nft-listing');
			await netns.run(family === 'ipv4' ? 'iptables-nft-restore' : 'ip6tables-nft-restore', [], {input: textOf(mesh, family)});
			writeFileSync(file, `${await netns.run('nft', ['list', 'ruleset'])}\n`);
			const report = await runDumps({source: file, families: [family]});
			t.is(report.rules.identity.kind, `${mesh.name}-sidecar`);
			t.deepEqual(outcomesOf(report), Object.fromEntries(Object.keys(stops).map(id => [`${id} ${family}`, 'pass'])));
			t.deepEqual(Object.fromEntries(Object.keys(stops).map(id => [id, stopsOf(report, id, family)])), stops);
		});
	}
}

test.serial('both families in one nft listing: accepted if it is complete; refused, with the rule, if nft left out a target', async t => {
	await using netns = Netns.create('nft-listing');
	await netns.run('iptables-nft-restore', [], {input: textOf(kuma, 'ipv4')});
	await netns.run('ip6tables-nft-restore', [], {input: textOf(kuma, 'ipv6')});
	const listing = await netns.run('nft', ['list', 'ruleset']);
	const file = path.join(folder.path, 'both.nft');
	writeFileSync(file, `${listing}\n`);
	const redirects = listing.match(/redirect to :/gu)?.length ?? 0;
	if (redirects === 4) {
		t.deepEqual(loadRuleInput({source: file, families: addressFamilies}).mesh, kuma);
	} else {
		// Version 1.0.6 of nft prints nothing in the place of the target, 1.1.3 its name alone.
		const what = listing.includes('xt target "REDIRECT"') ? 'does not show the values of xt target "REDIRECT"' : 'shows no target of it';
		t.throws(() => loadRuleInput({source: file, families: addressFamilies}), {message: new RegExp(`was written by iptables-nft, and nft ${what}`, 'u')});
	}
});

/** The native nft rules of Consul, and their counterparts. */
async function runNativeConsul(change: (text: string) => string, families: readonly AddressFamily[]): Promise<Report> {
	const file = path.join(folder.path, 'consul.native.nft');
	writeFileSync(file, change(readFixture('meshes', 'consul.native.nft')));
	return runDumps({source: file, families});
}

test.serial('consul, native nft rules: recognized, with the promised paths, in both families', async t => {
	const {stops} = promises.find(({mesh}) => mesh === consul)!;
	const report = await runNativeConsul(text => text, addressFamilies);
	t.is(report.rules.identity.kind, 'consul-sidecar');
	t.deepEqual(report.rules.identity.missing, []);
	t.deepEqual(outcomesOf(report), Object.fromEntries(addressFamilies.flatMap(family => Object.keys(stops).map(id => [`${id} ${family}`, 'pass']))));
	for (const family of addressFamilies) {
		t.deepEqual(Object.fromEntries(Object.keys(stops).map(id => [id, stopsOf(report, id, family)])), stops);
	}

	t.deepEqual(report.ruleNotes.filter(({kind}) => kind !== 'not-reached'), []);
});

/** With the first rule of the base chains in question that consul writes in a pod without IPv6. */
function onlyIpv4(head: RegExp): (text: string) => string {
	return text => text.replaceAll(head, '$<head>\t\tmeta nfproto ipv6 return\n');
}

test.serial('consul, native nft rules of a pod with only IPv4: no IPv6 traffic is captured', async t => {
	const report = await runNativeConsul(onlyIpv4(/(?<head>type nat hook (?:output|prerouting) .*\n)/gu), addressFamilies);
	const ids = ['1', '2', '3', '4', '4b', 'lo', 'dns'];
	t.deepEqual(outcomesOf(report), Object.fromEntries(addressFamilies.flatMap(family => ids.map(id => [`${id} ${family}`, 'pass']))));
	t.deepEqual(ids.map(id => stopsOf(report, id, 'ipv6')), ['app:8080', 'remote:8080', 'proxy:20200', 'vip:8080', 'app:8080', 'app:8080', 'dns:53']);
	t.deepEqual(report.ruleNotes.filter(({kind}) => kind === 'missing'), []);
	t.regex(report.rules.identity.text, /IPv6 is left alone/u);

	// The rule for queries is after the one for the family, so a query over IPv6 goes to its server.
	const withDns = (text: string): string => text
		.replace('chain CONSUL_DNS_REDIRECT {\n', 'chain CONSUL_DNS_REDIRECT {\n\t\tudp dport 53 dnat ip to 10.0.34.16\n\t\ttcp dport 53 dnat ip to 10.0.34.16\n')
		.replace('\t\tmeta l4proto tcp jump CONSUL_PROXY_OUTPUT\n', '\t\tudp dport 53 jump CONSUL_DNS_REDIRECT\n\t\ttcp dport 53 jump CONSUL_DNS_REDIRECT\n\t\tmeta l4proto tcp jump CONSUL_PROXY_OUTPUT\n');
	// The same holds in a pod with both families: the server has an IPv4 address.
	for (const change of [(text: string) => withDns(onlyIpv4(/(?<head>type nat hook (?:output|prerouting) .*\n)/gu)(text)), withDns]) {
		const asked = await runNativeConsul(change, addressFamilies); // eslint-disable-line no-await-in-loop -- One sandbox at a time.
		t.deepEqual(addressFamilies.map(family => stopsOf(asked, 'dns', family)), ['mesh-dns:53', 'dns:53']);
		t.deepEqual(asked.types.filter(({outcome}) => outcome.kind !== 'pass').map(({id, family}) => `${id} ${family}`), []);
	}
});

test.serial('goes red: consul, native nft rules that leave IPv6 alone in one direction', async t => {
	const failed = async (hook: RegExp): Promise<readonly string[]> => {
		const {types} = await runNativeConsul(onlyIpv4(hook), addressFamilies);
		return types.filter(({outcome}) => outcome.kind === 'fail').map(({id, family}) => `${id} ${family}`);
	};

	t.deepEqual(await failed(/(?<head>type nat hook output .*\n)/gu), ['1 ipv6', '3 ipv6']);
	t.deepEqual(await failed(/(?<head>type nat hook prerouting .*\n)/gu), ['2 ipv6', '4 ipv6', '4b ipv6', 'lo ipv6', 'dns ipv6']);
});

test.serial('goes red: consul, native nft rules without the rule for the proxy\'s user', async t => {
	const report = await runNativeConsul(text => text.replace('\t\tmeta skuid 5995 return\n', ''), ['ipv4']);
	t.deepEqual(report.types.filter(({outcome}) => outcome.kind === 'fail').map(({id}) => id), ['1', '2', '4', '4b']);
	t.deepEqual(report.ruleNotes.flatMap(note => note.kind === 'missing' ? [note.role] : []), ['proxy-uid-bypass']);
});

for (const [mesh, families, line, stops, without] of [
	[kuma, addressFamilies as readonly AddressFamily[], '-A OUTPUT -p udp -m udp --dport 53 -j REDIRECT', 'proxy:15053 → dns:53', 'dns:53'],
	[consul, ['ipv4'] as readonly AddressFamily[], '-A CONSUL_DNS_REDIRECT -p udp', 'mesh-dns:53', 'dns:53'],
] as const) {
	const dumps = (family: AddressFamily) => `test/fixtures/meshes/${mesh.name}-dns.${family === 'ipv4' ? 'v4' : 'v6'}.save`;
	for (const backend of bothBackends) {
		test.serial(`${mesh.name} with DNS, ${backend}: queries are captured, and everything else is as without it`, async t => {
			const report = await runDumps({
				source: dumps('ipv4'), source6: families.includes('ipv6') ? dumps('ipv6') : undefined, families, backend,
			});
			t.is(report.rules.identity.kind, `${mesh.name}-sidecar`);
			const usual = promises.find(each => each.mesh === mesh)!.stops;
			t.deepEqual(outcomesOf(report), Object.fromEntries(families.flatMap(family => Object.keys(usual).map(id => [`${id} ${family}`, 'pass']))));
			for (const family of families) {
				t.deepEqual(Object.fromEntries(Object.keys(usual).map(id => [id, stopsOf(report, id, family)])), {...usual, dns: stops});
			}

			t.deepEqual(report.ruleNotes.filter(({kind}) => kind !== 'not-reached'), []);
		});
	}

	for (const family of families) {
		test.serial(`goes red: ${mesh.name} with DNS, ${family}, without the rule that captures queries`, async t => {
			const file = path.join(folder.path, `${mesh.name}-dns.${family}.save`);
			const lines = readFixture('meshes', path.basename(dumps(family))).split('\n');
			const kept = lines.filter(one => !one.startsWith(line));
			t.is(kept.length, lines.length - 1);
			// The rule for TCP still shows what is meant.
			writeFileSync(file, kept.join('\n'));
			const report = await runDumps({source: file, families: [family]});
			t.is(stopsOf(report, 'dns', family), without);
			t.deepEqual(report.types.filter(({outcome}) => outcome.kind !== 'pass').map(({id, outcome}) => `${id} ${outcome.kind}`), ['dns fail']);
			t.deepEqual(report.ruleNotes.flatMap(note => note.kind === 'missing' ? [note.role] : []), ['dns-redirect']);
		});
	}
}

test.serial('goes red: kuma with DNS, without the rule for the proxy\'s own queries', async t => {
	const file = path.join(folder.path, 'kuma-dns-loop.save');
	writeFileSync(file, readFixture('meshes', 'kuma-dns.v4.save').split('\n').filter(one => !one.startsWith('-A OUTPUT -p udp -m udp --dport 53 -m owner --uid-owner 5678 -j RETURN')).join('\n'));
	const report = await runDumps({source: file, families: ['ipv4']});
	t.deepEqual(report.types.filter(({outcome}) => outcome.kind !== 'pass').map(({id, outcome, loop}) => `${id} ${outcome.kind} ${String(loop)}`), ['dns fail true']);
});

test.serial('consul with DNS at one address and port: queries to other servers are not captured', async t => {
	const file = path.join(folder.path, 'consul-dns-port.save');
	writeFileSync(file, readFixture('meshes', 'consul-dns.v4.save').replaceAll(/(?<head>-A (?:OUTPUT|CONSUL_DNS_REDIRECT)) -p (?<rest>\w+ -m \w+ --dport 53)/gu, '$<head> -d 10.0.34.16/32 -p $<rest>').replaceAll('--to-destination 10.0.34.16', '--to-destination 10.0.34.16:8600'));
	const report = await runDumps({source: file, families: ['ipv4']});
	t.is(stopsOf(report, 'dns'), 'dns:53');
	t.true(report.types.every(({outcome}) => outcome.kind === 'pass'));
});
