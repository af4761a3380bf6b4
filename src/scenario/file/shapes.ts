/**
What a scenario file may say: each mapping with its keys, whether they have to be there, and what they mean. The reader and the JSON Schema for editors are both made of this.
*/

import {roles} from '../../istio/roles/roles.js';
import {publishedTypes} from '../../istio/published.js';
import {backends} from '../../netfilter/types.js';
import {addressFamilies} from '../topology.js';

/** A JSON Schema, as far as it is needed here. */
export type Schema = Readonly<Record<string, unknown>>;

/** One key of a mapping. */
export type KeyShape = {readonly isDue: boolean; readonly about: string; readonly schema: Schema};

/** The keys of a mapping. */
export type Shape = Readonly<Record<string, KeyShape>>;

const due = (about: string, schema: Schema): KeyShape => ({isDue: true, about, schema});
const optional = (about: string, schema: Schema): KeyShape => ({isDue: false, about, schema});

const text: Schema = {type: 'string'};
const port: Schema = {type: 'integer', minimum: 1, maximum: 65_535};
const id: Schema = {type: 'integer', minimum: 0, maximum: 4_294_967_294};
const listOf = (items: Schema): Schema => ({type: 'array', items});
const oneOf = (values: readonly string[]): Schema => ({enum: values});
const named = (shape: string): Schema => ({type: 'object', additionalProperties: {$ref: `#/$defs/${shape}`}});
const reference = (shape: string): Schema => ({$ref: `#/$defs/${shape}`});

/** How a probe can end. */
export const outcomes = ['accepted', 'refused', 'dropped', 'unreachable', 'loop'] as const;

/** The protocols of a probe or a listener. */
export const protocols = ['tcp', 'udp'] as const;

/** What a probe can send: the first packet of a connection, or one that conntrack calls invalid. */
export const packets = ['first', 'invalid'] as const;

/** The words for the proxy's two capturing listeners. */
export const capturingWords = ['outbound', 'inbound'] as const;

const addresses: Schema = {anyOf: [text, reference('addresses')]};

/** Every mapping of a file, by name. */
export const shapes = {
	scenario: {
		version: due('The version of the format: 1.', {const: 1}),
		name: due('The scenario\'s name, as reports print it.', text),
		about: due('One sentence: what this shows.', text),
		rules: due('A rule input as --rules takes it (release:1.30 and arguments, ambient:1.30, pod:FILE, a dump\'s file), or none. A file is looked for beside this one.', text),
		insert: optional('Rules put into those of the input, as iptables is told: -t nat -I OUTPUT 1 -m owner --uid-owner 0 -j RETURN. Not for nftables.', listOf(text)),
		backends: optional('The back ends; without it all that the rules can be had for.', listOf(oneOf(backends))),
		families: optional('ipv4, ipv6 or both; without it ipv4.', listOf(oneOf(addressFamilies))),
		actors: optional('Who is another than in the default topology, and who is there beside it.', named('actor')),
		places: optional('Names for further addresses, which the remote namespace answers for.', {type: 'object', additionalProperties: addresses}),
		services: optional('Services that the proxy knows, by name.', named('service')),
		interfaces: optional('Further interfaces of the pod, by name.', named('interface')),
		probes: due('The connections to attempt, all at once.', {type: 'array', items: reference('probe'), minItems: 1}),
	},
	actor: {
		uid: optional('The user of its process.', id),
		gid: optional('The group of its process; without it the number of the user.', id),
		namespace: optional('pod, remote, or one that an interface leads to; without it pod.', text),
		listens: optional('Its listeners: 8080, tcp:8080, udp:53, outbound and inbound (the proxy\'s two), or a mapping. An empty list is an actor that does not listen.', listOf({anyOf: [text, port, reference('listener')]})),
		source: optional('The address, or the place, that it sends from.', text),
	},
	listener: {
		port: due('The port.', port),
		protocol: optional('tcp or udp; without it tcp.', oneOf(protocols)),
		forward: optional('Whom it asks for the answer, as place:port: what the agent does with DNS.', text),
	},
	addresses: {
		ipv4: optional('The IPv4 address.', text),
		ipv6: optional('The IPv6 address.', text),
	},
	service: {
		address: due('Its virtual address: one, or one per family.', addresses),
		port: due('Its port.', port),
		endpoint: due('Where the proxy carries its connections on to, as place:port.', text),
	},
	interface: {
		namespace: due('The namespace behind it: a new one by any name, or remote.', text),
		ipv4: optional('Its IPv4 addresses.', reference('link')),
		ipv6: optional('Its IPv6 addresses.', reference('link')),
		routes: optional('Ranges that the pod reaches through it; the namespace answers for every address in them.', listOf(text)),
	},
	link: {
		pod: due('The pod\'s address with the length of its prefix: 192.168.50.1/24.', text),
		peer: due('The address of the other end.', text),
	},
	probe: {
		name: due('Its name, as reports print it.', text),
		from: due('The actor that connects.', text),
		to: due('Where to: place:port or address:port; an IPv6 address in brackets.', text),
		protocol: optional('tcp or udp; without it tcp.', oneOf(protocols)),
		packet: optional('first, which opens a connection, or invalid: one packet of TCP that conntrack calls so, from an actor of uid 0. Without it first.', oneOf(packets)),
		source: optional('The address, or the place, to send from.', text),
		article: optional('The type of the article that it is, to be compared with.', oneOf(Object.keys(publishedTypes))),
		families: optional('The families of this probe; without it those of the scenario, as far as its addresses have them.', listOf(oneOf(addressFamilies))),
		expect: due('What should happen.', reference('expect')),
		fault: optional('What happens in spite of it: a fault that is known. The probe passes as long as it is there.', reference('fault')),
	},
	expect: {
		stops: due('The listeners that the flow meets, in order: always compared.', listOf(text)),
		outcome: optional('How the last connection ends; without it accepted.', oneOf(outcomes)),
		roles: optional('For each connection of the flow the rules that should decide, by role. Compared only where given.', listOf(listOf(oneOf(Object.keys(roles))))),
		sources: optional('The address that each connection comes from, or its place. Compared only where given.', listOf(text)),
		zones: optional('The conntrack zone of each connection, in which its answer has to come back. Compared only where given.', listOf({type: 'integer', minimum: 0, maximum: 65_535})),
		path: optional('All steps in the notation of reports. Compared only where given.', listOf(text)),
	},
	fault: {
		because: due('Why it is so, in a sentence.', text),
		stops: due('The listeners that the flow meets.', listOf(text)),
		outcome: optional('How the last connection ends; without it accepted.', oneOf(outcomes)),
	},
} as const satisfies Readonly<Record<string, Shape>>;

/** The JSON Schema of scenario files. */
export function scenarioSchema(): Schema {
	const {scenario, ...others} = shapes;
	return {
		$schema: 'http://json-schema.org/draft-07/schema#',
		title: 'A scenario of the netfilter testbed',
		...schemaOf(scenario),
		$defs: Object.fromEntries(Object.entries(others).map(([name, shape]) => [name, schemaOf(shape)])),
	};
}

function schemaOf(shape: Shape): Schema {
	const keys = Object.entries(shape);
	return {
		type: 'object',
		additionalProperties: false,
		required: keys.filter(([, {isDue}]) => isDue).map(([name]) => name),
		properties: Object.fromEntries(keys.map(([name, {about, schema}]) => [name, {description: about, ...schema}])),
	};
}
