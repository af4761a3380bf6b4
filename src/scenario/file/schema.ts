/**
What a scenario file may say: each mapping with its keys and what they mean. The reader, its types and the JSON Schema for editors are all made of this.
*/

import * as z from 'zod/mini';
import {jsonSchemaOf, type JsonSchema} from '../../parsing/json-schema.js';
import {
	about, byName, exactly, id, listOf, maybe, named, oneOf, port, text, textOf, whole, type DataOf,
} from '../../parsing/schema.js';
import {roles, type Role} from '../../istio/roles/roles.js';
import {publishedTypes} from '../../istio/published.js';
import type {PublishedTypeId} from '../../mesh/published.js';
import {backends} from '../../netfilter/types.js';
import {addressFamilies} from '../topology.js';

const family = oneOf(addressFamilies);
const families = listOf(family, {min: 1, of: 'families'});
const protocol = oneOf(['tcp', 'udp']);
const outcome = oneOf(['accepted', 'refused', 'dropped', 'unreachable', 'loop']);
const line = textOf(/^[^\r\n]*$/, 'a name of one line');
const target = textOf(/^(?:\[[\d.:A-Fa-f]+\]|[^:[\]]+):\d+$/u, 'a place with a port: pod:8080, 10.0.0.1:80 or [2001:db8::1]:80');
const stop = textOf(/^[a-z][\w-]*:\d{1,5}$/, 'a stop, the listener\'s actor and port: proxy:15001');
const role = oneOf(Object.keys(roles) as Role[], 'a role of a rule, as `testbed rules --explain` shows them');

const typeIds = Object.keys(publishedTypes) as PublishedTypeId[];
/** In YAML a number without quotes is one. */
const article = z.union([oneOf(typeIds), z.literal(typeIds.map(Number))], {error: `one of ${typeIds.join(', ')}`});

const addressPair = named('addresses', exactly({
	ipv4: maybe(about('The IPv4 address.', text)),
	ipv6: maybe(about('The IPv6 address.', text)),
}));
const addresses = z.union([text, addressPair], {error: 'an address, or a mapping with ipv4 and ipv6'});

const listener = named('listener', exactly({
	port: about('The port.', port),
	protocol: maybe(about('tcp or udp; without it tcp.', protocol)),
	forward: maybe(about('Whom it asks for the answer, as place:port: what the agent does with DNS.', target)),
}));

const anyListener = 'a listener: 8080, tcp:8080, udp:53, outbound, inbound, or a mapping with port, protocol and forward';
const listenerWord = textOf(/^(?:(?:tcp:|udp:)?\d+|outbound|inbound)$/, anyListener);

const actor = named('actor', exactly({
	uid: maybe(about('The user of its process.', id)),
	gid: maybe(about('The group of its process; without it the number of the user.', id)),
	namespace: maybe(about('pod, remote, or one that an interface leads to; without it pod.', text)),
	listens: maybe(about('Its listeners: 8080, tcp:8080, udp:53, outbound and inbound (the proxy\'s two), or a mapping. An empty list is an actor that does not listen.', listOf(z.union([listenerWord, port, listener], {error: anyListener})))),
	source: maybe(about('The address, or the place, that it sends from.', text)),
}));

const service = named('service', exactly({
	address: about('Its virtual address: one, or one per family.', addresses),
	port: about('Its port.', port),
	endpoint: about('Where the proxy carries its connections on to, as place:port.', target),
}));

const link = named('link', exactly({
	pod: about('The pod\'s address with the length of its prefix: 192.168.50.1/24.', textOf(/\/\d{1,3}$/, 'an address with the length of its prefix: 192.168.50.1/24, 2001:db8:50::1/64')),
	peer: about('The address of the other end.', text),
}));

const podInterface = named('interface', exactly({
	namespace: about('The namespace behind it: a new one by any name, or remote.', text),
	ipv4: maybe(about('Its IPv4 addresses.', link)),
	ipv6: maybe(about('Its IPv6 addresses.', link)),
	routes: maybe(about('Ranges that the pod reaches through it; the namespace answers for every address in them.', listOf(text))),
}));

const expectation = named('expect', exactly({
	stops: about('The listeners that the flow meets, in order: always compared.', listOf(stop)),
	outcome: maybe(about('How the last connection ends; without it accepted.', outcome)),
	roles: maybe(about('For each connection of the flow the rules that should decide, by role. Compared only where given.', listOf(listOf(role)))),
	sources: maybe(about('The address that each connection comes from, or its place. Compared only where given.', listOf(text))),
	zones: maybe(about('The conntrack zone of each connection, in which its answer has to come back. Compared only where given.', listOf(whole(0, 65_535)))),
	path: maybe(about('All steps in the notation of reports. Compared only where given.', listOf(text))),
}));

const fault = named('fault', exactly({
	because: about('Why it is so, in a sentence.', text),
	stops: about('The listeners that the flow meets.', listOf(stop)),
	outcome: maybe(about('How the last connection ends; without it accepted.', outcome)),
}));

const probe = named('probe', exactly({
	name: about('Its name, as reports print it.', line),
	from: about('The actor that connects.', text),
	to: about('Where to: place:port or address:port; an IPv6 address in brackets.', target),
	protocol: maybe(about('tcp or udp; without it tcp.', protocol)),
	packet: maybe(about('first, which opens a connection, or invalid: one packet of TCP that conntrack calls so, from an actor of uid 0. Without it first.', oneOf(['first', 'invalid']))),
	source: maybe(about('The address, or the place, to send from.', text)),
	article: maybe(about('The type of the article that it is, to be compared with.', article)),
	families: maybe(about('The families of this probe; without it those of the scenario, as far as its addresses have them.', families)),
	expect: about('What should happen.', expectation),
	fault: maybe(about('What happens in spite of it: a fault that is known. The probe passes as long as it is there.', fault)),
}));

/** The version alone, which says how to read the rest. */
export const scenarioHead = z.looseObject({version: about('The version of the format: 1.', whole(0, Number.MAX_SAFE_INTEGER, 'a whole number'))});

/** The version of the format. */
export const scenarioVersion = 1;

/** A whole file. */
export const scenarioFile = exactly({
	version: about('The version of the format: 1.', z.literal(scenarioVersion)),
	name: about('The scenario\'s name, as reports print it.', line),
	about: about('One sentence: what this shows.', text),
	rules: about('A rule input as --rules takes it (release:1.30 and arguments, ambient:1.30, pod:FILE, a dump\'s file), or none. A file is looked for beside this one.', text),
	insert: maybe(about('Rules put into those of the input, as iptables is told: -t nat -I OUTPUT 1 -m owner --uid-owner 0 -j RETURN. Not for nftables.', listOf(text))),
	backends: maybe(about('The back ends; without it all that the rules can be had for.', listOf(oneOf(backends)))),
	families: maybe(about('ipv4, ipv6 or both; without it ipv4.', families)),
	actors: maybe(about('Who is another than in the default topology, and who is there beside it.', byName(actor))),
	places: maybe(about('Names for further addresses, which the remote namespace answers for.', byName(addresses))),
	services: maybe(about('Services that the proxy knows, by name.', byName(service))),
	interfaces: maybe(about('Further interfaces of the pod, by name.', byName(podInterface))),
	probes: about('The connections to attempt, all at once.', listOf(probe, {min: 1, of: 'probes'})),
});

/** The keys of a file, and those of them that have to be there. */
export const scenarioKeys = {
	all: Object.keys(scenarioFile.shape),
	required: Object.entries(scenarioFile.shape).filter(([, schema]) => !(schema instanceof z.ZodMiniExactOptional)).map(([name]) => name),
} as const;

/** A file as data. */
export type ScenarioData = DataOf<typeof scenarioFile>;

/** An actor in it. */
export type ActorData = DataOf<typeof actor>;

/** A listener of an actor: a word, a port or a mapping. */
export type ListenerData = NonNullable<ActorData['listens']>[number];

/** One address, or one per family. */
export type AddressesData = DataOf<typeof addresses>;

/** A service. */
export type ServiceData = DataOf<typeof service>;

/** A further interface of the pod. */
export type InterfaceData = DataOf<typeof podInterface>;

/** The two addresses of an interface in one family. */
export type LinkData = DataOf<typeof link>;

/** A probe. */
export type ProbeData = DataOf<typeof probe>;

/** What is expected of a probe; a known fault says a part of it. */
export type ExpectationData = DataOf<typeof expectation>;

/** The JSON Schema of scenario files. */
export function scenarioSchema(): JsonSchema {
	return jsonSchemaOf(scenarioFile, {title: 'A scenario of the netfilter testbed'});
}
