/**
The values of istio-iptables' options. What the program itself refuses is refused here, and so is what iptables would refuse when the rules are loaded.
*/

import {isLoopback, parseAddress, parseRange} from '../netfilter/address.js';
import {
	parseInterface, parseOwner, parsePort, parsePortRange, wordMax,
} from '../netfilter/rule-values.js';
import {RuleSyntaxError} from '../netfilter/words.js';
import {InputError} from './input-error.js';
import {ownerGroupsMax, type Selection} from './options.js';

/** A comma-separated list: empty items are dropped, blanks are not trimmed (istio-iptables, 1.30). */
export function splitList(text: string): readonly string[] {
	return text.split(',').filter(item => item !== '');
}

/** Runs a reader of netfilter's values and puts the option's name in front of what it says. */
export function withOption<T>(option: string, read: () => T): T {
	try {
		return read();
	} catch (error) {
		throw error instanceof RuleSyntaxError ? new InputError(error.message, option) : error;
	}
}

/** One port as a number. */
export function readPort(text: string, option: string): number {
	return withOption(option, () => parsePort(text));
}

/** Ports and port ranges `a:b`, as iptables takes them. */
export function readPorts(text: string, option: string): readonly string[] {
	return withOption(option, () => splitList(text).map(item => {
		parsePortRange(item);
		return item;
	}));
}

/** `*` exactly, or ports. */
export function readPortSelection(text: string, option: string): Selection {
	return text === '*' ? '*' : readPorts(text, option);
}

/** UIDs or GIDs as numbers; a name would be looked up in the pod, which nobody here has. */
export function readOwners(text: string, option: string): readonly number[] {
	return splitList(text).map(item => {
		const {from, to} = withOption(option, () => parseOwner(item, option.includes('gid') || option === '-g' ? 'gid' : 'uid'));
		if (from !== to || item.includes('-')) {
			throw new InputError(`"${item}" is a range; one number each is due`, option);
		}

		return from;
	});
}

/** CIDRs of both families. */
export function readCidrs(text: string, option: string): readonly string[] {
	return splitList(text).map(item => readCidr(item, option));
}

function readCidr(item: string, option: string): string {
	const [, length] = item.split('/');
	// Go's netip.ParsePrefix: an address, a slash, a plain number; no netmask, no bare address.
	if (length === undefined || !/^\d+$/.test(length) || parseRange(item) === undefined) {
		throw new InputError(`"${item}" is no CIDR such as 10.0.0.0/8 or 2001:db8::/32`, option);
	}

	return item;
}

/** `*` exactly, or CIDRs. */
export function readCidrSelection(text: string, option: string): Selection {
	return text === '*' ? '*' : readCidrs(text, option);
}

/** Excluded CIDRs: here `*` is refused (invalid value for OUTBOUND_IP_RANGES_EXCLUDE). */
export function readExcludedCidrs(text: string, option: string): readonly string[] {
	if (text === '*') {
		throw new InputError('"*" cannot be excluded; CIDRs are due (istio-iptables: invalid value for OUTBOUND_IP_RANGES_EXCLUDE)', option);
	}

	return readCidrs(text, option);
}

/** Names of interfaces. */
export function readInterfaces(text: string, option: string): readonly string[] {
	return withOption(option, () => splitList(text).map(item => {
		if (/[\s/"!]/.test(item)) {
			throw new RuleSyntaxError(`bad interface name "${item}"`);
		}

		return parseInterface(item);
	}));
}

/** The texts of Go's strconv.ParseBool. */
export function readBoolean(text: string, option: string): boolean {
	if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) {
		return true;
	}

	if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) {
		return false;
	}

	throw new InputError(`"${text}" is neither true nor false`, option);
}

/** A decimal number of 32 bits: a mark or a routing table. */
export function readWord(text: string, option: string): number {
	if (!/^(?:0|[1-9]\d*)$/.test(text) || Number(text) > wordMax) {
		throw new InputError(`"${text}" is no decimal number from 0 to ${wordMax}`, option);
	}

	return Number(text);
}

/** Only the exact text `TPROXY` makes a difference to istio-iptables. It takes every other text for REDIRECT without a word; here that has to be said. */
export function readMode(text: string, option: string): 'REDIRECT' | 'TPROXY' {
	if (text === 'TPROXY' || text === 'REDIRECT' || text === '') {
		return text === 'TPROXY' ? 'TPROXY' : 'REDIRECT';
	}

	throw new InputError(`"${text}" is neither REDIRECT nor TPROXY; istio-iptables would silently take it for REDIRECT`, option);
}

/** GIDs, at most 64 of them when they are included. */
export function readGroups(text: string, option: string): readonly string[] {
	return splitList(text).map(item => {
		if (!/^\d+$/.test(item)) {
			throw new InputError(`the group name "${item}" means a number that only the pod's /etc/group knows; give the number`, option);
		}

		withOption(option, () => parseOwner(item, 'gid'));
		return item;
	});
}

/** `*` exactly, or GIDs. */
export function readGroupSelection(text: string, option: string): Selection {
	if (text === '*') {
		return '*';
	}

	const groups = readGroups(text, option);
	if (groups.length > ownerGroupsMax) {
		throw new InputError(`number of groups to redirect cannot exceed ${ownerGroupsMax}, got ${groups.length}`, option);
	}

	return groups;
}

/** One IPv4 loopback CIDR with a mask from 8 to 32. */
export function readLoopbackCidr(text: string, option: string): string {
	const [address, length] = readCidr(text, option).split('/');
	if (parseAddress(address ?? '', 'ipv4') === undefined || !isLoopback(text)) {
		throw new InputError(`expected valid IPv4 loopback address, got "${text}"`, option);
	}

	if (Number(length) < 8) {
		throw new InputError(`expected mask in range [8, 32], got ${length}`, option);
	}

	return text;
}

/** Which iptables the program runs: empty means that it looks for itself. */
export function readBinary(text: string, option: string): string {
	if (!['', 'legacy', 'nft'].includes(text)) {
		throw new InputError(`invalid FORCE_IPTABLES_BINARY value "${text}"; legacy and nft are known`, option);
	}

	return text;
}
