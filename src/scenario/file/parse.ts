/**
Parses a scenario file, YAML or JSON, into its expectations, with the place of everything that can be wrong.
*/

import type {PublishedTypeId} from '../../mesh/published.js';
import {
	fieldAt, isMapping, keysOf, lineOf, plainOf, readDocuments, type Field, type Text,
} from '../../parsing/document.js';
import {validate, validField, type DataPath} from '../../parsing/validate.js';
import {parseRange} from '../../netfilter/address.js';
import type {AddressFamily} from '../../netfilter/types.js';
import type {LinkAddresses, PodInterface} from '../topology-extension.js';
import {
	addressesOf, addressOf, below, inputError, portIn, targetOf, type At,
} from './read.js';
import {
	scenarioFileOf, scenarioHead, scenarioKeys, scenarioVersion,
	type ActorData, type ExpectationData, type InterfaceData, type LinkData, type ListenerData, type ProbeData, type ScenarioMesh, type ServiceData,
} from './schema.js';
import type {
	ActorClaim, Claim, ListenerClaim, ProbeClaim, ScenarioFile, ServiceClaim,
} from './types.js';

/** IFNAMSIZ - 1 (linux/if.h). */
const interfaceNameLengthMax = 15;

/**
Parses the text of a scenario file. It may use the roles and the published types of the given meshes.

@throws {InputError} with line, column and key, if it is not YAML, or not a valid scenario.
*/
export function parseScenario(text: string, meshes: readonly ScenarioMesh[]): ScenarioFile {
	const [document, second] = readDocuments(text);
	if (document === undefined || second !== undefined) {
		throw inputError(second?.at ?? 'line 1, column 1', document === undefined ? 'the file is empty' : 'a file contains one scenario; this is a second document');
	}

	refuseForeign(document);
	const at: At = (...path) => fieldAt(document, path).at;
	const {version} = validField(scenarioHead, document);
	if (version !== scenarioVersion) {
		throw inputError(at('version'), `version ${version} is not known; this testbed reads version ${scenarioVersion}`);
	}

	const data = validField(scenarioFileOf(meshes), document);
	const twice = data.probes.findIndex(({name}, index) => data.probes.findIndex(other => other.name === name) !== index);
	if (twice !== -1) {
		throw inputError(at('probes', twice), `two probes are called "${data.probes[twice]?.name ?? ''}"`);
	}

	return {
		name: data.name,
		about: sentence(data.about),
		rules: textAt(data.rules, at, 'rules'),
		insert: textsAt(data.insert ?? [], at, 'insert'),
		backends: data.backends,
		families: data.families ?? ['ipv4'],
		actors: Object.entries(data.actors ?? {}).map(([name, actor]) => readActor(name, actor, below(at, 'actors', name))),
		places: Object.entries(data.places ?? {}).map(([name, addresses]) => ({name, at: at('places', name), addresses: addressesOf(addresses, below(at, 'places', name))})),
		services: Object.entries(data.services ?? {}).map(([name, service]) => readService(name, service, below(at, 'services', name))),
		furtherAddresses: textsAt(data.addresses?.further ?? [], below(at, 'addresses'), 'further').map(address => addressOf(address)),
		interfaces: Object.entries(data.interfaces ?? {}).map(([name, each]) => readInterface(name, each, below(at, 'interfaces', name))),
		without: textsAt(data.addresses?.without ?? [], below(at, 'addresses'), 'without'),
		probes: data.probes.map((probe, index) => readProbe(probe, {at: below(at, 'probes', index), line: lineOf(fieldAt(document, ['probes', index]))})),
	};
}

/** A mapping without any key of a scenario is something else, and its content is not quoted. Neither are the values of one whose version is not a number (a package.json has a name and a version, too): its keys are reported first. */
function refuseForeign(document: Field): void {
	if (!isMapping(document)) {
		return;
	}

	const keys = keysOf(document);
	if (keys.every(({name}) => !scenarioKeys.all.includes(name))) {
		throw inputError(document.at, `this is not a scenario: a scenario has ${scenarioKeys.required.join(', ')}`);
	}

	const foreign = keys.find(({name}) => !scenarioKeys.all.includes(name));
	if (foreign !== undefined && 'complaints' in validate(scenarioHead, plainOf(document))) {
		throw inputError(foreign.at, `"${foreign.name}" is not a key of a scenario`);
	}
}

/** A text with its place. */
function textAt(value: string, at: At, ...path: DataPath): Text {
	return {value, at: at(...path)};
}

/** The same for each text of a list. */
function textsAt(values: readonly string[], at: At, key: string): readonly Text[] {
	return values.map((value, index) => textAt(value, at, key, index));
}

/** A sentence, joined from any number of lines. */
function sentence(text: string): string {
	return text.replaceAll(/\s*[\r\n]\s*/gu, ' ').trim();
}

function readActor(name: string, {uid, gid, namespace, listens, source}: ActorData, at: At): ActorClaim {
	return {
		name,
		at: at(),
		uid,
		gid,
		namespace: namespace === undefined ? undefined : textAt(namespace, at, 'namespace'),
		listens: listens?.map((listener, index) => readListener(name, listener, below(at, 'listens', index))),
		source: source === undefined ? undefined : textAt(source, at, 'source'),
	};
}

function readListener(actor: string, data: ListenerData, at: At): ListenerClaim {
	if (typeof data === 'object') {
		const {protocol = 'tcp', port, forward} = data;
		return {
			kind: 'port', protocol, port, forward: forward === undefined ? undefined : targetOf(textAt(forward, at, 'forward')), at: at(),
		};
	}

	if (data === 'outbound' || data === 'inbound' || data === 'tunnel') {
		if (actor !== 'proxy') {
			throw inputError(at(), `"${data}" is a listener of the proxy, but this is ${actor}`);
		}

		return {kind: data, at: at()};
	}

	const word = String(data);
	return {
		kind: 'port', protocol: word.startsWith('udp:') ? 'udp' : 'tcp', port: portIn(word.slice(word.indexOf(':') + 1), at()), forward: undefined, at: at(),
	};
}

function readService(name: string, {address, port, endpoint}: ServiceData, at: At): ServiceClaim {
	return {
		name, at: at(), addresses: addressesOf(address, below(at, 'address')), port, endpoint: targetOf(textAt(endpoint, at, 'endpoint')),
	};
}

function readInterface(name: string, {namespace, ipv4, ipv6, routes = []}: InterfaceData, at: At): PodInterface {
	if (name.length > interfaceNameLengthMax || ['lo', 'eth0', 'all', 'default'].includes(name)) {
		throw inputError(at(), `"${name}" cannot be the name of an additional interface: it is ${name.length > interfaceNameLengthMax ? `longer than ${interfaceNameLengthMax} letters` : 'taken'}`);
	}

	if (namespace === 'pod') {
		throw inputError(at('namespace'), 'an interface leads out of the pod: name another namespace');
	}

	for (const [index, route] of routes.entries()) {
		if (parseRange(route) === undefined) {
			throw inputError(at('routes', index), `"${route}" is not a range of addresses; write 192.0.2.0/24`);
		}
	}

	return {
		name,
		namespace,
		addresses: {
			...(ipv4 === undefined ? {} : {ipv4: readLink(ipv4, 'ipv4', below(at, 'ipv4'))}),
			...(ipv6 === undefined ? {} : {ipv6: readLink(ipv6, 'ipv6', below(at, 'ipv6'))}),
		},
		routes,
	};
}

function readLink({pod, peer}: LinkData, family: AddressFamily, at: At): LinkAddresses {
	const slash = pod.lastIndexOf('/');
	const prefixLength = Number(pod.slice(slash + 1));
	const lengthMax = family === 'ipv4' ? 32 : 128;
	if (prefixLength > lengthMax) {
		throw inputError(at('pod'), `"${pod}" has a longer prefix than ${lengthMax}; write ${family === 'ipv4' ? '192.168.50.1/24' : '2001:db8:50::1/64'}`);
	}

	return {pod: addressOf({value: pod.slice(0, slash), at: at('pod')}, family), peer: addressOf(textAt(peer, at, 'peer'), family), prefixLength};
}

function readProbe({name, from, to, protocol = 'tcp', packet, source, bindDevice, article, families, expect, fault}: ProbeData, {at, line}: {readonly at: At; readonly line: number}): ProbeClaim {
	const claim = readClaim(expect, below(at, 'expect'));
	if (fault !== undefined && [claim.roles, claim.path, claim.sources, claim.zones].some(each => each !== undefined)) {
		throw inputError(at('fault'), 'for a known fault, only the stops are compared: leave roles, sources, zones and path out of expect');
	}

	const invalid = packet === 'invalid' ? textAt(packet, at, 'packet') : undefined;
	if (invalid !== undefined && protocol !== 'tcp') {
		throw inputError(invalid.at, 'only TCP packets can be invalid here: conntrack takes any UDP datagram for a connection');
	}

	const boundTo = bindDevice === undefined ? undefined : textAt(bindDevice, at, 'bindDevice');
	if (invalid !== undefined && boundTo !== undefined) {
		throw inputError(boundTo.at, 'an invalid packet is sent without a connected socket, so it cannot be bound to a device');
	}

	if (invalid !== undefined && (claim.outcome === 'accepted' || claim.outcome === 'closed' || claim.outcome === 'loop')) {
		throw inputError(invalid.at, `an invalid packet opens no connection, so nobody can accept it: "${claim.outcome}" cannot be its outcome; write refused or dropped`);
	}

	return {
		name,
		at: at(),
		line,
		from: textAt(from, at, 'from'),
		to: targetOf(textAt(to, at, 'to')),
		protocol,
		invalid,
		source: source === undefined ? undefined : textAt(source, at, 'source'),
		bindDevice: boundTo,
		article: article === undefined ? null : String(article) as PublishedTypeId,
		families,
		expect: claim,
		fault: fault === undefined ? undefined : {because: sentence(fault.because), claim: readClaim(fault, below(at, 'fault'))},
	};
}

function readClaim({stops, outcome = 'accepted', roles, path, sources, zones}: ExpectationData, at: At): Claim {
	if (stops.length === 0 && (outcome === 'accepted' || outcome === 'closed' || outcome === 'loop')) {
		throw inputError(at('stops'), `no stop at all, and the outcome "${outcome}": any result would pass`);
	}

	return {
		at: at(),
		stops: textsAt(stops, at, 'stops'),
		outcome,
		roles,
		path,
		sources: sources === undefined ? undefined : textsAt(sources, at, 'sources'),
		zones,
	};
}
