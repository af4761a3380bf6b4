/**
The values of istio-iptables' options. Values that the program rejects are rejected here, and so are those that iptables would reject when the rules are loaded; values that it accepts with an unexpected effect cause a warning.
*/

import {isLoopback, parseAddress, parseRange} from '../../netfilter/address.js';
import {
	parseInterface, parseOwner, parsePort, parsePortRange, wordMax,
} from '../../netfilter/iptables/values.js';
import {RuleSyntaxError} from '../../netfilter/words.js';
import {InputError} from '../../parsing/input-error.js';
import {newestRelease, type Release} from '../releases.js';
import {ownerGroupsMax, type Selection} from './options.js';
import {staticGroups, staticUsers} from './static-owners.js';

/** The context of a value: the name by which it was given, the release, and where warnings go. */
export type Reading = {readonly name: string; readonly release: Release; readonly warn: (message: string) => void};

/** How values from elsewhere than a command line are parsed: as in the newest release, which rejects errors and has nothing to warn about. */
export function strictReading(name: string): Reading {
	return {name, release: newestRelease, warn: () => undefined};
}

/** A comma-separated list: empty items are dropped, blanks are not trimmed (istio-iptables, 1.30). */
export function splitList(text: string): readonly string[] {
	return text.split(',').filter(item => item !== '');
}

/** A list whose items only iptables parses: the program writes blanks into the text of a rule, where they separate words and do no harm (iptables-restore 1.8.9, measured). */
function splitRuleList(text: string): readonly string[] {
	return splitList(text).map(item => item.trim());
}

/** Runs a parser of netfilter's values, and prefixes its errors with the option's name. */
export function withOption<T>(option: string, read: () => T): T {
	try {
		return read();
	} catch (error) {
		throw error instanceof RuleSyntaxError ? new InputError(error.message, option) : error;
	}
}

/** One port as a number. */
export function readPort(text: string, {name}: Reading): number {
	return withOption(name, () => parsePort(text.trim()));
}

/** Ports and port ranges `a:b`, as iptables accepts them. */
export function readPorts(text: string, {name}: Reading): readonly string[] {
	return withOption(name, () => splitRuleList(text).map(item => {
		parsePortRange(item);
		return item;
	}));
}

/** Exactly `*`, or ports. */
export function readPortSelection(text: string, reading: Reading): Selection {
	return text === '*' ? '*' : readPorts(text, reading);
}

/** UIDs or GIDs as numbers; a name is looked up among Debian's static ones. */
export function readOwners(text: string, what: 'uid' | 'gid', reading: Reading): readonly number[] {
	return splitRuleList(text).map(item => readOwner(item, what, reading));
}

function readOwner(item: string, what: 'uid' | 'gid', reading: Reading): number {
	const known = findOwner(item, what, reading);
	if (known !== undefined) {
		return known;
	}

	const {from, to} = withOption(reading.name, () => parseOwner(item, what));
	if (from !== to || item.includes('-')) {
		throw new InputError(`"${item}" is a range; expected one number each`, reading.name);
	}

	return from;
}

/** The number for a name, with a warning; undefined for an unknown name. */
function findOwner(text: string, what: 'uid' | 'gid', {name, warn}: Reading): number | undefined {
	const found = (what === 'uid' ? staticUsers : staticGroups).get(text);
	if (found !== undefined) {
		warn(`${name}: "${text}" is taken as ${what} ${found}, as in Istio's images; iptables looks it up in the pod's own files`);
		return found;
	}

	if (/^[_a-z]/i.test(text)) {
		throw new InputError(`bad ${what} "${text}": only the pod knows the number of this ${what === 'uid' ? 'user' : 'group'}; pass the number`, name);
	}

	return undefined;
}

/** The UID of the user that the program looks up (`ENVOY_USER`), or undefined if the name is unknown: then it uses 1337. */
export function readProxyUser(text: string, {name, warn}: Reading): number | undefined {
	const found = staticUsers.get(text);
	warn(found === undefined
		? `${name}: user "${text}" is not known here, so the UID is 1337; in a pod it is that user's`
		: `${name}: "${text}" is taken as uid ${found}, as in Istio's images`);
	return found;
}

/** CIDRs of both families. Invalid ones were skipped until 1.26 and have been rejected since. */
export function readCidrs(text: string, reading: Reading): readonly string[] {
	return splitList(text).flatMap(item => {
		if (isCidr(item)) {
			return [item];
		}

		if (reading.release.features.badRangeIsRefused) {
			throw notCidr(item, reading);
		}

		reading.warn(`${reading.name}: "${item}" is not a CIDR such as 10.0.0.0/8; istio-iptables ${reading.release.name} skips it with a message on stderr`);
		return [];
	});
}

/** Go's netip.ParsePrefix: an address, a slash, a plain number; no netmask, no bare address. */
function isCidr(item: string): boolean {
	const [, length] = item.split('/');
	return length !== undefined && /^(?:0|[1-9]\d*)$/.test(length) && parseRange(item) !== undefined;
}

function notCidr(item: string, {name}: Reading): InputError {
	// `-x -b '*'`: pflag takes the next word as the value, whatever it begins with.
	const isFlag = item.startsWith('-') ? '; the word after the flag is its value, so an empty value has to be written as ""' : '';
	return new InputError(`"${item}" is not a CIDR such as 10.0.0.0/8 or 2001:db8::/32${isFlag}`, name);
}

/** Exactly `*`, or CIDRs. */
export function readCidrSelection(text: string, reading: Reading): Selection {
	return text === '*' ? '*' : readCidrs(text, reading);
}

/** Excluded CIDRs: `*` is rejected here (invalid value for OUTBOUND_IP_RANGES_EXCLUDE). */
export function readExcludedCidrs(text: string, reading: Reading): readonly string[] {
	if (text === '*') {
		throw new InputError('"*" cannot be excluded; expected CIDRs (istio-iptables: invalid value for OUTBOUND_IP_RANGES_EXCLUDE)', reading.name);
	}

	return readCidrs(text, reading);
}

/** Names of interfaces. */
export function readInterfaces(text: string, {name}: Reading): readonly string[] {
	return withOption(name, () => splitRuleList(text).map(item => {
		if (/[\s/"!]/.test(item)) {
			throw new RuleSyntaxError(`bad interface name "${item}"`);
		}

		return parseInterface(item);
	}));
}

/**
The same, but the value must be valid.

@throws {InputError} naming the option.
*/
export function readBoolean(text: string, name: string): boolean {
	const value = parseBoolean(text);
	if (value === undefined) {
		throw new InputError(`"${text}" is neither true nor false`, name);
	}

	return value;
}

/** The texts accepted by Go's strconv.ParseBool; undefined for any other. */
export function parseBoolean(text: string): boolean | undefined {
	if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) {
		return true;
	}

	return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : undefined;
}

/** A decimal 32-bit number: a mark or a routing table. Undefined for any other text, which matters only under TPROXY. */
export function parseWord(text: string): number | undefined {
	return /^(?:0|[1-9]\d*)$/.test(text) && Number(text) <= wordMax ? Number(text) : undefined;
}

/** The same, but the value must be a number. */
export function readRequiredWord(text: string, {name}: Pick<Reading, 'name'>): number {
	const value = parseWord(text);
	if (value === undefined) {
		throw new InputError(`"${text}" is not a decimal number from 0 to ${wordMax}`, name);
	}

	return value;
}

/** Only the exact text `TPROXY` is special to istio-iptables. It silently treats every other text as REDIRECT; here, a warning says so. */
export function readMode(text: string, {name, warn}: Reading): 'REDIRECT' | 'TPROXY' {
	if (text !== 'TPROXY' && text !== 'REDIRECT' && text !== '') {
		warn(`${name}: "${text}" is neither REDIRECT nor TPROXY; istio-iptables treats it as REDIRECT`);
	}

	return text === 'TPROXY' ? 'TPROXY' : 'REDIRECT';
}

/** Groups by number or by static name, as the text of a number. */
export function readGroups(text: string, reading: Reading): readonly string[] {
	return splitRuleList(text).map(item => String(readOwner(item, 'gid', reading)));
}

/** Exactly `*`, or at most 64 groups. */
export function readGroupSelection(text: string, reading: Reading): Selection {
	if (text === '*') {
		return '*';
	}

	const {length} = splitList(text);
	if (length > ownerGroupsMax) {
		throw new InputError(`number of groups to redirect cannot exceed ${ownerGroupsMax}, got ${length}`, reading.name);
	}

	return readGroups(text, reading);
}

/** One IPv4 loopback CIDR with a mask from 8 to 32. */
export function readLoopbackCidr(text: string, reading: Reading): string {
	if (!isCidr(text)) {
		throw notCidr(text, reading);
	}

	const [address, length] = text.split('/');
	if (parseAddress(address ?? '', 'ipv4') === undefined || !isLoopback(text)) {
		throw new InputError(`expected valid IPv4 loopback address, got "${text}"`, reading.name);
	}

	if (Number(length) < 8) {
		throw new InputError(`expected mask in range [8, 32], got ${length}`, reading.name);
	}

	return text;
}

/** Checks which iptables the program is told to run: if empty, it chooses one itself. */
export function checkBinary(text: string, {name}: Reading): void {
	if (!['', 'legacy', 'nft'].includes(text)) {
		throw new InputError(`invalid FORCE_IPTABLES_BINARY value "${text}"; legacy and nft are known`, name);
	}
}

/** Checks a Go duration: `5s`, `1m30s`, `0`. */
export function checkDuration(text: string, {name}: Reading): void {
	if (!/^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/.test(text)) {
		throw new InputError(`invalid argument "${text}": expected a duration such as 5s`, name);
	}
}
