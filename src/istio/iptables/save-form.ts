/**
Matches in the form in which `iptables-save` 1.8.9 (nf_tables) prints them, so that a generated rule is identical to a dumped one (measured). Each comes with its fields, because parsing them from the text took half the time of generating a rule set.
*/

import {addressBits, parseRange, printRange} from '../../netfilter/address.js';
import {parsePortRange, wordMax} from '../../netfilter/iptables/values.js';
import type {Match, PortRange} from '../../netfilter/types.js';
import {InputError} from '../../parsing/input-error.js';

/** A part of a rule: its words, and the corresponding matches. */
export type Part = {readonly text: string; readonly matches: readonly Match[]};

/** No condition: what iptables makes of one that matches everything. */
const everything: Part = {text: '', matches: []};

function part(text: string, ...matches: readonly Match[]): Part {
	return {text, matches};
}

function addressPart(kind: 'source' | 'destination', cidr: string, negated: boolean): Part {
	const range = parseRange(cidr);
	const address = range === undefined ? undefined : printRange(range);
	if (range === undefined || address === undefined) {
		throw new InputError(`"${cidr}" is not a CIDR`);
	}

	if (range.last - range.first + 1n === 2n ** BigInt(addressBits[range.family])) {
		return everything;
	}

	return part(`${negated ? '! ' : ''}${kind === 'source' ? '-s' : '-d'} ${address}`, {kind, negated, address});
}

/** `-s 127.0.0.6/32`; empty for a range of all addresses. */
export function from(cidr: string): Part {
	return addressPart('source', cidr, false);
}

/** `-d 10.0.0.0/8`; empty for a range of all addresses. */
export function to(cidr: string): Part {
	return addressPart('destination', cidr, false);
}

/** `! -d 127.0.0.1/32`. */
export function notTo(cidr: string): Part {
	return addressPart('destination', cidr, true);
}

/** `-i eth1`, or empty for `+`, which is every interface. */
export function comingIn(name: string): Part {
	return name === '+' ? everything : part(`-i ${name}`, {kind: 'in-interface', negated: false, name});
}

/** `-o eth1`, likewise. */
export function goingOut(name: string): Part {
	return name === '+' ? everything : part(`-o ${name}`, {kind: 'out-interface', negated: false, name});
}

/** `-o lo`. */
export const overLoopback = goingOut('lo');

/** `-i lo`. */
export const fromLoopback = comingIn('lo');

/** A transport protocol. */
export type Protocol = 'tcp' | 'udp';

const protocols = {
	tcp: {kind: 'protocol', negated: false, protocol: 'tcp'},
	udp: {kind: 'protocol', negated: false, protocol: 'udp'},
} as const satisfies Record<Protocol, Match>;

/** `-p tcp`. */
export function of(protocol: Protocol): Part {
	return part(`-p ${protocol}`, protocols[protocol]);
}

/** `-p tcp -m tcp --dport 80`: a port or a range of ports with both ends; a range of all ports leaves only the module. */
export function toPort(protocol: Protocol, text: string): Part {
	const range = parsePortRange(text);
	const words = `-p ${protocol} -m ${protocol}`;
	return range.from === 0 && range.to === 65_535
		? part(words, protocols[protocol])
		: part(`${words} --dport ${printPorts(range)}`, protocols[protocol], {kind: 'destination-port', negated: false, ranges: [range]});
}

function printPorts(range: PortRange): string {
	return range.from === range.to ? String(range.from) : `${range.from}:${range.to}`;
}

/** `-p udp -m udp --sport 53`. */
export function fromPort(protocol: Protocol, port: number): Part {
	return part(`-p ${protocol} -m ${protocol} --sport ${port}`, protocols[protocol], {kind: 'source-port', negated: false, ranges: [{from: port, to: port}]});
}

/** `-p tcp -m tcp ! --dport 53`, or with more ports than one `-p tcp -m multiport ! --dports 53,15008`. */
export function notToPorts(...ports: readonly number[]): Part {
	const option = ports.length === 1 ? '-m tcp ! --dport' : '-m multiport ! --dports';
	return part(`-p tcp ${option} ${ports.join(',')}`, protocols.tcp, {kind: 'destination-port', negated: true, ranges: ports.map(port => ({from: port, to: port}))});
}

/** The owner of the socket: `--uid-owner 1337` or `--gid-owner 1337`. */
export type Owner = {readonly kind: 'uid' | 'gid'; readonly id: number};

/** `-m owner --uid-owner 1337`. */
export function by({kind, id}: Owner): Part {
	return part(`-m owner --${kind}-owner ${id}`, {
		kind, negated: false, from: id, to: id,
	});
}

/** `-m owner ! --uid-owner 1337`. */
export function notBy({kind, id}: Owner): Part {
	return part(`-m owner ! --${kind}-owner ${id}`, {
		kind, negated: true, from: id, to: id,
	});
}

/** `-m mark --mark 0x539`. */
export function marked(value: number): Part {
	return part(`-m mark --mark ${printMark(value)}`, {
		kind: 'mark', negated: false, value, mask: wordMax,
	});
}

/** `-m mark ! --mark 0x53a`. */
export function notMarked(value: number): Part {
	return part(`-m mark ! --mark ${printMark(value)}`, {
		kind: 'mark', negated: true, value, mask: wordMax,
	});
}

/** `-m connmark --mark 0x539`. */
export function onMarkedConnection(value: number): Part {
	return part(`-m connmark --mark ${printMark(value)}`, {
		kind: 'connmark', negated: false, value, mask: wordMax,
	});
}

/** `-m conntrack --ctstate INVALID`. */
export function inState(...states: readonly string[]): Part {
	return part(`-m conntrack --ctstate ${states.join(',')}`, {kind: 'conntrack-state', negated: false, states});
}

/** `-m socket`: there is a socket for the packet. */
export const withSocket = part('-m socket', {kind: 'opaque', text: '-m socket'});

/** A mark in hexadecimal. */
export function printMark(value: number): string {
	return `0x${value.toString(16)}`;
}
