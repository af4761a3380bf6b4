/**
Values in the form in which `iptables-save` 1.8.9 (nf_tables) prints them, so that a generated rule equals a dumped one letter by letter (measured).
*/

import {addressBits, parseRange, printRange} from '../../netfilter/address.js';
import {parsePortRange} from '../../netfilter/rule-values.js';
import {InputError} from '../input-error.js';

/** `-d 10.0.0.0/8 `, or nothing for a range of all addresses, which matches everything. */
export function address(flag: '-s' | '-d', cidr: string): string {
	const range = parseRange(cidr);
	const printed = range === undefined ? undefined : printRange(range);
	if (range === undefined || printed === undefined) {
		throw new InputError(`"${cidr}" is no CIDR`);
	}

	return range.last - range.first + 1n === 2n ** BigInt(addressBits[range.family]) ? '' : `${flag} ${printed} `;
}

/** `-i eth1 `, or nothing for `+`, which is every interface. */
export function interfaceName(flag: '-i' | '-o', name: string): string {
	return name === '+' ? '' : `${flag} ${name} `;
}

/** A port or a range of ports, both ends written out. */
export function ports(text: string): string {
	const {from, to} = parsePortRange(text);
	return from === to ? String(from) : `${from}:${to}`;
}

/** A mark in hexadecimal. */
export function mark(value: number): string {
	return `0x${value.toString(16)}`;
}
