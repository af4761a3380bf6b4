/**
Readers of command-line values: each says what was given and what is possible.
*/

import {InvalidArgumentError} from 'commander';
import {nearest} from '../../src/parsing/did-you-mean.js';
import {parseAddress} from '../../src/netfilter/address.js';
import {backends, type AddressFamily, type Backend} from '../../src/netfilter/types.js';
import {isTypeId, typeIds} from '../../src/scenario/six-types.js';
import type {TypeId} from '../../src/scenario/types.js';

/** Largest UID and GID that a process can have: the next one means "unchanged" to the kernel (setresuid(2)). */
export const idMax = 4_294_967_294;

/** The formats of `--format`. */
export const formats = ['text', 'json', 'tap', 'junit', 'markdown', 'github'] as const;

/** One of them. */
export type Format = (typeof formats)[number];

/** Other names for them, that people may try. */
const otherNames: Readonly<Record<string, Format>> = {
	xml: 'junit', md: 'markdown', gfm: 'markdown', actions: 'github', human: 'text', txt: 'text',
};

/**
A format by its name.

@throws {InvalidArgumentError} with all formats and the one that may be meant.
*/
export function readFormat(text: string): Format {
	const format = formats.find(name => name === text);
	if (format === undefined) {
		const meant = otherNames[text.toLowerCase()] ?? nearest(text, formats)?.name;
		throw new InvalidArgumentError(`There is no such format: choose from ${formats.join(', ')}; the nearest is ${meant}.`);
	}

	return format;
}

/** How many rule sets run at once unless asked otherwise: as many as the machines that this was measured on have cores (see bench/main.ts). */
export const defaultJobs = 2;

/** A whole number within bounds. */
export function readNumber(text: string, {min, max}: {readonly min: number; readonly max: number}): number {
	const number = /^\d+$/u.test(text) ? Number(text) : Number.NaN;
	if (!(number >= min && number <= max)) {
		throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
	}

	return number;
}

/** A UID or GID. */
export function readId(text: string): number {
	return readNumber(text, {min: 0, max: idMax});
}

/** The mark of a socket, decimal or hexadecimal (`0x539`). */
export function readMark(text: string): number {
	return readNumber(/^0x[\da-f]{1,8}$/iu.test(text) ? String(Number.parseInt(text, 16)) : text, {min: 0, max: 0xFF_FF_FF_FF});
}

/** `1,4b` → the types, each once, in the order given. */
export function readTypes(text: string): readonly TypeId[] {
	const ids = text.split(',').map(part => part.trim()).filter(part => part !== '');
	const unknown = ids.filter(id => !isTypeId(id));
	if (ids.length === 0 || unknown.length > 0) {
		throw new InvalidArgumentError(`${unknown.length > 0 ? `There is no type ${unknown.join(', ')}` : 'No type is named'}: choose from ${typeIds.join(', ')}.`);
	}

	return [...new Set(ids.filter(id => isTypeId(id)))];
}

/** `both` → the families. */
export function readFamilies(text: string): readonly AddressFamily[] {
	const families: ReadonlyMap<string, readonly AddressFamily[]> = new Map([['ipv4', ['ipv4']], ['ipv6', ['ipv6']], ['both', ['ipv4', 'ipv6']]]);
	const chosen = families.get(text);
	if (chosen === undefined) {
		throw new InvalidArgumentError('It must be ipv4, ipv6 or both.');
	}

	return chosen;
}

/** `all` is every back end, a list those that it names, each once. */
export function readBackends(text: string): readonly Backend[] {
	return text === 'all' ? backends : [...new Set(text.split(',').map(name => readBackend(name.trim())))];
}

/** Words between commas, without doubles. What they name is known later. */
export function readList(text: string): readonly string[] {
	const words = [...new Set(text.split(',').map(word => word.trim()).filter(word => word !== ''))];
	if (words.length === 0) {
		throw new InvalidArgumentError('Nothing is named.');
	}

	return words;
}

/** Name servers as addresses of either family, as a resolv.conf has them. */
export function readServers(text: string): readonly string[] {
	const servers = text.split(',').map(part => part.trim()).filter(part => part !== '');
	const bad = servers.find(server => parseAddress(server) === undefined);
	if (bad !== undefined) {
		throw new InvalidArgumentError(`"${bad}" is no address.`);
	}

	return servers;
}

/** A back end by its name. */
export function readBackend(text: string): Backend {
	const backend = backends.find(name => name === text);
	if (backend === undefined) {
		throw new InvalidArgumentError(`It must be ${backends.join(', ')}.`);
	}

	return backend;
}
