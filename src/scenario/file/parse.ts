/**
Reads a scenario file: YAML or JSON → what it claims, with the place of everything that can be wrong.
*/

import type {Role} from '../../mesh/roles.js';
import type {PublishedTypeId} from '../../mesh/published.js';
import {
	isMapping, keysOf, lineOf, numberOf, readDocuments, textOf, wordOf, type Field, type Text,
} from '../../parsing/document.js';
import {roles} from '../../istio/roles/roles.js';
import {publishedTypes} from '../../istio/published.js';
import {parseRange} from '../../netfilter/address.js';
import {backends, type AddressFamily} from '../../netfilter/types.js';
import type {LinkAddresses, PodInterface} from '../topology-extension.js';
import {addressFamilies} from '../topology.js';
import {
	addressesOf, addressOf, boundedOf, choiceOf, entriesOf, inputError, listOf, meaning, portIn, portOf, shaped, targetOf,
} from './read.js';
import {
	capturingWords, outcomes, packets, protocols, shapes,
} from './shapes.js';
import type {
	ActorClaim, Claim, ListenerClaim, ProbeClaim, ScenarioFile, ServiceClaim,
} from './types.js';

const idMax = 4_294_967_294;
/** IFNAMSIZ - 1 (linux/if.h). */
const interfaceNameLengthMax = 15;

/**
Reads the text of a scenario file.

@throws {InputError} with line, column and key, for what is no YAML and what a scenario cannot say.
*/
export function parseScenario(text: string): ScenarioFile {
	const [document, second] = readDocuments(text);
	if (document === undefined || second !== undefined) {
		throw inputError(second?.at ?? 'line 1, column 1', document === undefined ? 'the file holds nothing' : 'a file holds one scenario; this is a second document');
	}

	refuseForeign(document);
	const keys = shaped(document, 'scenario');
	if (numberOf(keys.version!) !== 1) {
		throw inputError(keys.version!.at, `version ${numberOf(keys.version!)} is not known; this testbed reads version 1`);
	}

	const probes = listOf(keys.probes, readProbe)!;
	if (probes.length === 0) {
		throw inputError(keys.probes!.at, 'a scenario without a probe shows nothing');
	}

	const twice = probes.find(({name}, index) => probes.findIndex(other => other.name === name) !== index);
	if (twice !== undefined) {
		throw inputError(twice.at, `two probes are called "${twice.name}"`);
	}

	return {
		name: lineIn(keys.name!),
		about: sentenceIn(keys.about!),
		rules: textOf(keys.rules!),
		insert: listOf(keys.insert, textOf) ?? [],
		backends: listOf(keys.backends, item => choiceOf(item, backends)),
		families: familiesOf(keys.families) ?? ['ipv4'],
		actors: entriesOf(keys.actors).map(([name, field]) => readActor(name, field)),
		places: entriesOf(keys.places).map(([name, field]) => ({name, addresses: addressesOf(field, isMapping(field))})),
		services: entriesOf(keys.services).map(([name, field]) => readService(name, field)),
		interfaces: entriesOf(keys.interfaces).map(([name, field]) => readInterface(name, field)),
		probes,
	};
}

/** What has not one key of a scenario is something else, and its words are not repeated. */
function refuseForeign(document: Field): void {
	const known = new Set(Object.keys(shapes.scenario));
	if (isMapping(document) && keysOf(document).every(({name}) => !known.has(name))) {
		throw inputError(document.at, `this is no scenario: one says ${Object.entries(shapes.scenario).filter(([, {isDue}]) => isDue).map(([name]) => name).join(', ')}`);
	}
}

/** A name: reports have it in a line of theirs. */
function lineIn(field: Field): string {
	const {value, at} = textOf(field);
	if (/[\r\n]/u.test(value)) {
		throw inputError(at, 'a name is one line');
	}

	return value;
}

/** A sentence, over however many lines it was written. */
function sentenceIn(field: Field): string {
	return textOf(field).value.replaceAll(/\s*[\r\n]\s*/gu, ' ').trim();
}

function familiesOf(field: Field | undefined): readonly AddressFamily[] | undefined {
	const families = listOf(field, item => choiceOf(item, addressFamilies));
	if (families?.length === 0) {
		throw inputError(field!.at, 'no family at all; leave the key out for ipv4');
	}

	return families;
}

function readActor(name: string, field: Field): ActorClaim {
	const {uid, gid, namespace, listens, source} = shaped(field, 'actor');
	return {
		name,
		at: field.at,
		uid: uid === undefined ? undefined : boundedOf(uid, {min: 0, max: idMax}),
		gid: gid === undefined ? undefined : boundedOf(gid, {min: 0, max: idMax}),
		namespace: namespace === undefined ? undefined : textOf(namespace),
		listens: listOf(listens, item => readListener(name, item)),
		source: source === undefined ? undefined : wordOf(source),
	};
}

function readListener(actor: string, field: Field): ListenerClaim {
	if (isMapping(field)) {
		const {protocol, port, forward} = shaped(field, 'listener');
		return {
			kind: 'port', protocol: protocol === undefined ? 'tcp' : choiceOf(protocol, protocols), port: portOf(port!), forward: forward === undefined ? undefined : targetOf(forward), at: field.at,
		};
	}

	const {value, at} = wordOf(field);
	const word = capturingWords.find(known => known === value);
	if (word !== undefined) {
		if (actor !== 'proxy') {
			throw inputError(at, `"${word}" is a listener of the proxy, and this is ${actor}`);
		}

		return {kind: word, at};
	}

	const {protocol = 'tcp', port} = /^(?:(?<protocol>tcp|udp):)?(?<port>\d+)$/u.exec(value)?.groups ?? {};
	if (port === undefined) {
		throw inputError(at, `"${value}" is no listener; write 8080, tcp:8080, udp:53, outbound, inbound, or a mapping with port, protocol and forward`);
	}

	return {
		kind: 'port', protocol: protocol === 'udp' ? 'udp' : 'tcp', port: portIn(port, at), forward: undefined, at,
	};
}

function readService(name: string, field: Field): ServiceClaim {
	const {address, port, endpoint} = shaped(field, 'service');
	return {
		name, addresses: addressesOf(address!, isMapping(address!)), port: portOf(port!), endpoint: targetOf(endpoint!),
	};
}

function readInterface(name: string, field: Field): PodInterface {
	if (name.length > interfaceNameLengthMax || ['lo', 'eth0', 'all', 'default'].includes(name)) {
		throw inputError(field.at, `"${name}" cannot be the name of a further interface: it is ${name.length > interfaceNameLengthMax ? `longer than ${interfaceNameLengthMax} letters` : 'taken'}`);
	}

	const {namespace, ipv4, ipv6, routes} = shaped(field, 'interface');
	const behind = textOf(namespace!);
	if (behind.value === 'pod') {
		throw inputError(behind.at, 'an interface leads out of the pod: name another namespace');
	}

	return {
		name,
		namespace: behind.value,
		addresses: {
			...(ipv4 === undefined ? {} : {ipv4: readLink(ipv4, 'ipv4')}),
			...(ipv6 === undefined ? {} : {ipv6: readLink(ipv6, 'ipv6')}),
		},
		routes: listOf(routes, item => {
			const {value, at} = wordOf(item);
			if (parseRange(value) === undefined) {
				throw inputError(at, `"${value}" is no range of addresses; write 192.0.2.0/24`);
			}

			return value;
		}) ?? [],
	};
}

function readLink(field: Field, family: AddressFamily): LinkAddresses {
	const {pod, peer} = shaped(field, 'link');
	const text = wordOf(pod!);
	const [address = '', length] = text.value.split('/');
	if (length === undefined || !/^\d{1,3}$/u.test(length) || Number(length) > (family === 'ipv4' ? 32 : 128)) {
		throw inputError(text.at, `"${text.value}" has no length of its prefix; write ${family === 'ipv4' ? '192.168.50.1/24' : '2001:db8:50::1/64'}`);
	}

	return {pod: addressOf({value: address, at: text.at}, family), peer: addressOf(wordOf(peer!), family), prefixLength: Number(length)};
}

function readProbe(field: Field): ProbeClaim {
	const keys = shaped(field, 'probe');
	const expect = readClaim(keys.expect!, 'expect');
	if (keys.fault !== undefined && [expect.roles, expect.path, expect.sources, expect.zones].some(claim => claim !== undefined)) {
		throw inputError(keys.fault.at, 'of a known fault only the stops are compared: leave roles, sources, zones and path out of expect');
	}

	const protocol = keys.protocol === undefined ? 'tcp' : choiceOf(keys.protocol, protocols);
	const invalid = keys.packet !== undefined && choiceOf(keys.packet, packets) === 'invalid' ? wordOf(keys.packet) : undefined;
	if (invalid !== undefined && protocol !== 'tcp') {
		throw inputError(invalid.at, 'packets of TCP alone can be invalid here: conntrack takes any datagram of UDP for a connection');
	}

	if (invalid !== undefined && (expect.outcome === 'accepted' || expect.outcome === 'loop')) {
		throw inputError(invalid.at, `an invalid packet opens no connection, so nobody can accept it: "${expect.outcome}" cannot be its outcome; write refused or dropped`);
	}

	return {
		name: lineIn(keys.name!),
		at: field.at,
		line: lineOf(field),
		from: textOf(keys.from!),
		to: targetOf(keys.to!),
		protocol,
		invalid,
		source: keys.source === undefined ? undefined : wordOf(keys.source),
		article: keys.article === undefined ? null : choiceOf(keys.article, Object.keys(publishedTypes) as PublishedTypeId[]),
		families: familiesOf(keys.families),
		expect,
		fault: keys.fault === undefined ? undefined : {because: sentenceIn(shaped(keys.fault, 'fault').because!), claim: readClaim(keys.fault, 'fault')},
	};
}

function readClaim(field: Field, shape: 'expect' | 'fault'): Claim {
	const keys: Readonly<Partial<Record<'stops' | 'outcome' | 'roles' | 'path' | 'sources' | 'zones', Field>>> = shaped(field, shape);
	const stops = listOf(keys.stops, textOf)!;
	const outcome = keys.outcome === undefined ? 'accepted' : choiceOf(keys.outcome, outcomes);
	if (stops.length === 0 && (outcome === 'accepted' || outcome === 'loop')) {
		throw inputError(keys.stops!.at, `no stop at all, and the outcome "${outcome}": whatever came would have to pass`);
	}

	for (const stop of stops) {
		checkStop(stop);
	}

	return {
		at: field.at,
		stops,
		outcome,
		roles: listOf(keys.roles, item => listOf(item, readRole)!),
		path: listOf(keys.path, item => textOf(item).value),
		sources: listOf(keys.sources, wordOf),
		zones: listOf(keys.zones, item => boundedOf(item, {min: 0, max: 65_535})),
	};
}

/** Whether a listener has that name is known only with the rules: they give the proxy's ports. */
function checkStop({value, at}: Text): void {
	if (!/^[a-z][\w-]*:\d{1,5}$/u.test(value)) {
		throw inputError(at, `"${value}" is no stop; write the listener's actor and port: proxy:15001`);
	}
}

function readRole(field: Field): Role {
	const {value, at} = textOf(field);
	if (!(value in roles)) {
		throw inputError(at, `"${value}" is no role of a rule${meaning(value, Object.keys(roles)).replace(/^; known are .*$/u, '; `testbed rules --explain` shows them')}`);
	}

	return value as Role;
}
