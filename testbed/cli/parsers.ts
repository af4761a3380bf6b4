/**
Parsers of command-line values. Their errors say what is allowed.
*/

import {InvalidArgumentError} from 'commander';
import {closestName, didYouMean} from '../../src/parsing/did-you-mean.js';
import {parseAddress} from '../../src/netfilter/address.js';
import {backends, type AddressFamily, type Backend} from '../../src/netfilter/types.js';
import type {TypeId} from '../../src/mesh/traffic.js';

/** Largest UID and GID of a process: the next number means "unchanged" to the kernel (setresuid(2)). */
export const idMax = 4_294_967_294;

/** The formats of `--format` that show any number of results. */
export const formats = ['text', 'json', 'html', 'tap', 'junit', 'markdown', 'github'] as const;

/** The formats that draw one connection. */
export const drawings = ['svg', 'mermaid'] as const;

/** The formats of a single answer. */
export const answerFormats = ['text', 'json', 'html', ...drawings] as const;

/** One of the formats of any command. */
export type Format = typeof formats[number] | typeof drawings[number];

/** Other names that people may try for a format. */
const otherNames: Readonly<Record<string, Format>> = {
	xml: 'junit', md: 'markdown', gfm: 'markdown', actions: 'github', human: 'text', txt: 'text', htm: 'html', web: 'html', page: 'html', image: 'svg', picture: 'svg', png: 'svg', pdf: 'html', mmd: 'mermaid',
};

/**
Makes a parser for the formats of a command.

@throws {InvalidArgumentError} listing the formats that the command has, with a suggestion.
*/
export function formatReader<Known extends Format>(known: readonly Known[]): (text: string) => Known {
	return text => {
		const format = known.find(name => name === text);
		if (format === undefined) {
			throw new InvalidArgumentError((drawings as readonly string[]).includes(text)
				? `${text} draws one connection, but this command has many. html draws all of them; testbed probe --format ${text} draws one.`
				: `it must be ${anyOf(known)}.${meantBy(text, known)}`);
		}

		return format;
	};
}

/** A suggestion of a similar format, as a question; empty if none is close. */
function meantBy(text: string, known: readonly Format[]): string {
	const other = Object.hasOwn(otherNames, text.toLowerCase()) ? otherNames[text.toLowerCase()] : undefined;
	const meant = other !== undefined && known.includes(other) ? other : closestName(text, known);
	return meant === undefined ? '' : ` Did you mean ${meant}?`;
}

/** The formats of a run: all of them, since a run of a single connection can be drawn. */
export const runFormats = [...formats, ...drawings] as const;

/** How many rule sets run at once by default: one more than the machines that it was measured on have cores, because some 20 ms of each rule set are waits in the kernel (`beginTable` in sandbox/own-table.ts). With two, `mutate release:1.30` took 15.6 s, with three 14.4 s, with four 13.3 s and a third more memory. */
export const defaultJobs = 3;

/** A whole number within bounds. */
export function readNumber(text: string, {min, max}: {readonly min: number; readonly max: number}): number {
	const number = /^\d+$/u.test(text) ? Number(text) : Number.NaN;
	if (!(number >= min && number <= max)) {
		throw new InvalidArgumentError(`it must be a whole number from ${min} to ${max}.`);
	}

	return number;
}

const unitsMs = {s: 1000, m: 60_000, h: 3_600_000} as const;

/** Longest delay of a Node timer (2^31 − 1 ms, `TIMEOUT_MAX`), in whole hours. */
const longestHours = 596;

/**
A duration with a unit, such as `90s`, `30m` or `2h`, in milliseconds.

@throws {InvalidArgumentError} for anything else, and for more than 596 hours.
*/
export function readDuration(text: string): number {
	const {digits, unit} = /^(?<digits>[1-9]\d{0,7})(?<unit>[smh])$/u.exec(text)?.groups ?? {};
	const duration = digits === undefined ? Number.NaN : Number(digits) * unitsMs[unit as keyof typeof unitsMs];
	if (!(duration <= longestHours * unitsMs.h)) {
		throw new InvalidArgumentError(`it must be a time with a unit, such as 90s, 30m or 2h, up to ${longestHours}h.`);
	}

	return duration;
}

/** A UID or GID. */
export function readId(text: string): number {
	return readNumber(text, {min: 0, max: idMax});
}

/** The mark of a socket, decimal or hexadecimal (`0x539`). */
export function readMark(text: string): number {
	return readNumber(/^0x[\da-f]{1,8}$/iu.test(text) ? String(Number.parseInt(text, 16)) : text, {min: 0, max: 0xFF_FF_FF_FF});
}

/** `1,4b` → types, each once, in the order given. They are checked later, once the mesh is known. */
export function readTypes(text: string): readonly TypeId[] {
	const ids = text.split(',').map(part => part.trim()).filter(part => part !== '');
	if (ids.length === 0) {
		throw new InvalidArgumentError('it must name at least one type.');
	}

	return [...new Set(ids)];
}

/** `both` → the families. */
export function readFamilies(text: string): readonly AddressFamily[] {
	const families: ReadonlyMap<string, readonly AddressFamily[]> = new Map([['ipv4', ['ipv4']], ['ipv6', ['ipv6']], ['both', ['ipv4', 'ipv6']]]);
	const chosen = families.get(text);
	if (chosen === undefined) {
		throw new InvalidArgumentError(`it must be ipv4, ipv6 or both.${didYouMean(text, [...families.keys()])}`);
	}

	return chosen;
}

/** `all`, or a list of back ends → back ends, each once. */
export function readBackends(text: string): readonly Backend[] {
	return text === 'all' ? backends : [...new Set(text.split(',').map(name => readBackendOf(name.trim(), [...backends, 'all'])))];
}

/** Comma-separated words, each once. What they name is checked later. */
export function readList(text: string): readonly string[] {
	const words = [...new Set(text.split(',').map(word => word.trim()).filter(word => word !== ''))];
	if (words.length === 0) {
		throw new InvalidArgumentError('it must name at least one item.');
	}

	return words;
}

/** A regular expression, as text. An empty one would match everything. */
export function readExpression(text: string): string {
	if (text === '') {
		throw new InvalidArgumentError('it must be a regular expression.');
	}

	try {
		return new RegExp(text, 'u').source;
	} catch (error) {
		throw new InvalidArgumentError(`it must be a regular expression: ${(error as Error).message.replace(/^Invalid regular expression: /u, '')}.`);
	}
}

/** Comma-separated addresses of name servers, of either family, as in resolv.conf. */
export function readServers(text: string): readonly string[] {
	const servers = text.split(',').map(part => part.trim()).filter(part => part !== '');
	const bad = servers.find(server => parseAddress(server) === undefined);
	if (bad !== undefined) {
		throw new InvalidArgumentError(`"${bad}" is not an IP address.`);
	}

	return servers;
}

/** A back end by its name. */
export function readBackend(text: string): Backend {
	return readBackendOf(text, backends);
}

/** The same, where `choices` may include more, such as `all`. */
function readBackendOf(text: string, choices: readonly string[]): Backend {
	const backend = backends.find(name => name === text);
	if (backend === undefined) {
		throw new InvalidArgumentError(`it must be ${anyOf(choices)}.${didYouMean(text, choices)}`);
	}

	return backend;
}

/** `a, b or c`. */
export function anyOf(names: readonly string[]): string {
	return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)!}`;
}
