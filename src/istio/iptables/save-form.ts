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

/** `-p tcp -m tcp --dport 80 `: a port or a range of ports, both ends written out; a range of all ports keeps its module only. */
export function destinationPort(protocol: 'tcp' | 'udp', text: string): string {
	const {from, to} = parsePortRange(text);
	if (from === 0 && to === 65_535) {
		return `-p ${protocol} -m ${protocol} `;
	}

	return `-p ${protocol} -m ${protocol} --dport ${from === to ? from : `${from}:${to}`} `;
}

/** A mark in hexadecimal. */
export function mark(value: number): string {
	return `0x${value.toString(16)}`;
}
