/**
Addresses of both families as intervals of integers. Parsing is strict: anything that is not exactly an address is `undefined`, never a guess.
*/

import type {AddressFamily} from './types.js';

/** An address as a number. */
export type Address = {readonly family: AddressFamily; readonly value: bigint};

/** All addresses from `first` to `last`, both included. */
export type AddressRange = {readonly family: AddressFamily; readonly first: bigint; readonly last: bigint};

/** How many bits an address has (RFC 791, RFC 8200). */
export const addressBits = {ipv4: 32, ipv6: 128} as const satisfies Record<AddressFamily, number>;

/** The address that stands for any, or for none. */
export const unspecified = {ipv4: '0.0.0.0', ipv6: '::'} as const satisfies Readonly<Record<AddressFamily, string>>;

/** Display names of the families. */
export const familyNames = {ipv4: 'IPv4', ipv6: 'IPv6'} as const satisfies Record<AddressFamily, string>;

const decimalPattern = /^(?:0|[1-9]\d{0,2})$/;
const groupPattern = /^[\da-f]{1,4}$/i;

/** Parses an address. Without a family, its form decides. */
export function parseAddress(text: string, family?: AddressFamily): Address | undefined {
	const found: AddressFamily = text.includes(':') ? 'ipv6' : 'ipv4';
	if (family !== undefined && family !== found) {
		return undefined;
	}

	const value = found === 'ipv4' ? parseIpv4(text) : parseIpv6(text);
	return value === undefined ? undefined : {family: found, value};
}

/** The family whose form a text has, or undefined if it is neither an address nor a range. */
export function familyOfAddress(text: string): AddressFamily | undefined {
	return parseRange(text)?.family;
}

/** Parses an address, a CIDR (`10.0.0.0/8`) or an IPv4 address with a contiguous netmask (`10.0.0.0/255.0.0.0`). Host bits are allowed and cleared, as iptables does. */
export function parseRange(text: string, family?: AddressFamily): AddressRange | undefined {
	const [addressText, maskText, ...rest] = text.split('/');
	if (addressText === undefined || rest.length > 0) {
		return undefined;
	}

	const address = parseAddress(addressText, family);
	if (address === undefined) {
		return undefined;
	}

	const length = maskText === undefined ? addressBits[address.family] : parsePrefixLength(maskText, address.family);
	if (length === undefined) {
		return undefined;
	}

	const hostBits = BigInt(addressBits[address.family] - length);
	const first = (address.value >> hostBits) << hostBits;
	return {family: address.family, first, last: first | ((1n << hostBits) - 1n)};
}

/** Whether an IPv4 text has a netmask with holes (`10.0.0.0/255.0.255.0`): iptables accepts it, but it is not an interval. */
export function hasMaskWithHoles(text: string): boolean {
	const [address, mask, ...rest] = text.split('/');
	return rest.length === 0 && mask !== undefined && parseIpv4(address ?? '') !== undefined && parseIpv4(mask) !== undefined && parseRange(text) === undefined;
}

/** Whether every address of `inner` is in `outer`. Always false for different families. */
export function contains(outer: AddressRange, inner: AddressRange | Address): boolean {
	const {first, last} = 'value' in inner ? {first: inner.value, last: inner.value} : inner;
	return outer.family === inner.family && outer.first <= first && last <= outer.last;
}

/** Whether two ranges overlap. */
export function overlap(one: AddressRange, other: AddressRange): boolean {
	return one.family === other.family && one.first <= other.last && other.first <= one.last;
}

/** Whether an address, or the base address of a CIDR, is a loopback address: in 127.0.0.0/8 (RFC 1122) or ::1 (RFC 4291). */
export function isLoopback(text: string): boolean {
	const address = parseAddress(text.split('/')[0] ?? '');
	return address !== undefined && (address.family === 'ipv4' ? address.value >> 24n === 127n : address.value === 1n);
}

/** The text of an address in network byte order: 4 bytes for IPv4, 16 for IPv6. */
export function printAddressBytes(bytes: Uint8Array): string {
	let value = 0n;
	for (const byte of bytes) {
		value = (value << 8n) | BigInt(byte);
	}

	return printAddress({family: bytes.length === 4 ? 'ipv4' : 'ipv6', value});
}

/** The bytes of an address in network order: the inverse of {@link printAddressBytes}. Throws a `RangeError` for a text that is not an address. */
export function addressBytes(text: string): Uint8Array {
	const address = parseAddress(text);
	if (address === undefined) {
		throw new RangeError(`"${text}" is not an address`);
	}

	const {family, value} = address;
	const length = addressBits[family] / 8;
	return Uint8Array.from({length}, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 0xFFn));
}

/** An address as text; IPv6 in its short form (RFC 5952). */
export function printAddress({family, value}: Address): string {
	return family === 'ipv4' ? printIpv4(value) : printIpv6(value);
}

/** An address in its short form, or undefined if the text is not an address: `2001:DB8:0:0::1` becomes `2001:db8::1`. */
export function shortAddress(text: string): string | undefined {
	const address = parseAddress(text);
	return address === undefined ? undefined : printAddress(address);
}

/** A range as `iptables-save` prints it: always with a prefix length. Undefined for an interval that is not a CIDR. */
export function printRange({family, first, last}: AddressRange): string | undefined {
	const size = last - first + 1n;
	const hostBits = size.toString(2).length - 1;
	if (size <= 0n || size !== 1n << BigInt(hostBits) || first % size !== 0n) {
		return undefined;
	}

	return `${printAddress({family, value: first})}/${addressBits[family] - hostBits}`;
}

function parseIpv4(text: string): bigint | undefined {
	const parts = text.split('.');
	if (parts.length !== 4 || !parts.every(part => decimalPattern.test(part) && Number(part) < 256)) {
		return undefined;
	}

	return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | undefined {
	const halves = text.split('::');
	if (halves.length > 2) {
		return undefined;
	}

	const [left, right] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
	if (left === undefined || (halves.length === 2 && right === undefined)) {
		return undefined;
	}

	if (halves.length === 1) {
		return left.length === 8 ? joinGroups(left) : undefined;
	}

	const tail = right ?? [];
	const missing = 8 - left.length - tail.length;
	// Two colons stand for at least one group (RFC 4291, 2.2).
	return missing < 1 ? undefined : joinGroups([...left, ...Array.from({length: missing}, () => 0n), ...tail]);
}

function parseGroups(text: string, isLast: boolean): bigint[] | undefined {
	if (text === '') {
		return [];
	}

	const parts = text.split(':');
	const groups: bigint[] = [];
	for (const [index, part] of parts.entries()) {
		if (groupPattern.test(part)) {
			groups.push(BigInt(`0x${part}`));
			continue;
		}

		const embedded = isLast && index === parts.length - 1 ? parseIpv4(part) : undefined;
		if (embedded === undefined) {
			return undefined;
		}

		groups.push(embedded >> 16n, embedded & 0xFF_FFn);
	}

	return groups;
}

function joinGroups(groups: readonly bigint[]): bigint {
	return groups.reduce((value, group) => (value << 16n) | group, 0n);
}

function parsePrefixLength(text: string, family: AddressFamily): number | undefined {
	if (decimalPattern.test(text)) {
		return Number(text) <= addressBits[family] ? Number(text) : undefined;
	}

	const mask = family === 'ipv4' ? parseIpv4(text) : undefined;
	if (mask === undefined) {
		return undefined;
	}

	const [, ones] = /^(1*)0*$/.exec(mask.toString(2).padStart(32, '0')) ?? [];
	return ones?.length;
}

function printIpv4(value: bigint): string {
	return [24n, 16n, 8n, 0n].map(shift => String((value >> shift) & 255n)).join('.');
}

function printIpv6(value: bigint): string {
	// RFC 5952, 5: IPv6 addresses that embed an IPv4 one are written with it in dotted form, as inet_ntop does.
	if (value >> 32n === 0xFF_FFn) {
		return `::ffff:${printIpv4(value & 0xFF_FF_FF_FFn)}`;
	}

	if (value >> 32n === 0n && value >> 16n !== 0n) {
		return `::${printIpv4(value)}`;
	}

	const groups = Array.from({length: 8}, (_, index) => ((value >> BigInt(112 - (16 * index))) & 0xFF_FFn).toString(16));
	const {start, length} = longestZeros(groups);
	if (length < 2) {
		return groups.join(':');
	}

	return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups (RFC 5952, 4.2.3). */
function longestZeros(groups: readonly string[]): {start: number; length: number} {
	let best = {start: 0, length: 0};
	let start = 0;
	for (const [index, group] of groups.entries()) {
		if (group !== '0') {
			start = index + 1;
		} else if (index + 1 - start > best.length) {
			best = {start, length: index + 1 - start};
		}
	}

	return best;
}
