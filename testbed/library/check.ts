/**
Validates the arguments of library calls before anything is done. TypeScript checks most of it, but not for callers from JavaScript, and not the ranges of numbers.
*/

import * as z from 'zod/mini';
import {exactly, id, listOf, oneOf} from '../../src/parsing/schema.js';
import {describeValue, printComplaint, validate} from '../../src/parsing/validate.js';
import {parseAddress} from '../../src/netfilter/address.js';
import {backends} from '../../src/netfilter/types.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import {TestbedError} from '../errors.js';

/** A schema for each option of a function. Undefined options count as not given. */
export type ShapeOf<Options> = {readonly [Key in keyof Options]-?: z.ZodMiniType<NonNullable<Options[Key]>>};

/** The error for an invalid argument: what it is, and what to pass instead. */
export function badArgument(name: string, value: unknown, advice: string): TestbedError {
	return new TestbedError('USAGE', {message: `${name} is ${describeValue(value)}; ${advice}.`, state: 'Nothing was done.'});
}

/** The schema of an AbortSignal. */
export const signal = z.custom<AbortSignal>(value => value instanceof AbortSignal, {error: 'an AbortSignal'});

/** An address of either family. */
export const address = z.string({error: 'an IP address'}).check(z.refine(value => parseAddress(value) !== undefined, {error: 'an IP address'}));

/** One family. */
export const family = oneOf(addressFamilies);

/** The families of rules. */
export const families = someOf(family, 'families (ipv4, ipv6)');

/** A back end. */
export const backend = oneOf(backends);

/** A user and a group. */
export const credentials = exactly({uid: id, gid: id});

/** A list of items, each once. It may be empty. */
export function anyOf<Item extends z.ZodMiniType>(item: Item, of: string) {
	return listOf(item, {of}).check(onlyOnce());
}

/** A list of items, each once, with at least one. */
export function someOf<Item extends z.ZodMiniType>(item: Item, of: string) {
	return listOf(item, {of, min: 1}).check(onlyOnce());
}

function onlyOnce() {
	return z.check<readonly unknown[]>(({value, issues}) => {
		for (const [index, item] of value.entries()) {
			if (value.indexOf(item) !== index) {
				issues.push({
					code: 'custom', input: item, path: [index], message: 'it is already in the list', params: {clause: true},
				});
			}
		}
	});
}

/**
Checks an object of options: every key must be known, every value valid.

@throws {TestbedError} USAGE that names the option, the nearest known one, or what is expected.
*/
export function checkOptions<Options>(value: unknown, name: string, shape: ShapeOf<Options>): asserts value is Options {
	const optional = Object.fromEntries(Object.entries<z.ZodMiniType>(shape).map(([key, schema]) => [key, z.optional(schema)]));
	const schema = z.strictObject(optional, {error: ({code}) => code === 'invalid_type' ? 'an object' : undefined});
	const result = validate(schema, value);
	if ('complaints' in result) {
		throw new TestbedError('USAGE', {message: `${printComplaint(result.complaints[0], name)}.`, state: 'Nothing was done.'});
	}
}
