/** Scenario files: what they come to, and every way in which they can be wrong, with its place. */

import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import {InputError} from '../../../src/parsing/input-error.js';
import {parseReleaseInput} from '../../../src/istio/options/arguments.js';
import {insertRules} from '../../../src/scenario/file/insert.js';
import {istio} from '../../../src/istio/mesh.js';
import {linkerd} from '../../../src/linkerd/mesh.js';
import {meshes} from '../../../src/meshes.js';
import {parseScenario} from '../../../src/scenario/file/parse.js';
import {planScenario, type ScenarioPlan} from '../../../src/scenario/file/plan.js';
import {scenarioSchema} from '../../../src/scenario/file/schema.js';
import {intentOf} from '../../../src/istio/intent.js';
import {defaultTopology} from '../../../src/mesh/topology.js';
import {sidecarRuleSet} from '../../../src/istio/iptables/sidecar.js';
import {defaultActors} from '../../helpers/observed.js';
import {dumpedRules} from '../../helpers/mesh-dumps.js';
import {root} from '../../helpers/root.js';

const intent = intentOf(parseReleaseInput('release:1.30'));

function plan(text: string): ScenarioPlan {
	return planScenario({
		file: parseScenario(text, meshes), mesh: istio, intent, topology: defaultTopology, credentials: defaultActors,
	});
}

/** A whole file around its actors and the like, and one probe. */
function file({head = '', probe = 'from: app, to: "remote:8080", expect: {stops: ["proxy:15001", "remote:8080"]}', before = 'version: 1\nname: n\nabout: a\nrules: release:1.30'}: {readonly head?: string; readonly probe?: string; readonly before?: string} = {}): string {
	return `${before}\n${head === '' ? '' : `${head}\n`}probes:\n  - {name: p, ${probe}}\n`;
}

test('a complete file: names become addresses, stops become legs', t => {
	const {cases, actorSet, extension} = plan(`
version: 1
name: full
about: Everything that a file can say.
rules: release:1.30
families: [ipv4, ipv6]
actors:
  proxy: {uid: 2000, listens: [outbound, 15090]}
  worker: {uid: 7, namespace: pod, listens: [8081, 'udp:53', {protocol: udp, port: 54, forward: 'resolver:53'}], source: pod}
  vm: {namespace: vm}
places:
  outside: {ipv4: 198.51.100.7, ipv6: '2001:db8:ffff:0::7'}
services:
  shop: {address: 10.96.7.7, port: 80, endpoint: 'worker-address:8081'}
  worker-address: {address: 10.96.7.8, port: 1, endpoint: 'pod:8081'}
interfaces:
  vm0: {namespace: vm, ipv4: {pod: 10.0.2.1/24, peer: 10.0.2.2}, routes: [192.0.2.0/24]}
probes:
  - name: both
    from: worker
    to: outside:8080
    expect: {stops: ['proxy:15001', 'remote:8080'], roles: [[outbound-jump], []], zones: [0, 0], sources: [pod, pod]}
  - name: one
    from: vm
    to: vm0:8081
    source: 10.0.2.2
    protocol: udp
    article: 3
    expect: {stops: [], outcome: refused, path: [vm]}
  - name: by-address
    from: app
    to: '[2001:db8::1]:80'
    expect: {stops: ['proxy:15001'], outcome: loop}
    fault: {because: It is so., stops: ['worker:8081']}
`);
	t.deepEqual(cases.map(({id, name, article, probe, expected, fault}) => ({
		id, name, article, probe, expected, fault,
	})), [
		...(['ipv4', 'ipv6'] as const).map(family => ({
			id: '1',
			name: 'both',
			article: null,
			probe: {
				actor: 'worker', family, protocol: 'tcp' as const, destination: {address: family === 'ipv4' ? '198.51.100.7' : '2001:db8:ffff::7', port: 8080},
			},
			expected: {
				legs: [
					{
						actor: 'worker', roles: ['outbound-jump' as const], stop: 'proxy:15001', source: defaultTopology.places.pod[family], zone: 0,
					},
					{
						actor: 'proxy', roles: [], stop: 'remote:8080', source: defaultTopology.places.pod[family], zone: 0,
					},
				],
			},
			fault: undefined,
		})),
		{
			id: '2',
			name: 'one',
			article: '3',
			probe: {
				actor: 'vm', family: 'ipv4', protocol: 'udp', destination: {address: '10.0.2.1', port: 8081}, source: '10.0.2.2',
			},
			expected: {legs: [{actor: 'vm', roles: null, stop: 'refused'}], path: ['vm']},
			fault: undefined,
		},
		{
			id: '3',
			name: 'by-address',
			article: null,
			probe: {
				actor: 'app', family: 'ipv6', protocol: 'tcp', destination: {address: '2001:db8::1', port: 80},
			},
			expected: {legs: [{actor: 'app', roles: null, stop: 'worker:8081'}]},
			fault: {because: 'It is so.', intended: ['proxy:15001']},
		},
	]);
	const actors = Object.fromEntries(actorSet.actors.map(actor => [actor.name, actor]));
	t.deepEqual(Object.keys(actors), ['app', 'proxy', 'remote', 'worker', 'vm'].toSorted((one, other) => actorSet.actors.findIndex(({name}) => name === one) - actorSet.actors.findIndex(({name}) => name === other)));
	t.deepEqual({uid: actors['proxy']?.uid, gid: actors['proxy']?.gid, listeners: actors['proxy']?.listeners.map(({stop, duty}) => `${stop} ${duty}`)}, {uid: 2000, gid: 2000, listeners: ['proxy:15001 outbound', 'proxy:15090 answer']});
	t.deepEqual(actors['worker']?.listeners.map(({protocol, stop, duty, forwardTo}) => [protocol, stop, duty, forwardTo?.addresses.ipv4]), [['tcp', 'worker:8081', 'answer', undefined], ['udp', 'worker:53', 'answer', undefined], ['udp', 'worker:54', 'forward', '10.96.0.10']]);
	t.deepEqual(actors['worker']?.ownSource, defaultTopology.places.pod);
	t.is(actors['vm']?.namespace, 'vm');
	t.deepEqual(actorSet.services['10.96.7.7 80'], {address: '10.96.7.8', port: 8081});
	t.deepEqual(extension.remoteAddresses, ['198.51.100.7', '2001:db8:ffff::7', '10.96.7.7', '10.96.7.8']);
	t.deepEqual(extension.interfaces.map(({name, routes}) => [name, routes]), [['vm0', ['192.0.2.0/24']]]);
});

test('the agent has the proxy\'s user unless the file says otherwise', t => {
	const owner = (head: string): unknown => {
		const found = plan(file({head, probe: 'from: agent, to: "istiod:15012", expect: {stops: ["istiod:15012"]}'})).actorSet.actors.find(({name}) => name === 'agent');
		return [found?.uid, found?.gid];
	};

	t.deepEqual(owner('actors: {proxy: {uid: 2000}}'), [2000, 2000]);
	t.deepEqual(owner('actors: {proxy: {uid: 2000}, agent: {uid: 3, gid: 4}}'), [3, 4]);
});

test('a probe sends the first packet of a connection unless it asks for an invalid one', t => {
	const packets = (words: string): unknown => plan(file({probe: `from: remote, to: "pod:8080", ${words} expect: {stops: [], outcome: refused}`})).cases.map(({probe}) => probe.packet);
	t.deepEqual(packets('packet: invalid,'), ['invalid']);
	t.deepEqual(packets('packet: first,'), [undefined]);
	t.deepEqual(packets(''), [undefined]);
});

/** Each fault with what has to be said of it. */
const faults: ReadonlyArray<readonly [text: string, message: string]> = [
	['', 'line 1, column 1: the file is empty'],
	['a: {b: &x {c: 1}}', 'this is not a scenario: a scenario has version, name, about, rules, probes'],
	[file({head: 'actors: &a {app: *a}'}), 'actors.app: an alias inside its own anchor'],
	[file({head: `places:\n  a: &a [${'x, '.repeat(400)}]\n  b: &b [${'*a, '.repeat(400)}]\n  c: [*b, *b]`}), 'more than 100000 values, counting those that aliases repeat'],
	[file({head: 'families: [ipv4,\n  ]\nbackends:\n  -'}), 'backends: "backends[0]" has no value; expected one of iptables-nft'],
	[file({head: String.raw`places: {"a\eb": 1.2.3.4}`}), 'the control character U+001B'],
	[file({head: String.raw`insert: ["a\eb"]`}), 'insert[0]: the control character U+001B'],
	[file({head: 'version2: 1', before: 'version: x\nname: n\nabout: a\nrules: none'}), '"version2" is not a key of a scenario'],
	[file({head: 'families: [ipv4]', before: 'version: x\nname: n\nabout: a\nrules: none'}), 'version: this is "x"; expected a whole number'],
	[file({head: 'actors: {app: {listens: ["tcp:70000"]}}'}), '"70000" is not a port; expected a number from 1 to 65535'],
	[file({head: 'actors: {app: {listens: [{prot: 1, port: 1}]}}'}), '"actors.app.listens[0].prot" is not known; did you mean "port"?'],
	[file({head: 'interfaces: {eth1: {namespace: x, ipv4: {pod: 10.0.0/8, peer: 10.0.0.2}}}'}), '"10.0.0" is not an IPv4 address'],
	['a: [', 'Flow sequence in block collection must be sufficiently indented and end with a ]'],
	[`${file()}---\n${file()}`, 'a file contains one scenario; this is a second document'],
	['- 1', 'line 1, column 1: this is a list; expected a mapping'],
	[file({before: 'version: 2\nname: n\nabout: a\nrules: release:1.30'}), 'line 1, column 1, version: version 2 is not known; this testbed reads version 1'],
	[file({before: 'version: 1\nabout: a\nrules: release:1.30'}), 'line 1, column 1: "name" is missing; expected a name of one line: the scenario\'s name, as reports print it'],
	[file({head: 'servces: {}'}), 'line 5, column 1: "servces" is not known; did you mean "services"?'],
	[file({head: 'zebra: {}'}), '"zebra" is not known; known: version, name'],
	[file({head: 'actors:'}), 'line 5, column 1: "actors" has no value; expected a mapping'],
	[file({head: 'actors:\n  app:'}), 'line 6, column 3: "actors.app" has no value; expected a mapping'],
	[file({head: 'actors:\n  App: {uid: 1}'}), 'line 6, column 3, actors.App: this is "App"; expected a name of lower-case letters'],
	[file({head: 'actors:\n  app: {uuid: 1}'}), 'line 6, column 9: "actors.app.uuid" is not known; did you mean "uid"?'],
	[file({head: 'actors:\n  app: {uid: -1}'}), 'line 6, column 9, actors.app.uid: this is -1; expected a whole number from 0 to 4294967294'],
	[file({head: 'actors:\n  app: {uid: x}'}), 'this is "x"; expected a whole number from 0 to 4294967294'],
	[file({head: 'actors:\n  app: {namespace: pood}'}), 'actors.app.namespace: "pood" is not a namespace of this scenario; did you mean "pod"?'],
	[file({head: 'actors:\n  app: {listens: [outbound]}'}), '"outbound" is a listener of the proxy, but this is app'],
	[file({head: 'actors:\n  app: {listens: [sctp:1]}'}), 'this is "sctp:1"; expected a listener: 8080, tcp:8080'],
	[file({head: 'actors:\n  app: {listens: [70000]}'}), 'actors.app.listens[0]: this is 70000; expected a whole number from 1 to 65535'],
	[file({head: 'actors:\n  app: {listens: [[1]]}'}), 'actors.app.listens[0]: this is a list; expected a listener: 8080'],
	[file({head: 'actors:\n  app: {listens: [{port: 1, forward: "nowhere:53"}]}'}), '"nowhere" is not an address or a place of this scenario; known: pod'],
	[file({head: 'actors:\n  app: {source: nowhere}'}), 'actors.app.source: "nowhere" is not an address or a place'],
	[file({head: 'families: [ipv5]'}), 'families[0]: this is "ipv5"; expected one of ipv4, ipv6; did you mean "ipv4" or "ipv6"?'],
	[file({head: 'families: []'}), 'families: this is an empty list; expected a list of families with at least one item'],
	[file({head: 'backends: [nft]'}), 'backends[0]: this is "nft"; expected one of iptables-nft, iptables-legacy, nftables'],
	[file({head: 'places: {x: 1.2.3}'}), 'places.x: "1.2.3" is not an IP address'],
	[file({head: 'places: {x: {ipv4: "::1"}}'}), '"::1" is not an IPv4 address'],
	[file({head: 'places: {x: {ipv6: 1.2.3.4}}'}), '"1.2.3.4" is not an IPv6 address'],
	[file({head: 'services: {x: {address: 10.96.0.1, port: 80, endpoint: remote}}'}), 'services.x.endpoint: this is "remote"; expected a place with a port: pod:8080'],
	[file({head: 'services: {x: {address: 10.96.0.1, port: 0, endpoint: "remote:1"}}'}), 'services.x.port: this is 0; expected a whole number from 1 to 65535'],
	[file({head: 'services: {x: {address: 10.96.0.1, port: 80, endpoint: "remoot:1"}}'}), '"remoot" is not an address or a place of this scenario; did you mean "remote"?'],
	[file({head: 'actors:\n  web: {listens: [9000]}\n  api: {listens: [9001, 9000]}'}), 'line 7, column 25, actors.api.listens[1]: api cannot listen on tcp port 9000, because web listens there, in the same namespace (pod)'],
	[file({head: 'actors:\n  web: {listens: [8080]}'}), 'line 6, column 19, actors.web.listens[0]: web cannot listen on tcp port 8080, because app listens there, in the same namespace (pod)'],
	[file({head: 'actors:\n  web: {listens: [15001]}'}), 'because proxy listens there'],
	[file({head: 'actors:\n  shop: {namespace: remote, listens: [8080]}'}), 'because remote listens there, in the same namespace (remote)'],
	[file({head: 'actors:\n  app: {namespace: remote}'}), 'line 6, column 3, actors.app: app cannot listen on tcp port 8080, because remote listens there'],
	[file({head: 'actors:\n  web: {listens: [9000, "tcp:9000"]}'}), 'actors.web.listens[1]: web listens on tcp port 9000 twice'],
	[file({head: 'places:\n  store: 10.244.1.10'}), 'line 6, column 3, places.store: 10.244.1.10 is the address of the pod; the place "store" needs one that the remote namespace can answer for (the pod itself is called "pod")'],
	[file({head: 'places: {store: {ipv6: "2001:db8:1:0::10"}}'}), '2001:db8:1::10 is the address of the pod'],
	[file({head: 'services: {x: {address: 10.244.1.10, port: 80, endpoint: "remote:1"}}'}), 'services.x: 10.244.1.10 is the address of the pod; the service "x" needs one that the remote namespace can answer for'],
	[file({head: 'interfaces: {eth1: {namespace: x, ipv4: {pod: 10.0.2.1/24, peer: 10.0.2.2}}}\nplaces: {store: 10.0.2.1}'}), 'places.store: 10.0.2.1 is the address of the pod\'s interface eth1'],
	[file({head: 'interfaces: {eth0: {namespace: x}}'}), '"eth0" cannot be the name of an additional interface: it is taken'],
	[file({head: 'interfaces: {a-name-far-too-long: {namespace: x}}'}), 'it is longer than 15 letters'],
	[file({head: 'interfaces: {eth1: {namespace: pod}}'}), 'an interface leads out of the pod'],
	[file({head: 'interfaces: {eth1: {namespace: x, ipv4: {pod: 10.0.0.1, peer: 10.0.0.2}}}'}), 'this is "10.0.0.1"; expected an address with the length of its prefix: 192.168.50.1/24'],
	[file({head: 'interfaces: {eth1: {namespace: x, ipv6: {pod: "2001:db8::1/129", peer: "2001:db8::2"}}}'}), 'write 2001:db8:50::1/64'],
	[file({head: 'interfaces: {eth1: {namespace: x, routes: [home]}}'}), '"home" is not a range of addresses'],
	['version: 1\nname: n\nabout: a\nrules: none\nprobes: []\n', 'probes: this is an empty list; expected a list of probes with at least one item'],
	[`${file()}  - {name: p, from: app, to: "pod:1", expect: {stops: ["app:8080"]}}\n`, 'two probes are called "p"'],
	[file({probe: 'form: app'}), 'line 6, column 15: "probes[0].form" is not known; did you mean "from"?'],
	[file({probe: 'from: app, to: "remote:8080"'}), '"probes[0].expect" is missing; expected a mapping: what should happen'],
	[file({probe: 'from: ap, to: "remote:8080", expect: {stops: ["app:8080"]}'}), 'line 6, column 15, probes[0].from: "ap" is not an actor of this scenario; did you mean "app"?'],
	[file({probe: 'from: app, to: "remoot:8080", expect: {stops: ["app:8080"]}'}), 'probes[0].to: "remoot" is not an address or a place of this scenario; did you mean "remote"?'],
	[file({probe: 'from: app, to: "[2001:db8::1]:80", expect: {stops: ["app:8080"]}'}), '"2001:db8::1" has no address of any family that is run'],
	[file({probe: 'from: app, to: "10.0.0.1:80", families: [ipv6], expect: {stops: ["app:8080"]}'}), '"10.0.0.1" has no address of ipv6'],
	[file({probe: 'from: app, to: "pod:80", protocol: quic, expect: {stops: ["app:8080"]}'}), 'probes[0].protocol: this is "quic"; expected one of tcp, udp'],
	[file({probe: 'from: remote, to: "pod:80", packet: odd, expect: {stops: [], outcome: refused}'}), 'probes[0].packet: this is "odd"; expected one of first, invalid'],
	[file({probe: 'from: remote, to: "pod:80", protocol: udp, packet: invalid, expect: {stops: [], outcome: refused}'}), 'probes[0].packet: only TCP packets can be invalid here'],
	[file({probe: 'from: remote, to: "pod:80", packet: invalid, expect: {stops: ["app:8080"]}'}), 'probes[0].packet: an invalid packet opens no connection, so nobody can accept it: "accepted" cannot be its outcome; write refused or dropped'],
	[file({probe: 'from: app, to: "remote:80", packet: invalid, expect: {stops: [], outcome: refused}'}), 'probes[0].packet: "app" runs as uid 1000, but only root may send raw packets (CAP_NET_RAW): let an actor with uid 0 send the invalid ones'],
	[file({probe: 'from: app, to: "pod:80", article: 7, expect: {stops: ["app:8080"]}'}), 'probes[0].article: this is 7; expected one of 1, 2, 3, 4, 5, 6'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: []}'}), 'no stop at all, and the outcome "accepted": any result would pass'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: [app]}'}), 'expect.stops[0]: this is "app"; expected a stop, the listener\'s actor and port: proxy:15001'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: ["proxy:15066"]}'}), 'probes[0].expect.stops[0]: nobody listens at "proxy:15066"; did you mean "proxy:15006"?'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: ["app:8080"], outcome: acepted}'}), 'expect.outcome: this is "acepted"; expected one of accepted, refused, dropped, unreachable, closed, nowhere, lost, answer-dropped, loop; did you mean "accepted"?'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: ["app:8080"], roles: [[outbund-jump]]}'}), 'expect.roles[0][0]: this is "outbund-jump"; expected a role of a rule, as `testbed rules --explain` shows them; did you mean "outbound-jump"?'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: ["app:8080"], roles: [[x]]}'}), 'expect.roles[0][0]: this is "x"; expected a role of a rule, as `testbed rules --explain` shows them'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: ["app:8080"], roles: []}'}), 'roles are given for 0 connections, but the flow has 1: one entry for each stop'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: [], outcome: refused, zones: [1, 2]}'}), 'zones are given for 2 connections, but the flow has 1: one entry for each stop, and one for the connection that ends otherwise'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: ["app:8080"], zones: [70000]}'}), 'expect.zones[0]: this is 70000; expected a whole number from 0 to 65535'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: ["app:8080"], sources: [nowhere]}'}), 'expect.sources[0]: "nowhere" is not an address or a place'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: ["app:8080"], path: [app]}, fault: {because: b, stops: ["app:8080"]}'}), 'for a known fault, only the stops are compared'],
	[file({probe: 'from: app, to: "pod:80", expect: {stops: ["app:8080"]}, fault: {stops: ["app:8080"]}'}), '"probes[0].fault.because" is missing; expected a string: the reason, in a sentence'],
];

for (const [text, message] of faults) {
	test(`an error has its place: ${message}`, t => {
		const error = t.throws(() => plan(text), {instanceOf: InputError});
		t.true(error.message.includes(message), error.message);
		t.regex(error.message, /^line \d+, column \d+/);
	});
}

const {release, options} = parseReleaseInput('release:1.30');
const sidecar = sidecarRuleSet(release, options, ['ipv4', 'ipv6']);
const outputOf = ({tables}: typeof sidecar, family: string): readonly string[] => tables.find(table => table.family === family && table.name === 'nat')!.chains.find(({name}) => name === 'OUTPUT')!.rules.map(({number, text}) => `${number} ${text}`);

test('rules are inserted at the front, at the end, and in the requested families', t => {
	const inserted = insertRules(sidecar, [{value: '-t nat -I OUTPUT -p tcp -j RETURN', at: ''}, {value: '-t nat -A OUTPUT -p udp -j RETURN', at: ''}, {value: '-t nat -I OUTPUT 2 -j ACCEPT', at: ''}], ['ipv4']);
	t.deepEqual(outputOf(inserted, 'ip'), ['1 -p tcp -j RETURN', '2 -j ACCEPT', '3 -j ISTIO_OUTPUT', '4 -p udp -j RETURN']);
	t.deepEqual(outputOf(inserted, 'ip6'), ['1 -j ISTIO_OUTPUT']);
});

for (const [value, message] of [
	['-t nat OUTPUT', 'line 1: "-t nat OUTPUT" does not insert a rule; write -t nat -I OUTPUT 1 …, or -A'],
	['-t nat -I OUTPUT --nonsense', 'line 1: '],
	['-t nat -A NOWHERE -j RETURN', 'line 1: the rules have no chain NOWHERE in table nat of ipv4'],
	['-A OUTPUT -j DROP', 'line 1: the rules have no chain OUTPUT in table filter of ipv4'],
] as const) {
	test(`not inserted: ${value}`, t => {
		const error = t.throws(() => insertRules(sidecar, [{value, at: 'line 1'}], ['ipv4']), {instanceOf: InputError});
		t.true(error.message.startsWith(message), error.message);
	});
}

test('the JSON Schema for editors is that of the reader', t => {
	t.deepEqual(JSON.parse(readFileSync(new URL('schemas/scenario.schema.json', root), 'utf8')), structuredClone(scenarioSchema(meshes)));
	const schema = scenarioSchema(meshes) as {readonly definitions: Readonly<Record<string, unknown>>};
	const references = [...JSON.stringify(schema).matchAll(/#\/definitions\/(?<name>\w+)/gu)].map(({groups}) => groups?.['name'] ?? '');
	t.deepEqual([...new Set(references)].toSorted(), Object.keys(schema.definitions).toSorted());
	t.deepEqual(Object.keys(schema.definitions).toSorted(), ['actor', 'addresses', 'expect', 'fault', 'interface', 'link', 'listener', 'podAddresses', 'probe', 'service']);
});

for (const name of readdirSync(new URL('scenarios/', root))) {
	test(`shipped: ${name} has its own name, one sentence, the schema, and a plan`, t => {
		const text = readFileSync(new URL(`scenarios/${name}`, root), 'utf8');
		const scenario = parseScenario(text, meshes);
		t.is(`${scenario.name}.yaml`, name);
		t.regex(scenario.about, /^[A-Z][^.]*(?:\.\d[^.]*)*\.$/);
		t.true(text.startsWith('# yaml-language-server: $schema=../schemas/scenario.schema.json\n'));
	});
}

test('no conflict: one port with TCP and UDP, in two namespaces, and two services with one address', t => {
	const {extension} = plan(file({head: 'actors:\n  web: {listens: [9000, "udp:9000"]}\n  shop: {namespace: remote, listens: [9000]}\nservices:\n  a: {address: 10.96.7.7, port: 80, endpoint: "remote:8080"}\n  b: {address: 10.96.7.7, port: 81, endpoint: "remote:8080"}\nplaces:\n  c: 10.96.7.7'}));
	t.deepEqual(extension.remoteAddresses, ['10.96.7.7']);
});

test('a listener of the default topology that does not run takes no port', t => {
	t.notThrows(() => plan(file({head: 'actors:\n  shop: {namespace: remote, listens: [15012]}'})));
});

test('roles are those of the mesh whose rules are tested, and so is what its proxy does', t => {
	const rules = dumpedRules(linkerd, 'ipv4');
	const planned = (roles: string) => planScenario({
		file: parseScenario(file({head: 'actors:\n  proxy: {listens: [inbound, outbound]}', probe: `from: app, to: "pod:8080", expect: {stops: ["app:8080"], roles: [[${roles}]]}`}), meshes),
		mesh: linkerd,
		intent: linkerd.intentOf(rules),
		topology: defaultTopology,
		credentials: defaultActors,
	});
	const {actorSet} = planned('outbound-jump, loopback-bypass');
	t.deepEqual(actorSet.actors.find(({name}) => name === 'proxy')!.listeners.map(({port, carries}) => [port, carries]), [[4143, {}], [4140, undefined]]);
	t.is(t.throws(() => planned('outbound-jump, loopback-not-proxy-uid')).message.replace(/;.*$/u, ''), 'line 8, column 42, probes[0].expect: "loopback-not-proxy-uid" is not a role of these rules, which are those of linkerd');
});
