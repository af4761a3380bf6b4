import test from 'ava';
import {intentOf} from '../../../../src/istio/intent.js';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {defaultTypeIds, isTypeId, sixTypes, typeIds, typeName} from '../../../../src/istio/traffic/six-types.js';
import {defaultTopology} from '../../../../src/mesh/topology.js';
import type {ActorCredentials, TypeId} from '../../../../src/mesh/traffic.js';
import {defaultActors} from '../../../helpers/observed.js';

/** What is expected of one type, a line per leg: `app: outbound-jump … > proxy:15001`. */
function expectedOf(id: TypeId, {input = 'release:1.30', actors = {}, family = 'ipv4'}: {readonly input?: string; readonly actors?: Partial<ActorCredentials>; readonly family?: 'ipv4' | 'ipv6'} = {}): readonly string[] {
	const [traffic] = sixTypes({
		intent: intentOf(parseReleaseInput(input)), actors: {...defaultActors, ...actors}, topology: defaultTopology, family, ids: [id],
	});
	return traffic?.expected.legs.map(({actor, roles, stop}) => [`${actor}:`, ...roles ?? [], '>', stop].join(' ')) ?? [];
}

const fromRemote = 'remote: inbound-jump inbound-capture inbound-redirect > proxy:15006';
const toApp = 'proxy: outbound-jump passthrough-source > app:8080';
const fromApp = 'app: outbound-jump outbound-capture outbound-redirect > proxy:15001';
const toRemote = 'proxy: outbound-jump proxy-uid-bypass > remote:8080';
const toAdmin = 'proxy: outbound-jump proxy-uid-bypass > proxy:15000';
const toAdminAsOther = 'proxy: outbound-jump loopback-not-proxy-uid > proxy:15000';
const hairpin = 'proxy: outbound-jump hairpin-by-uid inbound-redirect > proxy:15006';

const byDefault = {
	1: [fromRemote, toApp],
	2: [fromApp, toRemote],
	3: ['prometheus: inbound-jump inbound-port-exclude > proxy:15090', toAdmin],
	4: [fromApp, hairpin, toApp],
	'4b': ['app: outbound-jump loopback-not-proxy-uid > app:8080'],
	5: ['proxy: outbound-jump proxy-uid-bypass > proxy:15090', toAdmin],
	6: ['agent: outbound-jump proxy-uid-bypass > istiod:15012'],
} as const satisfies Record<TypeId, readonly string[]>;

for (const id of typeIds) {
	test(`type ${id} by default, on both families`, t => {
		t.deepEqual(expectedOf(id), byDefault[id]);
		t.deepEqual(expectedOf(id, {family: 'ipv6'}), byDefault[id]);
	});
}

test('the types have names, an order, and 4b is only run on request', t => {
	t.deepEqual(typeIds.map(id => `${id} ${typeName(id)}`), ['1 remote-to-local', '2 local-to-remote', '3 prometheus-to-local', '4 local-to-local', '4b app-to-own-pod', '5 within-proxy', '6 sidecar-to-istiod']);
	t.deepEqual(defaultTypeIds, ['1', '2', '3', '4', '5', '6']);
	t.true(isTypeId('4b'));
	t.false(isTypeId('7'));
});

test('the senders and destinations of the probes follow from the topology', t => {
	const cases = sixTypes({
		intent: intentOf(parseReleaseInput('release:latest')), actors: defaultActors, topology: defaultTopology, family: 'ipv6', ids: typeIds,
	});
	t.deepEqual(cases.map(({id, probe: {actor, destination: {address, port}}}) => `${id} ${actor} [${address}]:${port}`), [
		'1 remote [2001:db8:1::10]:8080',
		'2 app [2001:db8:1::20]:8080',
		'3 prometheus [2001:db8:1::10]:15090',
		'4 app [2001:db8:96::110]:8080',
		'4b app [2001:db8:1::10]:8080',
		'5 proxy [::1]:15090',
		'6 agent [2001:db8:1::21]:15012',
	]);
});

const agentCaptured = ['agent: outbound-jump outbound-capture outbound-redirect > proxy:15001', 'proxy: outbound-jump proxy-uid-bypass > istiod:15012'];

// By credentials: id, who runs as whom, what is expected. The last three are what proxies of the wrong user should do, and will be seen not to.
for (const [id, actors, expected] of [
	['6', {agent: {uid: 0, gid: 0}}, agentCaptured],
	['6', {agent: {uid: 0, gid: 1337}}, ['agent: outbound-jump proxy-gid-bypass > istiod:15012']],
	['6', {agent: {uid: 1337, gid: 0}}, ['agent: outbound-jump proxy-uid-bypass > istiod:15012']],
	['5', {proxy: {uid: 0, gid: 0}}, ['proxy: outbound-jump loopback-not-proxy-uid > proxy:15090', toAdminAsOther]],
	['5', {proxy: {uid: 0, gid: 1337}}, ['proxy: outbound-jump loopback-not-proxy-uid > proxy:15090', toAdminAsOther]],
	['2', {app: {uid: 1337, gid: 5}}, ['app: outbound-jump proxy-uid-bypass > remote:8080']],
	['2', {app: {uid: 5, gid: 1337}}, ['app: outbound-jump proxy-gid-bypass > remote:8080']],
	['4', {app: {uid: 1337, gid: 5}}, ['app: outbound-jump proxy-uid-bypass > vip:8080']],
	['4b', {app: {uid: 1337, gid: 5}}, ['app: outbound-jump hairpin-by-uid inbound-redirect > proxy:15006', toApp]],
	['4b', {app: {uid: 5, gid: 1337}}, ['app: outbound-jump loopback-not-proxy-uid > app:8080']],
	['2', {proxy: {uid: 1338, gid: 1337}}, [fromApp, 'proxy: outbound-jump proxy-gid-bypass > remote:8080']],
	['4', {proxy: {uid: 1338, gid: 1337}}, [fromApp, 'proxy: outbound-jump hairpin-by-gid inbound-redirect > proxy:15006', toApp]],
	['2', {proxy: {uid: 1338, gid: 1338}}, [fromApp, toRemote]],
	['4', {proxy: {uid: 1338, gid: 1338}}, [fromApp, hairpin, toApp]],
] as ReadonlyArray<readonly [TypeId, Partial<ActorCredentials>, readonly string[]]>) {
	test(`type ${id} with ${JSON.stringify(actors)}`, t => {
		t.deepEqual(expectedOf(id, {actors}), expected);
	});
}

// By options: id, arguments, what is expected.
for (const [id, input, expected] of [
	['1', '-d 8080', ['remote: inbound-jump inbound-port-exclude > app:8080']],
	['1', '-d 8000:9000', ['remote: inbound-jump inbound-port-exclude > app:8080']],
	['1', '-b 80,443', ['remote: inbound-jump > app:8080']],
	['1', '-b 80,8080', ['remote: inbound-jump inbound-port-include inbound-redirect > proxy:15006', toApp]],
	['1', '-b 80 -d 8080', ['remote: inbound-jump > app:8080']],
	['1', '-b ""', ['remote: > app:8080']],
	['1', '-e 8080', ['remote: inbound-jump inbound-tunnel-port > app:8080']],
	['1', '-o 8080', [fromRemote, 'proxy: outbound-jump outbound-port-exclude > app:8080']],
	['1', '-z 15007', ['remote: inbound-jump inbound-capture inbound-redirect > proxy:15007', toApp]],
	['2', '-o 8080', ['app: outbound-jump outbound-port-exclude > remote:8080']],
	['2', '-o 8080:9000', ['app: outbound-jump outbound-port-exclude > remote:8080']],
	['2', '-x 10.244.0.0/16', ['app: outbound-jump range-exclude > remote:8080']],
	['2', '-x 10.244.0.0/16 -q 8080', ['app: outbound-jump range-exclude > remote:8080']],
	['2', '-x 2001:db8::/32', [fromApp, toRemote]],
	['2', '-i 10.96.0.0/12', ['app: outbound-jump > remote:8080']],
	['2', '-i 10.244.1.0/24', ['app: outbound-jump range-include outbound-redirect > proxy:15001', toRemote]],
	['2', '-i "" -q 8080', ['app: outbound-jump outbound-port-include outbound-redirect > proxy:15001', toRemote]],
	['2', '-q 8080', ['app: outbound-jump outbound-port-include outbound-redirect > proxy:15001', toRemote]],
	['2', '-p 15002', ['app: outbound-jump outbound-capture outbound-redirect > proxy:15002', toRemote]],
	['2', '-u 5 -g 1337', [fromApp, 'proxy: outbound-jump proxy-gid-bypass > remote:8080']],
	['2', '-u 64535,1337', [fromApp, toRemote]],
	['3', '-d 15020', ['prometheus: inbound-jump inbound-capture inbound-redirect > proxy:15006', 'proxy: outbound-jump passthrough-source > proxy:15090', toAdmin]],
	['4', '-u 64535,1337', [fromApp, hairpin, toApp]],
	['4', '-e 8080', [fromApp, 'proxy: outbound-jump proxy-uid-bypass > app:8080']],
	['4', '-x 10.96.0.0/12', ['app: outbound-jump range-exclude > vip:8080']],
	['5', '-o 15090', ['proxy: outbound-jump outbound-port-exclude > proxy:15090', toAdmin]],
	['5', '-o 15000', ['proxy: outbound-jump proxy-uid-bypass > proxy:15090', 'proxy: outbound-jump outbound-port-exclude > proxy:15000']],
	['5', '-u , -g ,', ['proxy: outbound-jump localhost-bypass > proxy:15090', 'proxy: outbound-jump localhost-bypass > proxy:15000']],
	['5', '-u , -g 5', ['proxy: outbound-jump loopback-not-proxy-gid > proxy:15090', 'proxy: outbound-jump loopback-not-proxy-gid > proxy:15000']],
	['6', '-u 5 -x 10.244.1.21/32', ['agent: outbound-jump range-exclude > istiod:15012']],
] as ReadonlyArray<readonly [TypeId, string, readonly string[]]>) {
	test(`type ${id} with ${input}`, t => {
		t.deepEqual(expectedOf(id, {input: `release:1.30 ${input}`}), expected);
	});
}
