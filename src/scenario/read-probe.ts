/**
Reads a probe from user input: the options of a command line, a line of JSON, or an object of the library. All are read here, according to the table of fields.
*/

import {
	contains, parseAddress, parseRange, printAddress, type AddressRange,
} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import {didYouMean} from '../parsing/did-you-mean.js';
import {
	defaultTopology, podInterfaceOf, usualPodInterface, type AddressPair, type Topology,
} from '../mesh/topology.js';
import {
	fieldList, mustBe, probeFields, probeKeys, type ProbeSpec,
} from './probe-spec.js';

/** The places that a destination can name, with their addresses. */
export const places: Readonly<Record<string, AddressPair>> = placesOf(defaultTopology);

function placesOf({places: named, resolver}: Topology): Readonly<Record<string, AddressPair>> {
	return {...named, resolver};
}

function placeOf(name: string, topology: Topology): AddressPair | undefined {
	if (name === 'resolver') {
		return topology.resolver;
	}

	return Object.hasOwn(topology.places, name) ? topology.places[name as keyof Topology['places']] : undefined;
}

/** How places are read: see {@link readProbe}. */
export type PlaceOptions = {readonly placeFamily?: AddressFamily | undefined; readonly topology?: Topology | undefined};

/** Their names, for help. */
export const placeNames = Object.keys(places).join(', ');

/** What is wrong with a user's probe, and what to do about it. */
export class ProbeFault extends Error {
	override readonly name = 'ProbeFault';
	readonly hint: string | undefined;

	constructor(message: string, hint?: string) {
		super(message);
		this.hint = hint;
	}
}

/** How messages name the input: `"uid"` in a line of JSON, `--uid` on a command line. `given` adds the value. */
export type Wording = {readonly name: (key: string) => string; readonly given: (key: string, value: unknown) => string};

/** The wording for JSON and for the library's objects. */
export const jsonWording: Wording = {
	name: key => `"${key}"`,
	given: (key, value) => `"${key}" is ${typeof value === 'string' ? JSON.stringify(value) : shown(value)}`,
};

/** Addresses to which no first TCP packet can be sent (RFC 1122, RFC 4291): the kernel rejects them, or sends to another one. */
const obstacles: ReadonlyArray<{readonly name: string; readonly ranges: readonly AddressRange[]}> = [
	{name: 'the unspecified address', ranges: rangesOf('0.0.0.0', '::')},
	{name: 'a multicast address', ranges: rangesOf('224.0.0.0/4', 'ff00::/8')},
	{name: 'the broadcast address', ranges: rangesOf('255.255.255.255')},
	{name: 'an IPv4 address written as an IPv6 one', ranges: rangesOf('::ffff:0:0/96')},
];

const linkLocal = rangesOf('fe80::/10');

function rangesOf(...texts: readonly string[]): readonly AddressRange[] {
	return texts.flatMap(text => parseRange(text) ?? []);
}

/**
Reads a probe from values by key: each must be one of {@link probeKeys}, and valid for its field. An undefined value counts as absent.

`placeFamily` is the default family of a place, and `topology` has the addresses of places.

@throws {ProbeFault} for an unknown key, an invalid value, or values that do not fit together.
*/
export function readProbe(given: Readonly<Record<string, unknown>>, wording: Wording = jsonWording, {placeFamily = 'ipv4', topology = defaultTopology}: PlaceOptions = {}): ProbeSpec {
	const unknown = Object.keys(given).find(key => !probeKeys.includes(key));
	if (unknown !== undefined) {
		throw new ProbeFault(`${wording.name(unknown)} is not a key of a probe.${didYouMean(unknown, probeKeys)}`, `Keys are ${probeKeys.join(', ')}.`);
	}

	const values: Record<string, unknown> = {};
	for (const {name, key, values: allowed, standard} of fieldList) {
		const value = given[key];
		const requirement = value === undefined ? undefined : mustBe(allowed, value);
		if (requirement !== undefined) {
			throw new ProbeFault(`${wording.given(key, value)}: it must be ${requirement}.${allowed.kind === 'choice' && typeof value === 'string' ? didYouMean(value, allowed.choices) : ''}`);
		}

		if (value !== undefined || standard !== undefined) {
			values[name] = value ?? standard;
		}
	}

	// Each value has just been validated by its field.
	const {
		id, from, to, family, uid, gid, protocol, source, sourcePort, mark, bindDevice: device,
	} = values as Omit<ProbeSpec, 'asked' | 'to' | 'family'> & {readonly to?: string; readonly family?: AddressFamily};
	if (to === undefined) {
		throw new ProbeFault(`${wording.name('to')} is missing: ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT.`);
	}

	const destination = readDestination(to, {wanted: family, placeFamily, topology}, wording, device);
	// Its usual name means the pod's interface, whatever that is called.
	const bindDevice = destination.bindDevice ?? device;
	const {asked, to: end, family: ownFamily} = destination;
	return {
		id,
		from,
		asked,
		to: end,
		family: ownFamily,
		uid,
		gid,
		protocol,
		source: source === undefined ? undefined : readSource(source, ownFamily, wording),
		sourcePort,
		mark,
		bindDevice: bindDevice === usualPodInterface ? podInterfaceOf(topology) : bindDevice,
	} satisfies {[Name in keyof Required<Omit<ProbeSpec, 'packet'>>]: ProbeSpec[Name]}; // As in StubModel.requestOf: one literal, no spreads.
}

/**
Reads `ADDRESS:PORT`, `[ADDRESS]:PORT` or `PLACE:PORT`. The family is the address's; a place has one of each. A link-local address names the device that the socket is bound to (`[fe80::1%eth0]:80`, RFC 4007), unless one is given separately.

@throws {ProbeFault} if it is none of these, or if the address is not of the requested family.
*/
export function readDestination(text: string, {wanted, placeFamily, topology = defaultTopology}: {readonly wanted: AddressFamily | undefined; readonly placeFamily: AddressFamily; readonly topology?: Topology | undefined}, wording: Wording, device?: string): Pick<ProbeSpec, 'asked' | 'to' | 'family' | 'bindDevice'> {
	const written = (): string => wording.given('to', text);
	const [, bracketed, host, portText = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/u.exec(text) ?? [];
	const name = bracketed ?? host;
	const port = Number(portText);
	if (name === undefined || port < 1 || port > 65_535) {
		throw new ProbeFault(`${written()}: it must be ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT, with a port from 1 to 65535.`, 'For example 10.96.0.1:443, [2001:db8::1]:443 or pod:9090.');
	}

	const place = bracketed === undefined ? placeOf(name, topology) : undefined;
	if (place !== undefined) {
		const family = wanted ?? placeFamily;
		return {asked: text, to: {address: place[family], port}, family};
	}

	const [, zone] = /%([^\s/%]{1,15})$/u.exec(name) ?? [];
	const address = parseAddress(zone === undefined ? name : name.slice(0, -zone.length - 1));
	if (address === undefined || (address.family === 'ipv6') !== (bracketed !== undefined)) {
		throw new ProbeFault(`${written()}: "${name}" is neither an address nor a place.${didYouMean(name, Object.keys(places))}`, `Places are ${placeNames}. An IPv6 address needs brackets.`);
	}

	const isLinkLocal = linkLocal.some(range => contains(range, address));
	const bindDevice = zone ?? device;
	if (zone !== undefined && (!isLinkLocal || (device !== undefined && device !== zone))) {
		throw new ProbeFault(`${written()}: ${isLinkLocal ? `its interface is ${zone}, but ${wording.given('bindDevice', device)}` : 'only a link-local address can name its interface'}.`);
	}

	const requirement = zone === undefined ? undefined : mustBe(probeFields.bindDevice.values, zone);
	if (requirement !== undefined) {
		throw new ProbeFault(`${written()}: its interface must be ${requirement}.`);
	}

	if (isLinkLocal && bindDevice === undefined) {
		throw new ProbeFault(`${written()}: a link-local address needs its interface.`, `Name it: [${printAddress(address)}%eth0]:${port}`);
	}

	const obstacle = obstacles.find(({ranges}) => ranges.some(range => contains(range, address)));
	if (obstacle !== undefined) {
		throw new ProbeFault(`${written()}: no connection can go to ${obstacle.name}.`);
	}

	if (wanted !== undefined && wanted !== address.family) {
		throw new ProbeFault(`${written()}: this is an address of ${address.family}, but ${wording.name('family')} asks for ${wanted}.`, `Leave ${wording.name('family')} out: the address determines it.`);
	}

	return {
		asked: text, to: {address: printAddress(address), port}, family: address.family, ...(bindDevice === undefined ? {} : {bindDevice}),
	};
}

function readSource(text: string, family: AddressFamily, wording: Wording): string {
	const address = parseAddress(text);
	if (address?.family !== family) {
		throw new ProbeFault(`${wording.given('source', text)}: it must be an address of ${family}, as the destination is.`);
	}

	return printAddress(address);
}

/** A value that is not text, for a message. JSON has no NaN, bigints or functions. */
function shown(value: unknown): string {
	if (typeof value === 'bigint') {
		return `${value}n`;
	}

	return typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'a list' : 'an object') : (typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value));
}

