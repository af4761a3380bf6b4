/**
The door of the library: what callers hand in, looked at before anything is done with it. TypeScript tells most of it, but not to whoever calls from JavaScript, and not of numbers.
*/

import {types as typesOfNode} from 'node:util';
import {nearest} from '../../src/parsing/did-you-mean.js';
import {parseAddress} from '../../src/netfilter/address.js';
import {backends} from '../../src/netfilter/types.js';
import {addressFamilies} from '../../src/scenario/topology.js';
import {TestbedError} from '../errors.js';

/** Looks at one value; `name` is how messages call it: `choices.timeoutMs`. Throws `TestbedError`. */
export type Check = (value: unknown, name: string) => void;

/** The options of a function, each with its check. What is undefined was not given. */
export type Shape = Readonly<Record<string, Check>>;

const idMax = 0xFF_FF_FF_FE; // (uid_t) -1 means "no change" to the kernel.

/** The error for an argument: what it is, and what is due. */
export function badArgument(name: string, value: unknown, due: string): TestbedError {
	return new TestbedError('USAGE', {message: `${name} is ${describe(value)}; ${due}.`, state: 'Nothing was done.'});
}

/** True or false. */
export const isFlag: Check = (value, name) => {
	if (typeof value !== 'boolean') {
		throw badArgument(name, value, 'true or false is due');
	}
};

/** A text that is not empty. */
export const isText: Check = (value, name) => {
	if (typeof value !== 'string' || value === '') {
		throw badArgument(name, value, 'a text is due');
	}
};

/** An address of either family. */
export const isAddress: Check = (value, name) => {
	if (typeof value !== 'string' || parseAddress(value) === undefined) {
		throw badArgument(name, value, 'an IP address is due');
	}
};

/** Something that aborts. */
export const isSignal: Check = (value, name) => {
	if (!(value instanceof AbortSignal)) {
		throw badArgument(name, value, 'an AbortSignal is due');
	}
};

/** A whole number within bounds. */
export function isWhole(min: number, max: number): Check {
	return (value, name) => {
		if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
			throw badArgument(name, value, `a whole number from ${min} to ${max} is due`);
		}
	};
}

/** One of some words. */
export function isOneOf(words: readonly string[]): Check {
	return (value, name) => {
		if (typeof value !== 'string' || !words.includes(value)) {
			const near = typeof value === 'string' ? nearest(value, words) : undefined;
			throw badArgument(name, value, `one of ${words.join(', ')} is due${near?.isClose === true ? `; "${near.name}" is meant?` : ''}`);
		}
	};
}

/** A list that holds something, each item once. */
export function isList(check: Check, what: string): Check {
	return (value, name) => {
		if (!Array.isArray(value)) {
			throw badArgument(name, value, `a list of ${what} is due`);
		}

		if (value.length === 0) {
			throw badArgument(name, value, `at least one of ${what} is due`);
		}

		for (const [index, item] of (value as readonly unknown[]).entries()) {
			check(item, `${name}[${index}]`);
			if (value.indexOf(item) !== index) {
				throw badArgument(`${name}[${index}]`, item, 'it is in the list already');
			}
		}
	};
}

/** A list that may be empty. */
export function isListOrNone(check: Check, what: string): Check {
	return (value, name) => {
		if (!Array.isArray(value) || value.length > 0) {
			isList(check, what)(value, name);
		}
	};
}

/** An object with all of some keys, and no others. */
export function isObject(shape: Shape): Check {
	return (value, name) => {
		checkOptions(value, name, shape);
		for (const [key, check] of Object.entries(shape)) {
			check((value as Readonly<Record<string, unknown>>)[key], `${name}.${key}`);
		}
	};
}

/** The families of rules. */
export const isFamilies = isList(isOneOf(addressFamilies), 'families (ipv4, ipv6)');

/** One family. */
export const isFamily = isOneOf(addressFamilies);

/** A back end. */
export const isBackend = isOneOf(backends);

/** A user and a group. */
export const isCredentials = isObject({uid: isWhole(0, idMax), gid: isWhole(0, idMax)});

/**
Looks at an object of options: every key known, every value right. Undefined is none given.

@throws {TestbedError} USAGE that names the option, the nearest known one, or what is due.
*/
export function checkOptions(value: unknown, name: string, shape: Shape): void {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		throw badArgument(name, value, 'an object is due');
	}

	for (const [key, item] of Object.entries(value)) {
		const check = Object.hasOwn(shape, key) ? shape[key] : undefined;
		if (check === undefined) {
			const known = Object.keys(shape);
			const near = nearest(key, known);
			throw new TestbedError('USAGE', {message: `${name}.${key} is no option${near?.isClose === true ? `; "${near.name}" is meant?` : `; known are ${known.join(', ')}`}.`, state: 'Nothing was done.'});
		}

		if (item !== undefined) {
			check(item, `${name}.${key}`);
		}
	}
}

function describe(value: unknown): string {
	if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'number') {
		return String(value);
	}

	if (typeof value === 'string') {
		return value === '' ? 'empty' : JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
	}

	if (Array.isArray(value)) {
		return value.length === 0 ? 'an empty list' : 'a list';
	}

	if (typesOfNode.isPromise(value)) {
		return 'a promise (an await is missing?)';
	}

	return typeof value === 'object' ? (value.constructor === Object ? 'an object' : `a ${value.constructor?.name ?? 'strange object'}`) : `a ${typeof value}`;
}
