/**
What `testbed probe` is asked, from the words of the command line.
*/

import {
	contains, parseAddress, parseRange, printAddress, type AddressRange,
} from '../../src/netfilter/address.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ProbeQuestion} from '../../src/report/probe/types.js';
import {defaultTopology, type AddressPair} from '../../src/scenario/topology.js';
import type {ActorName} from '../../src/scenario/types.js';
import {TestbedError} from '../errors.js';

/** Everybody who can send a probe. */
export const senders = ['app', 'proxy', 'agent', 'remote', 'istiod', 'prometheus'] as const satisfies readonly ActorName[];

/** The places that a destination can name, with their addresses. */
export const places: Readonly<Record<string, AddressPair>> = {...defaultTopology.places, resolver: defaultTopology.resolver};

/** Their names, for help. */
export const placeNames = Object.keys(places).join(', ');

/** Addresses that a first packet of TCP cannot be sent to as they are (RFC 1122, RFC 4291): the kernel refuses them, or sends to another one. */
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

/** What the command line says of the connection. */
export type Destination = Pick<ProbeQuestion, 'asked' | 'to' | 'family'>;

/**
Reads `ADDRESS:PORT`, `[ADDRESS]:PORT` or `PLACE:PORT`. The family is the address's; a place has one of each.

@throws {TestbedError} USAGE when it is none of these, or the address is not of the family asked for.
*/
export function readDestination(text: string, wanted: AddressFamily | undefined): Destination {
	const {host, bracketed, portText = ''} = /^(?:\[(?<bracketed>[^\]]*)\]|(?<host>[^:]*)):(?<portText>\d{1,5})$/u.exec(text)?.groups ?? {};
	const name = bracketed ?? host;
	const port = Number(portText);
	if (name === undefined || port < 1 || port > 65_535) {
		throw new TestbedError('USAGE', {message: `--to ${text}: ADDRESS:PORT, [ADDRESS]:PORT or PLACE:PORT is due, with a port from 1 to 65535.`, hint: 'For instance --to 10.96.0.1:443, --to [2001:db8::1]:443 or --to pod:9090.'});
	}

	const place = bracketed === undefined && Object.hasOwn(places, name) ? places[name] : undefined;
	if (place !== undefined) {
		const family = wanted ?? 'ipv4';
		return {asked: text, to: {address: place[family], port}, family};
	}

	const address = parseAddress(name);
	if (address === undefined || (address.family === 'ipv6') !== (bracketed !== undefined)) {
		throw new TestbedError('USAGE', {message: `--to ${text}: "${name}" is neither an address nor a place.`, hint: `Places are ${placeNames}. An IPv6 address stands in brackets.`});
	}

	const obstacle = Object.entries(obstacles).find(([, ranges]) => ranges.some(range => contains(range, address)))?.[0];
	if (obstacle !== undefined) {
		throw new TestbedError('USAGE', {message: `--to ${text}: no connection goes to ${obstacle}.`});
	}

	if (wanted !== undefined && wanted !== address.family) {
		throw new TestbedError('USAGE', {message: `--to ${text} is an address of ${address.family}, and --family asks for ${wanted}.`, hint: 'Leave --family out: the address says it.'});
	}

	return {asked: text, to: {address: printAddress(address), port}, family: address.family};
}

/**
Reads `--source`: an address of the destination's family.

@throws {TestbedError} USAGE otherwise.
*/
export function readSource(text: string, family: AddressFamily): string {
	const address = parseAddress(text);
	if (address?.family !== family) {
		throw new TestbedError('USAGE', {message: `--source ${text}: an address of ${family} is due, as the destination's.`});
	}

	return printAddress(address);
}
