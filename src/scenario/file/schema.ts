/**
The contents of a scenario file: each mapping with its keys and their meaning. The parser, its types and the JSON Schema for editors are all derived from it.
*/

import * as z from 'zod/mini';
import {jsonSchemaOf, type JsonSchema} from '../../parsing/json-schema.js';
import {
	about, byName, exactly, id, listOf, maybe, named, oneOf, port, text, textOf, whole, type DataOf,
} from '../../parsing/schema.js';
import type {Mesh} from '../../mesh/mesh.js';
import type {PublishedTypeId} from '../../mesh/published.js';
import {backends} from '../../netfilter/types.js';
import {addressFamilies} from '../../mesh/topology.js';

const family = oneOf(addressFamilies);
const families = listOf(family, {min: 1, of: 'families'});
const protocol = oneOf(['tcp', 'udp']);
const outcome = oneOf(['accepted', 'refused', 'dropped', 'unreachable', 'closed', 'nowhere', 'lost', 'answer-dropped', 'loop']);
const line = textOf(/^[^\r\n]*$/, 'a name of one line');
const target = textOf(/^(?:\[[\d.:A-Fa-f]+\]|[^:[\]]+):\d+$/u, 'a place with a port: pod:8080, 10.0.0.1:80 or [2001:db8::1]:80');
const stop = textOf(/^[a-z][\w-]*:\d{1,5}$/, 'a stop, the listener\'s actor and port: proxy:15001');

/** The names of meshes that a file may use: a role of any of them. */
function roleOf(meshes: readonly ScenarioMesh[]) {
	return oneOf([...new Set(meshes.flatMap(({roles}) => Object.keys(roles)))], 'a role of a rule, as `testbed rules --explain` shows them');
}

/** A published type of any of them. In YAML, a number without quotes is one. */
function articleOf(meshes: readonly ScenarioMesh[]) {
	const typeIds = [...new Set(meshes.flatMap(({published}) => Object.keys(published?.types ?? {}) as PublishedTypeId[]))];
	return z.union([oneOf(typeIds), z.literal(typeIds.map(Number))], {error: `one of ${typeIds.join(', ')}`});
}

const addressPair = named('addresses', exactly({
	ipv4: maybe(about('The IPv4 address.', text)),
	ipv6: maybe(about('The IPv6 address.', text)),
}));
const addresses = z.union([text, addressPair], {error: 'an address, or a mapping with ipv4 and ipv6'});

const listener = named('listener', exactly({
	port: about('The port.', port),
	protocol: maybe(about('tcp or udp; default: tcp.', protocol)),
	forward: maybe(about('The server that it asks for the answer, as place:port, as the agent does with DNS.', target)),
}));

const anyListener = 'a listener: 8080, tcp:8080, udp:53, outbound, inbound, tunnel, or a mapping with port, protocol and forward';
const listenerWord = textOf(/^(?:(?:tcp:|udp:)?\d+|outbound|inbound|tunnel)$/, anyListener);

const actor = named('actor', exactly({
	uid: maybe(about('The user of its process.', id)),
	gid: maybe(about('The group of its process; default: the number of the user.', id)),
	namespace: maybe(about('pod, remote, or a namespace that an interface leads to; default: pod.', text)),
	listens: maybe(about('Its listeners: 8080, tcp:8080, udp:53, outbound and inbound (the proxy\'s two), tunnel (the mesh\'s own tunnel, which leads to the app), or a mapping. An empty list is an actor that does not listen.', listOf(z.union([listenerWord, port, listener], {error: anyListener})))),
	source: maybe(about('The address, or the place, that it sends from.', text)),
}));

const service = named('service', exactly({
	address: about('Its virtual address: one, or one per family.', addresses),
	port: about('Its port.', port),
	endpoint: about('Where the proxy forwards its connections, as place:port.', target),
}));

const link = named('link', exactly({
	pod: about('The pod\'s address with the length of its prefix: 192.168.50.1/24.', textOf(/\/\d{1,3}$/, 'an address with the length of its prefix: 192.168.50.1/24, 2001:db8:50::1/64')),
	peer: about('The address of the other end.', text),
}));

const podInterface = named('interface', exactly({
	namespace: about('The namespace that it leads to: a new one by any name, or remote.', text),
	ipv4: maybe(about('Its IPv4 addresses.', link)),
	ipv6: maybe(about('Its IPv6 addresses.', link)),
	routes: maybe(about('Ranges that the pod reaches through it; the namespace answers for every address in them.', listOf(text))),
}));

const podAddresses = named('podAddresses', exactly({
	further: maybe(about('Additional addresses of the pod on eth0, added in this order: 10.244.1.11, 2001:db8:1::11.', listOf(text, {min: 1, of: 'addresses'}))),
	without: maybe(about('Places or addresses that are removed from the pod. Only the source of the proxy\'s inbound connections can be: passthrough, 127.0.0.6, ::6.', listOf(text, {min: 1, of: 'addresses'}))),
}));

const expectationOf = (meshes: readonly ScenarioMesh[]) => named('expect', exactly({
	stops: about('The listeners that the flow meets, in order: always compared.', listOf(stop)),
	outcome: maybe(about('How the last connection ends; default: accepted.', outcome)),
	roles: maybe(about('For each connection of the flow, the rules that should decide, by role. Compared only if given.', listOf(listOf(roleOf(meshes))))),
	sources: maybe(about('The address that each connection comes from, or its place. Compared only if given.', listOf(text))),
	zones: maybe(about('The conntrack zone of each connection, in which its answer has to return. Compared only if given.', listOf(whole(0, 65_535)))),
	path: maybe(about('All steps in the notation of reports. Compared only if given.', listOf(text))),
}));

const fault = named('fault', exactly({
	because: about('The reason, in a sentence.', text),
	stops: about('The listeners that the flow meets.', listOf(stop)),
	outcome: maybe(about('How the last connection ends; default: accepted.', outcome)),
}));

const probeOf = (meshes: readonly ScenarioMesh[]) => named('probe', exactly({
	name: about('Its name, as reports print it.', line),
	from: about('The actor that connects.', text),
	to: about('The destination: place:port or address:port; an IPv6 address in brackets.', target),
	protocol: maybe(about('tcp or udp; default: tcp.', protocol)),
	packet: maybe(about('first, which opens a connection, or invalid: one TCP packet that conntrack considers invalid, from an actor with uid 0. Default: first.', oneOf(['first', 'invalid']))),
	source: maybe(about('The address, or the place, to send from.', text)),
	bindDevice: maybe(about('The device that the socket is bound to, as by curl --interface: eth0. A link-local destination needs one.', textOf(/^[^\s/]{1,15}$/u, 'a device: 1 to 15 characters without spaces and slashes'))),
	article: maybe(about('The type of the article to compare with.', articleOf(meshes))),
	families: maybe(about('The families of this probe; default: those of the scenario, as far as its addresses have them.', families)),
	expect: about('What should happen.', expectationOf(meshes)),
	fault: maybe(about('A known fault: what happens instead. The probe passes as long as the fault exists.', fault)),
}));

/** The version alone, which determines how to parse the rest. */
export const scenarioHead = z.looseObject({version: about('The version of the format: 1.', whole(0, Number.MAX_SAFE_INTEGER, 'a whole number'))});

/** The version of the format. */
export const scenarioVersion = 1;

/** The names of a mesh that a file can use. */
export type ScenarioMesh = Pick<Mesh, 'roles' | 'published'>;

const fileOf = (meshes: readonly ScenarioMesh[]) => exactly({
	version: about('The version of the format: 1.', z.literal(scenarioVersion)),
	name: about('The scenario\'s name, as reports print it.', line),
	about: about('One sentence: what this shows.', text),
	rules: about('A rule input as for --rules (release:1.30 and arguments, ambient:1.30, pod:FILE, a dump file), none, or the text of a dump itself, in several lines. A file is looked up relative to this one.', text),
	insert: maybe(about('Rules to insert into those of the input, as iptables arguments: -t nat -I OUTPUT 1 -m owner --uid-owner 0 -j RETURN. Not for nftables.', listOf(text))),
	backends: maybe(about('The back ends; default: all for which the rules are available.', listOf(oneOf(backends)))),
	families: maybe(about('ipv4, ipv6 or both; default: ipv4.', families)),
	actors: maybe(about('Changes to the actors of the default topology, and additional actors.', byName(actor))),
	places: maybe(about('Names for additional addresses, which the remote namespace answers for.', byName(addresses))),
	services: maybe(about('Services that the proxy knows, by name.', byName(service))),
	addresses: maybe(about('The addresses of the pod.', podAddresses)),
	interfaces: maybe(about('Additional interfaces of the pod, by name.', byName(podInterface))),
	probes: about('The connections to attempt, all at once.', listOf(probeOf(meshes), {min: 1, of: 'probes'})),
});

const schemas = new WeakMap<readonly ScenarioMesh[], ReturnType<typeof fileOf>>();

/** A whole file, for rules of the given meshes. Made once for each list: it takes longer than to check a file with it. */
export function scenarioFileOf(meshes: readonly ScenarioMesh[]) {
	const schema = schemas.get(meshes) ?? fileOf(meshes);
	schemas.set(meshes, schema);
	return schema;
}

const {shape} = scenarioFileOf([]);

/** The keys of a file, and the required ones. */
export const scenarioKeys = {
	all: Object.keys(shape),
	required: Object.entries(shape).filter(([, schema]) => !(schema instanceof z.ZodMiniExactOptional)).map(([name]) => name),
} as const;

/** A file as data. */
export type ScenarioData = DataOf<ReturnType<typeof scenarioFileOf>>;

/** An actor in it. */
export type ActorData = DataOf<typeof actor>;

/** A listener of an actor: a word, a port or a mapping. */
export type ListenerData = NonNullable<ActorData['listens']>[number];

/** One address, or one per family. */
export type AddressesData = DataOf<typeof addresses>;

/** A service. */
export type ServiceData = DataOf<typeof service>;

/** An additional interface of the pod. */
export type InterfaceData = DataOf<typeof podInterface>;

/** The two addresses of an interface in one family. */
export type LinkData = DataOf<typeof link>;

/** A probe. */
export type ProbeData = DataOf<ReturnType<typeof probeOf>>;

/** What is expected of a probe; a known fault has some of its keys. */
export type ExpectationData = DataOf<ReturnType<typeof expectationOf>>;

/** The JSON Schema of scenario files for rules of the given meshes. */
export function scenarioSchema(meshes: readonly ScenarioMesh[]): JsonSchema {
	return jsonSchemaOf(scenarioFileOf(meshes), {title: 'A scenario of the netfilter testbed'});
}
