/**
Checks external data against a schema. Each issue of zod becomes a complaint: where, what is there, what was expected, and what a misspelled key probably means. A message never contains a character that acts on a terminal.
*/

import * as z from 'zod/mini';
import {closeNames} from './did-you-mean.js';
import {InputError} from './input-error.js';
import {fieldAt, keysOf, plainOf, isMapping, type Field} from './document.js';
import {documentation, expectedWith} from './schema.js';
import {visibleForeign} from './visible-text.js';

/** The path from the root of a document to a value: keys and indexes. */
export type DataPath = ReadonlyArray<string | number>;

/** What is wrong with one value. */
export type Complaint = {
	readonly path: DataPath;
	/** `missing`: a required key; `unknown`: an unknown key, which ends `path`; `wrong`: another value is expected. */
	readonly kind: 'missing' | 'unknown' | 'wrong';
	/** The value in a form that cannot act on a terminal: `"x"`, `5`, `a list`. */
	readonly found: string;
	/** The end of the sentence: `expected a string`, `did you mean "port"?`. */
	readonly advice: string;
};

/** Valid data, or at least one complaint, the most useful first. */
export type Validated<T> = {readonly value: T} | {readonly complaints: readonly [Complaint, ...Complaint[]]};

type Issue = z.core.$ZodIssue;

/** Longer texts are truncated in messages. */
const shownMax = 60;

/** Separates known keys in the message of an issue, which is the only way to get them out of zod. No schema has a key that contains it. */
const separator = '\n';

/** Checks data against a schema. zod could compile it to a function (`new Function`), but pages whose policy forbids that report the attempt, and there are few documents, so that is turned off. */
export function validate<T>(schema: z.ZodMiniType<T>, data: unknown): Validated<T> {
	const result = z.safeParse(schema, data, {reportInput: true, error: expectedFor, jitless: true});
	if (result.success) {
		return {value: result.data};
	}

	const complaints = result.error.issues.flatMap(issue => complaintsOf(issue, []));
	// A missing key is often present but misspelled, which makes a better message.
	const [first] = complaints;
	const misspelled = first?.kind === 'missing' ? complaints.find(({kind, path}) => kind === 'unknown' && isSameMapping(path, first.path)) : undefined;
	const sorted = misspelled === undefined ? complaints : [misspelled, ...complaints.filter(each => each !== misspelled)];
	return {complaints: sorted as [Complaint, ...Complaint[]]};
}

/**
Returns valid data.

@param what How messages refer to the whole document: `This baseline is damaged`.
@throws {InputError} with the most useful complaint.
*/
export function valid<T>(schema: z.ZodMiniType<T>, data: unknown, what: string): T {
	const result = validate(schema, data);
	if ('value' in result) {
		return result.value;
	}

	throw new InputError(`${what}: ${printComplaint(ofDocument(result.complaints[0], data))}.`);
}

/**
Returns valid data of a part of a YAML document.

@throws {InputError} with line, column and key of the most useful complaint.
*/
export function validField<T>(schema: z.ZodMiniType<T>, field: Field): T {
	const data = plainOf(field);
	const result = validate(schema, data);
	if ('value' in result) {
		return result.value;
	}

	const complaint = ofDocument(result.complaints[0], data);
	const {path, kind, found, advice} = complaint;
	if (kind === 'wrong' && found !== 'null') {
		throw new InputError(`this is ${found}; ${advice}`, fieldAt(field, path).at);
	}

	const mapping = fieldAt(field, path.slice(0, -1));
	const key = kind === 'missing' || !isMapping(mapping) ? undefined : keysOf(mapping).find(({name}) => name === path.at(-1));
	throw new InputError(kind === 'wrong' ? `"${printPath(path)}" has no value; ${advice}` : printComplaint(complaint), key?.at ?? mapping.at);
}

/** The complaint about a document. If the whole document is text, it is a file of another kind, and its content is not shown. */
function ofDocument(complaint: Complaint, data: unknown): Complaint {
	return complaint.path.length === 0 && typeof data === 'string' ? {...complaint, found: 'text'} : complaint;
}

/** A complaint as a sentence without its period. `root` is the name of the document: the place of a complaint about all of it, and the prefix of any other path. */
export function printComplaint({path, kind, found, advice}: Complaint, root = ''): string {
	const place = printPath(path, root);
	const name = place === '' ? 'the whole' : (root === '' ? `"${place}"` : place);
	return {
		missing: `${name} is missing; ${advice}`,
		unknown: `${name} is not known; ${advice}`,
		wrong: `${name} is ${found}; ${advice}`,
	}[kind];
}

/** `rounds[0].datagrams`, `actors["my app"]`. */
export function printPath(path: DataPath, root = ''): string {
	let place = root;
	for (const step of path) {
		place += typeof step === 'number' ? `[${step}]` : (/^[A-Z_a-z]\w*$/u.test(step) ? `${place === '' ? '' : '.'}${step}` : `[${quoted(step)}]`);
	}

	return place;
}

/** A short description of a value that cannot act on a terminal. */
export function describeValue(value: unknown): string {
	if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'number') {
		return String(value);
	}

	if (typeof value === 'string') {
		return value === '' ? 'empty' : quoted(value);
	}

	if (Array.isArray(value)) {
		return value.length === 0 ? 'an empty list' : 'a list';
	}

	if (value instanceof Promise) {
		return 'a promise (an await is missing?)';
	}

	if (typeof value !== 'object') {
		return `a ${typeof value}`;
	}

	const {constructor} = value as {readonly constructor?: {readonly name?: unknown}};
	return constructor === undefined || constructor === Object ? 'an object' : `a ${typeof constructor.name === 'string' && /^\w+$/u.test(constructor.name) ? constructor.name : 'strange object'}`;
}

/** What an unknown word probably means, as the end of a sentence. */
export function adviceFor(name: string, known: readonly string[]): string {
	return meantBy(name, known) ?? `known: ${known.join(', ')}`;
}

function quoted(value: string): string {
	const head = value.slice(0, 2 * (shownMax + 1));
	const characters = [...head];
	return visibleForeign(JSON.stringify(characters.length > shownMax ? `${characters.slice(0, shownMax).join('')}…` : value));
}

function isSameMapping(one: DataPath, other: DataPath): boolean {
	return one.length === other.length && one.slice(0, -1).every((step, index) => step === other[index]);
}

/** The expectation if a schema does not state one, and its purpose if the value is missing. Runs while zod still knows which schema complained. */
function expectedFor(issue: z.core.$ZodRawIssue): string {
	const description = issue.input === undefined && issue.inst !== undefined ? documentation.get(issue.inst as z.core.$ZodType)?.description : undefined;
	return expectedWith(kindFor(issue), description);
}

/** Words for the types of zod. */
const typesInWords: Readonly<Record<string, string>> = {
	object: 'a mapping', record: 'a mapping', array: 'a list', string: 'a string', number: 'a number', int: 'a whole number', boolean: 'true or false', null: 'null',
};

function kindFor(issue: z.core.$ZodRawIssue): string {
	const {shape, items} = (issue.inst as z.core.$ZodType | undefined)?._zod.def as {readonly shape?: object; readonly items?: readonly unknown[]};
	if (issue.code === 'unrecognized_keys') {
		return Object.keys(shape ?? {}).join(separator);
	}

	if (issue.code === 'invalid_value') {
		return alternatives(issue.values);
	}

	if (issue.code === 'invalid_union' && 'options' in issue && Array.isArray(issue.options)) {
		return alternatives(issue.options);
	}

	if (items !== undefined) {
		return `a list of ${items.length}`;
	}

	return issue.code === 'invalid_type' ? typesInWords[issue.expected] ?? `a value of type ${issue.expected}` : 'something else';
}

function alternatives(values: readonly unknown[]): string {
	const words = values.map(value => typeof value === 'string' ? value : String(value));
	return words.length === 1 ? words[0]! : `one of ${words.join(', ')}`;
}

function complaintsOf(issue: Issue, above: DataPath): readonly Complaint[] {
	const path = [...above, ...issue.path as Array<string | number>];
	const input = inputOf(issue);
	if (issue.code === 'unrecognized_keys') {
		const known = issue.message.split(separator);
		return issue.keys.map(key => ({
			path: [...path, key], kind: 'unknown', found: 'a key', advice: adviceFor(key, known),
		}));
	}

	// In a union of kinds of values, the one whose kind fits is meant: the error is inside it.
	const meant = issue.code === 'invalid_union' ? issue.errors.find(branch => branch.length > 0 && branch.every(inner => inner.path.length > 0 || inner.code === 'unrecognized_keys')) : undefined;
	if (meant !== undefined) {
		return meant.flatMap(inner => complaintsOf(inner, path));
	}

	if (issue.code === 'invalid_key') {
		return [{
			path, kind: 'wrong', found: describeValue(path.at(-1)), advice: `expected ${issue.issues[0]?.message ?? 'another key'}`,
		}];
	}

	// The message of a custom check is a whole clause.
	const advice = issue.code === 'custom' && issue.params?.['clause'] === true ? issue.message : `expected ${issue.message}${hintFor(issue, input)}`;
	return [{
		path, kind: input === undefined && path.length > 0 ? 'missing' : 'wrong', found: describeValue(input), advice,
	}];
}

/** The value that an issue is about. For a mapping of unknown kind, zod names the kind and returns the mapping. */
function inputOf(issue: Issue): unknown {
	return issue.code === 'invalid_union' && issue.discriminator !== undefined ? (issue.input as Readonly<Record<string, unknown>>)[issue.discriminator] : issue.input;
}

/** What a misspelled word probably means. */
function hintFor(issue: Issue, input: unknown): string {
	const words: readonly unknown[] = issue.code === 'invalid_value' ? issue.values : (issue.code === 'invalid_union' && 'options' in issue ? issue.options ?? [] : []);
	const meant = typeof input === 'string' ? meantBy(input, words.filter(word => typeof word === 'string')) : undefined;
	return meant === undefined ? '' : `; ${meant}`;
}

/** `did you mean "port"?`. Undefined if nothing is close. */
function meantBy(name: string, known: readonly string[]): string | undefined {
	const names = closeNames(name, known);
	return names.length === 0 ? undefined : `did you mean ${names.map(each => `"${each}"`).join(' or ')}?`;
}
