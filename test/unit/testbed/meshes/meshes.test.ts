/** Linkerd, Kuma and Consul: recognized, read, and what they promise; and rules that nobody knows. */

import test from 'ava';
import {consul} from '../../../../src/consul/mesh.js';
import {istio} from '../../../../src/istio/mesh.js';
import {generate} from '../../../../src/istio/generate.js';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {kuma} from '../../../../src/kuma/mesh.js';
import {linkerd} from '../../../../src/linkerd/mesh.js';
import type {Mesh} from '../../../../src/mesh/mesh.js';
import {addressFamilies, defaultTopology} from '../../../../src/mesh/topology.js';
import {asksDns, defaultTypesOf, trafficCases, typeIdsOf, typeOf} from '../../../../src/mesh/traffic-types.js';
import {redirects, unknownMesh} from '../../../../src/mesh/unknown.js';
import {meshes} from '../../../../src/meshes.js';
import {differencesInMeaning} from '../../../../src/netfilter/compare-rules.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import {rulesOf} from '../../../../src/netfilter/lookup.js';
import type {AddressFamily, RuleSet} from '../../../../src/netfilter/types.js';
import {usualCredentials} from '../../../../testbed/inputs/credentials.js';
import {readFixture} from '../../../helpers/fixtures.js';
import {dumpedMeshes, dumpedRules, textOf} from '../../../helpers/mesh-dumps.js';

const release = generate({...parseReleaseInput('release:1.30'), families: ['ipv4'], backend: 'iptables-nft'});

for (const mesh of dumpedMeshes) {
	for (const family of addressFamilies) {
		test(`${mesh.name}, ${family}: recognized by this mesh alone`, t => {
			t.deepEqual(meshes.filter(({recognizes}) => recognizes(dumpedRules(mesh, family))).map(({name}) => name), [mesh.name]);
		});

		test(`${mesh.name}, ${family}: every rule has a role with a purpose`, t => {
			for (const {rule, table, chain} of rulesOf(dumpedRules(mesh, family))) {
				const role = mesh.roleOf(rule, table, chain);
				t.not(role, undefined, rule.text);
				t.regex(mesh.roles[role!]!.purpose, /^[A-Z].*\.$/u);
			}
		});

		test(`${mesh.name}, ${family}: the reference for the intent of its own rules is these rules, but for users who are left alone besides`, t => {
			const rules = dumpedRules(mesh, family);
			const differences = differencesInMeaning(mesh.reference(mesh.intentOf(rules), {families: [family], backend: 'iptables-nft'}), withoutRoles(mesh, rules, ['uid-exclude']));
			t.deepEqual(differences, []);
		});
	}

	test(`${mesh.name}: not Istio's rules, and none at all`, t => {
		t.false(mesh.recognizes(release));
		t.false(mesh.recognizes({tables: []}));
	});

	test(`${mesh.name}: what is missing of its rules is as its injector has it`, t => {
		const [dumped, none] = [mesh.intentOf(dumpedRules(mesh, 'ipv4')), mesh.intentOf({tables: []})];
		t.deepEqual([none.proxyPort, none.inboundCapturePort, none.proxyUids], [dumped.proxyPort, dumped.inboundCapturePort, dumped.proxyUids]);
	});
}

/** The set without the rules of some roles. Numbers stay, as nobody compares them. */
function withoutRoles(mesh: Mesh, {tables}: RuleSet, roles: readonly string[]): RuleSet {
	return {
		tables: tables.map(table => ({
			...table,
			chains: table.chains.map(chain => ({
				...chain,
				rules: chain.rules.filter(rule => !roles.includes(mesh.roleOf(rule, table.name, chain) ?? '')).map((rule, index) => ({...rule, number: index + 1})),
			})),
		})),
	};
}

test('users and ports come from the rules', t => {
	const own = (mesh: Mesh, changes: ReadonlyArray<readonly [string, string]>) => {
		let text = textOf(mesh, 'ipv4');
		for (const [from, to] of changes) {
			text = text.replaceAll(from, to);
		}

		const {proxyPort, inboundCapturePort, proxyUids, inboundPortsExclude, outboundPortsExclude} = mesh.intentOf(parseSave(text, 'ipv4'));
		return [proxyPort, inboundCapturePort, proxyUids, inboundPortsExclude, outboundPortsExclude];
	};

	t.deepEqual(own(linkerd, [['2102', '77'], ['4140', '1'], ['4143', '2'], ['4190,4191,4567,4568', '25']]), [1, 2, [77], ['4190', '4191', '25'], ['4567', '4568']]);
	t.deepEqual(own(kuma, [['5678', '77'], ['15001', '1'], ['15006', '2']]), [1, 2, [77], [], []]);
	t.deepEqual(own(consul, [['5995', '77'], ['15001', '1'], ['20000', '2']]), [1, 2, [77], ['20200'], []]);
});

test('of several users whom Consul leaves alone the last is the proxy, unless it is the one of the init containers', t => {
	const rules = dumpedRules(consul, 'ipv4');
	const roleOfUid = (set: RuleSet, uid: number) => [...rulesOf(set)].filter(({rule}) => rule.text.includes(`--uid-owner ${uid} `)).map(({rule, table, chain}) => consul.roleOf(rule, table, chain));
	t.deepEqual(roleOfUid(rules, 5996), ['uid-exclude']);
	t.deepEqual(roleOfUid(rules, 5995), ['proxy-uid-bypass']);
	const twice = parseSave(textOf(consul, 'ipv4').replace('--uid-owner 5996', '--uid-owner 7'), 'ipv4');
	t.deepEqual(roleOfUid(twice, 7), ['uid-exclude']);
	const without = parseSave(textOf(consul, 'ipv4').replace('-A CONSUL_PROXY_OUTPUT -m owner --uid-owner 5995 -j RETURN\n', ''), 'ipv4');
	t.deepEqual(roleOfUid(without, 5996), ['uid-exclude']);
	t.deepEqual(consul.intentOf(without).proxyUids, [5995]);
});

test('chains of Kuma without its prefix are Kuma\'s', t => {
	const older = parseSave(textOf(kuma, 'ipv4').replaceAll('KUMA_MESH', 'MESH'), 'ipv4');
	t.true(kuma.recognizes(older));
	t.true([...rulesOf(older)].every(({rule, table, chain}) => kuma.roleOf(rule, table, chain) !== undefined));
});

/** The stops of each type, and the roles of its first leg, as the mesh promises them. */
const promises: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	linkerd: {
		1: 'proxy:4143 app:8080', 2: 'proxy:4140 remote:8080', 3: 'proxy:4191', 4: 'proxy:4140 app:8080', '4b': 'app:8080', lo: 'app:8080', dns: 'dns:53',
	},
	kuma: {
		1: 'proxy:15006 app:8080', 2: 'proxy:15001 remote:8080', 3: 'proxy:15006 proxy:5670', 4: 'proxy:15001 proxy:15006 app:8080', '4b': 'app:8080', lo: 'app:8080', dns: 'dns:53',
	},
	consul: {
		1: 'proxy:20000 app:8080', 2: 'proxy:15001 remote:8080', 3: 'proxy:20200', 4: 'proxy:15001 app:8080', '4b': 'proxy:15001 app:8080', lo: 'app:8080', dns: 'dns:53',
	},
};

function stopsOf(mesh: Mesh, rules: RuleSet, family: AddressFamily): Readonly<Record<string, string>> {
	const intent = mesh.intentOf(rules);
	return Object.fromEntries(trafficCases(mesh.traffic, {
		intent, actors: usualCredentials({}, intent), topology: defaultTopology, family, ids: typeIdsOf(mesh.traffic),
	}).map(({id, expected}) => [id, expected.legs.map(({stop}) => stop).join(' ')]));
}

for (const mesh of dumpedMeshes) {
	for (const family of addressFamilies) {
		test(`${mesh.name}, ${family}: the promised paths`, t => {
			t.deepEqual(stopsOf(mesh, dumpedRules(mesh, family), family), promises[mesh.name]!);
		});
	}

	test(`${mesh.name}: its types are all default ones, and one asks the name server`, t => {
		t.deepEqual(defaultTypesOf(mesh.traffic), ['1', '2', '3', '4', '4b', 'lo', 'dns']);
		t.true(asksDns(mesh.traffic, ['1', 'dns']));
		t.false(asksDns(mesh.traffic, ['1', 'lo']));
		t.throws(() => typeOf(mesh.traffic, '6'), {instanceOf: RangeError, message: /no type 6 .* 1, 2, 3, 4, 4b, lo, dns$/u});
	});

	test(`${mesh.name}: its listeners are on the ports of the intent, and the name server is there when it is asked for`, t => {
		const intent = mesh.intentOf(dumpedRules(mesh, 'ipv4'));
		const {actors} = mesh.traffic.actors({
			topology: defaultTopology, intent, names: ['proxy', 'app', 'remote', 'prometheus'], credentials: usualCredentials({}, intent), withDns: true,
		});
		const ports = new Set(actors.find(({name}) => name === 'proxy')!.listeners.map(({port}) => port));
		t.true(ports.has(intent.proxyPort) && ports.has(intent.inboundCapturePort));
		t.deepEqual(actors.map(({name}) => name), ['proxy', 'app', 'remote', 'prometheus', 'dns']);
		t.deepEqual(actors.find(({name}) => name === 'proxy')!.uid, intent.proxyUids[0]);
	});
}

test('Linkerd before 2.11: a rule for the proxy\'s own connections to the pod, and a proxy that carries on to localhost', t => {
	const older = parseSave(textOf(linkerd, 'ipv4').replace('-A PROXY_INIT_OUTPUT -m owner --uid-owner 2102', '-A PROXY_INIT_OUTPUT ! -d 127.0.0.1/32 -o lo -m owner --uid-owner 2102 -j PROXY_INIT_REDIRECT\n-A PROXY_INIT_OUTPUT -m owner --uid-owner 2102'), 'ipv4');
	t.true(linkerd.intentOf(older).hairpin);
	const stops = stopsOf(linkerd, older, 'ipv4');
	t.is(stops['4'], 'proxy:4140 proxy:4143 app:8080');
	t.is(stops['1'], 'proxy:4143 app:8080');
});

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
-A OUT -s 127.0.0.6/32 -o lo -j RETURN
-A OUT -m owner --uid-owner 1500 -j RETURN
-A OUT -p udp -m udp --dport 53 -j REDIRECT --to-ports 5353
-A OUT -p tcp -j REDIRECT --to-ports 3001
COMMIT
`;

test('rules of an unknown mesh: ports, user and source are read from them, and only stops are claimed', t => {
	const rules = parseSave(foreign, 'ipv4');
	t.true(meshes.every(({recognizes}) => !recognizes(rules)));
	t.true(redirects(rules));
	const {proxyPort, inboundCapturePort, proxyUids, inboundSource} = unknownMesh.intentOf(rules);
	t.deepEqual({proxyPort, inboundCapturePort, proxyUids, inboundSource}, {
		proxyPort: 3001, inboundCapturePort: 3000, proxyUids: [1500], inboundSource: {ipv4: '127.0.0.6'},
	});
	t.deepEqual(stopsOf(unknownMesh, rules, 'ipv4'), {1: 'proxy:3000 app:8080', 2: 'proxy:3001 remote:8080'});
	const [note, ...others] = unknownMesh.notes(unknownMesh.intentOf(rules));
	t.deepEqual(others, []);
	t.is(note, 'The purpose of these rules is not known, so only stops are expected. They redirect outbound traffic to port 3001 and inbound traffic to port 3000, and exempt UID 1500; the proxy of this run listens there and has that user.');
});

for (const [title, text, wanted] of [
	['nothing that comes in', foreign.replace('-A IN -p tcp -j REDIRECT --to-ports 3000\n', ''), [3001, 0]],
	['nothing that goes out', foreign.replace('-A OUT -p tcp -j REDIRECT --to-ports 3001\n', ''), [0, 3000]],
] as const) {
	test(`rules of an unknown mesh that capture ${title}: traffic in the other direction is direct`, t => {
		const intent = unknownMesh.intentOf(parseSave(text, 'ipv4'));
		t.deepEqual([intent.proxyPort, intent.inboundCapturePort], wanted);
		const {actors} = unknownMesh.traffic.actors({
			topology: defaultTopology, intent, names: ['proxy'], credentials: usualCredentials({}, intent),
		});
		t.deepEqual(actors[0]!.listeners.map(({port}) => port), wanted.filter(port => port !== 0));
	});
}

test('rules that redirect nothing belong to no mesh', t => {
	t.false(redirects(parseSave('*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -j RETURN\nCOMMIT\n', 'ipv4')));
	t.false(redirects({tables: []}));
	t.true(istio.recognizes(release));
});

for (const [mesh, file, dns, stops] of [
	[kuma, 'kuma-dns.v4.save', {port: 15_053, hasZones: true}, 'proxy:15053 dns:53'],
	[consul, 'consul-dns.v4.save', {port: 53, servers: {ipv4: '10.0.34.16'}, hasZones: false}, 'mesh-dns:53'],
] as const) {
	test(`${mesh.name} with DNS: recognized by this mesh alone, every rule has a role, and the reference is the same`, t => {
		const rules = parseSave(readFixture('meshes', file), 'ipv4');
		t.deepEqual(meshes.filter(({recognizes}) => recognizes(rules)).map(({name}) => name), [mesh.name]);
		t.true([...rulesOf(rules)].every(({rule, table, chain}) => mesh.roleOf(rule, table, chain) !== undefined));
		const intent = mesh.intentOf(rules);
		t.deepEqual(intent.dns, dns);
		t.is(stopsOf(mesh, rules, 'ipv4')['dns'], stops);
		const reference = mesh.reference(intent, {families: ['ipv4'], backend: 'iptables-nft'});
		t.deepEqual(differencesInMeaning(reference, withoutRoles(mesh, rules, ['uid-exclude'])), []);
	});
}

test('Consul\'s DNS at one address: only queries to that server are taken', t => {
	const text = readFixture('meshes', 'consul-dns.v4.save').replaceAll(/(?<head>-A (?:OUTPUT|CONSUL_DNS_REDIRECT)) -p (?<rest>\w+ -m \w+ --dport 53)/gu, '$<head> -d 10.96.0.10/32 -p $<rest>').replaceAll('--to-destination 10.0.34.16', '--to-destination 10.0.34.16:8600');
	const rules = parseSave(text, 'ipv4');
	t.deepEqual(consul.intentOf(rules).dns, {port: 8600, servers: {ipv4: '10.0.34.16'}, asked: {ipv4: '10.96.0.10'}, hasZones: false});
	t.is(stopsOf(consul, rules, 'ipv4')['dns'], 'mesh-dns:8600');
	t.is(stopsOf(consul, parseSave(text.replaceAll('10.96.0.10', '10.96.0.11'), 'ipv4'), 'ipv4')['dns'], 'dns:53');
});
