/**
Schemas of external data, made with zod. Each describes what it accepts, in words that complete the sentence "expected …". `validate.ts` checks data against them; `json-schema.ts` prints them.

They use zod's mini variant, whose unused parts stay out of the bundles.
*/

import * as z from 'zod/mini';

/** A schema whose valid data has this type. */
export type Schema<T = unknown> = z.ZodMiniType<T, T>;

/** The type of the data that a schema accepts. */
export type DataOf<S extends z.ZodMiniType> = z.output<S>;

/** The type of a document that the testbed writes by a schema: the same data, read-only. */
export type DocumentOf<S extends z.ZodMiniType> = Unchanging<z.output<S>>;

type Unchanging<T> = T extends object ? {readonly [Key in keyof T]: Unchanging<T[Key]>} : T;

/** Names and descriptions for JSON Schemas. A schema with an `id` gets a definition of its own there. */
export const documentation = z.registry<{id?: string; description?: string}>();

/** A string, empty or not. */
export const text = z.string({error: 'a string'});

/** A non-empty string. */
export const someText = z.string({error: 'a non-empty string'}).check(z.minLength(1));

/** Any number except NaN and the infinities. */
export const number = z.number({error: 'a number'});

/** A non-negative integer up to 2^53 − 1: a count, an ID, a line. */
export const count = whole(0, Number.MAX_SAFE_INTEGER, 'a whole number of at least 0');

/** A port that something can listen on. */
export const port = whole(1, 65_535);

/** The ID of a user or a group. (uid_t) −1 means "no change" to the kernel. */
export const id = whole(0, 0xFF_FF_FF_FE);

/** True or false. */
export const flag = z.boolean({error: 'true or false'});

/** Any value, including `null`. */
export const anything = z.unknown().check(z.refine(value => value !== undefined, {error: 'any value'}));

/** An integer within bounds, inclusive. */
export function whole(min: number, max: number, expected = `a whole number from ${min} to ${max}`) {
	return z.int({error: expected}).check(z.minimum(min, {error: expected}), z.maximum(max, {error: expected}));
}

/** One of some words. Messages list them unless `expected` describes them. */
export function oneOf<const Words extends readonly string[]>(words: Words, expected?: string) {
	return z.enum(Object.fromEntries(words.map(word => [word, word])) as {[Word in Words[number]]: Word}, expected === undefined ? {} : {error: expected});
}

/** Text that matches a regular expression. `expected` describes it in words. */
export function textOf(pattern: RegExp, expected: string) {
	return z.string({error: expected}).check(z.regex(pattern, {error: expected}));
}

/** A list of items, with at least `min` of them. Messages call them by `of`: `a list of families`. */
export function listOf<Item extends z.ZodMiniType>(item: Item, {min = 0, of}: {readonly min?: number; readonly of?: string} = {}) {
	const what = of === undefined ? '' : ` of ${of}`;
	const list = z.array(item, {error: `a list${what}`});
	return min === 0 ? list : list.check(z.minLength(min, {error: `a list${what} with at least ${min === 1 ? 'one item' : `${min} items`}`}));
}

/** Exactly these keys; a key in {@link maybe} may be absent. */
export function exactly<Shape extends Readonly<Record<string, z.ZodMiniType>>>(shape: Shape) {
	return z.strictObject(shape);
}

/** At least these keys; others are kept unchanged. */
export function atLeast<Shape extends Readonly<Record<string, z.ZodMiniType>>>(shape: Shape) {
	return z.looseObject(shape);
}

/** At least these keys, but no others by type: for documents that the testbed writes, which must not contain anything outside the schema. Readers have to accept keys that a later version adds. */
export function fields<Shape extends Readonly<Record<string, z.ZodMiniType>>>(shape: Shape) {
	return z.object(shape);
}

/** The keys of objects of a schema; of a union, those of all its members. */
export function keysOf(schema: z.ZodMiniType): readonly string[] {
	const {shape = {}, options = []} = schema._zod.def as {readonly shape?: Readonly<Record<string, unknown>>; readonly options?: readonly z.ZodMiniType[]};
	return [...new Set([...Object.keys(shape), ...options.flatMap(option => keysOf(option))])];
}

/** Any keys, with values of one kind. */
export function mapOf<Value extends z.ZodMiniType>(value: Value) {
	return z.record(z.string(), value);
}

/** A mapping whose keys are names chosen by a user. */
export function byName<Value extends z.ZodMiniType>(value: Value) {
	return z.record(textOf(/^[a-z][\w-]*$/, 'a name of lower-case letters, digits, - and _ that starts with a letter'), value);
}

/** A key that may be absent. Its value is never `undefined`, which neither JSON nor YAML has. */
export const maybe = z.exactOptional;

/** A value or `null`. */
export const orNull = z.nullable;

/** The schema with a description: for the JSON Schema, and for the message if the value is missing. The original schema is not changed. */
export function about<S extends z.ZodMiniType>(description: string, schema: S): S {
	const error = schema._zod.def.error as z.core.$ZodErrorMap | undefined;
	const copy = z.clone(schema, error === undefined
		? schema._zod.def
		: {
			...schema._zod.def,
			error(issue: z.core.$ZodRawIssue) {
				const expected = error(issue);
				return typeof expected === 'string' ? expectedWith(expected, issue.input === undefined ? description : undefined) : expected;
			},
		}, {parent: true});
	documentation.add(copy, {description});
	return copy;
}

/** The schema, with a name of its own among the definitions of a JSON Schema. */
export function named<S extends z.ZodMiniType>(name: string, schema: S): S {
	documentation.add(schema, {id: name});
	return schema;
}

/** The expectation, and what the value is for. */
export function expectedWith(expected: string, description: string | undefined): string {
	return description === undefined ? expected : `${expected}: ${description.slice(0, 1).toLowerCase()}${description.slice(1).replace(/\.$/u, '')}`;
}
