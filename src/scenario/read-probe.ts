/**
A probe from what somebody wrote: the options of a command line, a line of JSON, or an object of the library. All are read here, by the table of fields.
*/

import {
	contains, parseAddress, parseRange, printAddress, type AddressRange,
} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import {nearest} from '../parsing/did-you-mean.js';
import {defaultTopology, type AddressPair} from './topology.js';
import {
	fieldList, mustBe, probeKeys, type ProbeSpec,
} from './probe-spec.js';

/** The places that a destination can name, with their addresses. */
export const places: Readonly<Record<string, AddressPair>> = {...defaultTopology.places, resolver: defaultTopology.resolver};

/** Their names, for help. */
export const placeNames = Object.keys(places).join(', ');

/** What is wrong with a probe that somebody wrote, and what to do about it. */
export class ProbeFault extends Error {
	override readonly name = 'ProbeFault';
	readonly hint: string | undefined;

	constructor(message: string, hint?: string) {
		super(message);
		this.hint = hint;
	}
}

/** How messages name what was written: `"uid"` of a line of JSON, `--uid` of a command line. `given` adds the value. */
export type Wording = {readonly name: (key: string) => string; readonly given: (key: string, value: unknown) => string};

/** The wording for JSON and for the library's objects. */
export const jsonWording: Wording = {
	name: key => `"${key}"`,
	given: (key, value) => `"${key}" is ${typeof value === 'string' ? JSON.stringify(value) : shown(value)}`,
};

/** Addresses to which no first packet of TCP can be sent as they are (RFC 1122, RFC 4291): the kernel refuses them, or sends to another one. */
const obstacles: Readonly<Record<string, readonly AddressRange[]>> = {
	'the unspecified address': rangesOf('0.0.0.0', '::'),
	'a multicast address': rangesOf('224.0.0.0/4', 'ff00::/8'),
	'the broadcast address': rangesOf('255.255.255.255'),
	'an IPv4 address written as an IPv6 one': rangesOf('::ffff:0:0/96'),
	'a link-local address without its interface': rangesOf('fe80::/10'),
};

function rangesOf(...texts: readonly string[]): readonly AddressRange[] {
	return texts.flatMap(text => parseRange(text) ?? []);
}

/**
Reads a probe from values by key: each must be one of {@link probeKeys}, and what its field allows. A value that is undefined is not given.

@throws {ProbeFault} for an unknown key, a value that makes no sense, or values that do not fit together.
*/
export function readProbe(given: Readonly<Record<string, unknown>>, wording: Wording = jsonWording): ProbeSpec {
	const unknown = Object.keys(given).find(key => !probeKeys.includes(key));
	if (unknown !== undefined) {
		const near = nearest(unknown, probeKeys);
		throw new ProbeFault(`${wording.name(unknown)} is no key of a probe.`, near?.isClose === true ? `Did you mean "${near.name}"?` : `Keys are ${probeKeys.join(', ')}.`);
	}

	const values: Record<string, unknown> = {};
	for (const {name, key, values: allowed, standard} of fieldList) {
		const value = given[key];
		const requirement = value === undefined ? undefined : mustBe(allowed, value);
		if (requirement !== undefined) {
			throw new ProbeFault(`${wording.given(key, value)}: it must be ${requirement}.`);
		}

		if (value !== undefined || standard !== undefined) {
			values[name] = value ?? standard;
		}
	}

	// Each value has just been checked by its field.
	const {to, family, ...rest} = values as Omit<ProbeSpec, 'asked' | 'to' | 'family'> & {readonly to?: string; readonly family?: AddressFamily};
	if (to === undefined) {
		throw new ProbeFault(`${wording.name('to')} is missing: ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT.`);
	}

	const destination = readDestination(to, family, wording);
	return {
		...rest,
		...destination,
		...(rest.source === undefined ? {} : {source: readSource(rest.source, destination.family, wording)}),
	};
}

/**
Reads `ADDRESS:PORT`, `[ADDRESS]:PORT` or `PLACE:PORT`. The family is the address's; a place has one of each.

@throws {ProbeFault} when it is none of these, or the address is not of the family asked for.
*/
export function readDestination(text: string, wanted: AddressFamily | undefined, wording: Wording): Pick<ProbeSpec, 'asked' | 'to' | 'family'> {
	const written = wording.given('to', text);
	const {host, bracketed, portText = ''} = /^(?:\[(?<bracketed>[^\]]*)\]|(?<host>[^:]*)):(?<portText>\d{1,5})$/u.exec(text)?.groups ?? {};
	const name = bracketed ?? host;
	const port = Number(portText);
	if (name === undefined || port < 1 || port > 65_535) {
		throw new ProbeFault(`${written}: it must be ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT, with a port from 1 to 65535.`, 'For instance 10.96.0.1:443, [2001:db8::1]:443 or pod:9090.');
	}

	const place = bracketed === undefined && Object.hasOwn(places, name) ? places[name] : undefined;
	if (place !== undefined) {
		const family = wanted ?? 'ipv4';
		return {asked: text, to: {address: place[family], port}, family};
	}

	const address = parseAddress(name);
	if (address === undefined || (address.family === 'ipv6') !== (bracketed !== undefined)) {
		throw new ProbeFault(`${written}: "${name}" is neither an address nor a place.`, `Places are ${placeNames}. An IPv6 address stands in brackets.`);
	}

	const obstacle = Object.entries(obstacles).find(([, ranges]) => ranges.some(range => contains(range, address)))?.[0];
	if (obstacle !== undefined) {
		throw new ProbeFault(`${written}: no connection goes to ${obstacle}.`);
	}

	if (wanted !== undefined && wanted !== address.family) {
		throw new ProbeFault(`${written}: this is an address of ${address.family}, and ${wording.name('family')} asks for ${wanted}.`, `Leave ${wording.name('family')} out: the address says it.`);
	}

	return {asked: text, to: {address: printAddress(address), port}, family: address.family};
}

function readSource(text: string, family: AddressFamily, wording: Wording): string {
	const address = parseAddress(text);
	if (address?.family !== family) {
		throw new ProbeFault(`${wording.given('source', text)}: it must be an address of ${family}, as the destination is.`);
	}

	return printAddress(address);
}

/** A value that is no text, for a message. JSON knows neither NaN nor bigints, nor functions. */
function shown(value: unknown): string {
	if (typeof value === 'bigint') {
		return `${value}n`;
	}

	return typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'a list' : 'an object') : (typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value));
}

