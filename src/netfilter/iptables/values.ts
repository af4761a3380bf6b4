/**
The values of rule options. Names that iptables would look up in a file of the machine (`http`, `root`) are rejected: `iptables-save` prints numbers.
*/

import {hasMaskWithHoles, parseAddress, parseRange} from '../address.js';
import type {AddressFamily, PortRange} from '../types.js';
import {RuleSyntaxError} from '../words.js';

/** Largest 32-bit value. */
export const wordMax = 0xFF_FF_FF_FF;

/** Largest UID and GID; the next value means "none" (iptables 1.8.9 rejects 4294967295, measured). */
export const ownerMax = wordMax - 1;

/** Longest interface name without the NUL: IFNAMSIZ - 1 (linux/if.h). */
export const interfaceNameLengthMax = 15;

const portMax = 65_535;
const numberPattern = /^(?:0|[1-9]\d*)$/;
const markPattern = /^(?:0x[\da-f]{1,8}|0|[1-9]\d*)$/i;

/** The names that `iptables-save` prints for protocols (/etc/protocols and libxtables). */
const protocolNames: ReadonlySet<string> = new Set([
	'ah dccp egp encap eigrp esp etherip fc ggp gre hip hopopt icmp icmpv6 igmp igp ip ipcomp ipencap ipip ipv6 ipv6-frag ipv6-icmp ipv6-mh ipv6-nonxt',
	'ipv6-opts ipv6-route isis l2tp manet mh mobility-header mpls-in-ip mptcp ospf pim pup rdp rohc rsvp sctp shim6 skip tcp udp udplite vmtp vrrp wesp',
	'xns-idp ipv4 xtp ddp idpr-cmtp st iso-tp4 rspf ax.25 mobile ipx-in-ip ethernet',
].flatMap(line => line.split(' ')));
/** Protocol numbers that are translated, so that `-p 6` and `-p tcp` are the same. */
const protocolNumbers: ReadonlyMap<number, string> = new Map([
	[1, 'icmp'],
	[2, 'igmp'],
	[4, 'ipencap'],
	[6, 'tcp'],
	[17, 'udp'],
	[33, 'dccp'],
	[41, 'ipv6'],
	[47, 'gre'],
	[50, 'esp'],
	[51, 'ah'],
	[58, 'ipv6-icmp'],
	[89, 'ospf'],
	[94, 'ipip'],
	[112, 'vrrp'],
	[132, 'sctp'],
	[135, 'mobility-header'],
	[136, 'udplite'],
]);

const protocolAliases: ReadonlyMap<string, string> = new Map([['icmpv6', 'ipv6-icmp'], ['ipv6-mh', 'mobility-header'], ['mh', 'mobility-header'], ['ipv4', 'ipencap']]);

/** The states of a connection in the order in which `iptables-save` prints them (1.8.9, measured). */
export const conntrackStates: readonly string[] = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'];

/** A protocol by the name that `iptables-save` prints for it, or undefined for "any" (`all`, `0`). */
export function parseProtocol(text: string): string | undefined {
	const name = text.toLowerCase();
	if (name === 'all' || name === '0') {
		return undefined;
	}

	if (numberPattern.test(name) && Number(name) < 256) {
		return protocolNumbers.get(Number(name)) ?? name;
	}

	if (!protocolNames.has(name)) {
		throw new RuleSyntaxError(`unknown protocol "${text}"`);
	}

	return protocolAliases.get(name) ?? name;
}

/** Checks an address of the dump's family. `undefined` means that its netmask has holes, so that no interval describes it. */
export function parseRuleAddress(text: string, family: AddressFamily): string | undefined {
	if (text.includes(',')) {
		throw new RuleSyntaxError(`a list of addresses "${text}": iptables makes one rule of each, and iptables-save prints them so`);
	}

	if (parseRange(text, family) !== undefined) {
		return text;
	}

	const whole = family === 'ipv4' ? wholeIpv4(text) : withPrefixLength(text);
	if (whole !== undefined && parseRange(whole, family) !== undefined) {
		return whole;
	}

	if (family === 'ipv4' && hasMaskWithHoles(text)) {
		return undefined;
	}

	if (parseRange(text) !== undefined || parseAddress(text.split('/')[0] ?? '')?.family === (family === 'ipv4' ? 'ipv6' : 'ipv4')) {
		const [wrong, dump] = family === 'ipv4' ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6'];
		throw new RuleSyntaxError(`the ${wrong} address "${text}" in a dump of ${dump} rules`);
	}

	throw new RuleSyntaxError(`bad address "${text}"`);
}

/** Only IPv4 addresses may be shortened: `10/8` is 10.0.0.0/8 (iptables 1.8.9, measured). */
function wholeIpv4(text: string): string | undefined {
	const [, short, length = ''] = /^(\d+(?:\.\d+){0,2})(\/\d+)?$/.exec(text) ?? [];
	return short === undefined ? undefined : `${short}${'.0'.repeat(4 - short.split('.').length)}${length}`;
}

/** An IPv6 netmask may be written as an address: `2001:db8::/ffff:ffff::`. Undefined if it has holes. */
function withPrefixLength(text: string): string | undefined {
	const [, host, maskText = ''] = /^([^/]+)\/([^/]*:[^/]*)$/.exec(text) ?? [];
	const mask = parseAddress(maskText, 'ipv6');
	const [, ones] = mask === undefined ? [] : /^(1*)0*$/.exec(mask.value.toString(2).padStart(128, '0')) ?? [];
	return host === undefined || ones === undefined ? undefined : `${host}/${ones.length}`;
}

/** Checks an interface name as iptables does. */
export function parseInterface(text: string): string {
	if (text === '' || text.length > interfaceNameLengthMax) {
		throw new RuleSyntaxError(`bad interface name "${text}": expected 1 to ${interfaceNameLengthMax} characters`);
	}

	return text;
}

/** A port as a decimal number. */
export function parsePort(text: string): number {
	if (!numberPattern.test(text) || Number(text) > portMax) {
		throw new RuleSyntaxError(`bad port "${text}": expected a number from 0 to ${portMax}`);
	}

	return Number(text);
}

/** `80`, `80:90`, `:90`, `80:` (or with `-` after `--to-ports`). */
export function parsePortRange(text: string, separator: ':' | '-' = ':'): PortRange {
	const [first, last, ...rest] = text.split(separator);
	if (first === undefined || rest.length > 0 || text === separator) {
		throw new RuleSyntaxError(`bad port range "${text}"`);
	}

	const from = first === '' && last !== undefined ? 0 : parsePort(first);
	const to = last === '' ? portMax : (last === undefined ? from : parsePort(last));
	if (from > to) {
		throw new RuleSyntaxError(`bad port range "${text}": the end is before the start`);
	}

	return {from, to};
}

/** A list of ports and port ranges, as in multiport. */
export function parsePortRanges(text: string): readonly PortRange[] {
	return text.split(',').map(item => parsePortRange(item));
}

/** A UID or GID, or a range of them (`0-99`). */
export function parseOwner(text: string, what: 'uid' | 'gid'): {readonly from: number; readonly to: number} {
	const parts = text.split('-');
	if (parts.length > 2 || !parts.every(part => numberPattern.test(part) && Number(part) <= ownerMax)) {
		const isName = /^[a-z_][\w-]*\$?$/i.test(text);
		throw new RuleSyntaxError(`bad ${what} "${text}": expected a number from 0 to ${ownerMax}${isName ? `, because names differ between machines (see id -${what === 'uid' ? 'u' : 'g'} ${text})` : ''}`);
	}

	const [from = 0, to = from] = parts.map(Number);
	if (from > to) {
		throw new RuleSyntaxError(`bad ${what} range "${text}": the end is before the start`);
	}

	return {from, to};
}

/** A mark with its mask: `0x539`, `1337`, `0x539/0xfff`. */
export function parseMark(text: string): {readonly value: number; readonly mask: number} {
	const parts = text.split('/');
	if (parts.length > 2 || !parts.every(part => markPattern.test(part) && Number(part) <= wordMax)) {
		throw new RuleSyntaxError(`bad mark "${text}"`);
	}

	const [value = 0, mask = wordMax] = parts.map(Number);
	return {value, mask};
}

/** Connection states, as in `--ctstate` (iptables-extensions(8), conntrack). */
export function parseStates(text: string): readonly string[] {
	const states = text.toUpperCase().split(',');
	const unknown = states.find(state => !conntrackStates.includes(state));
	if (unknown !== undefined) {
		throw new RuleSyntaxError(`unknown connection state "${unknown}"`);
	}

	return states;
}
