/**
The published JSON Schemas, read from schemas/ and held by ajv, which had no part in writing them.
*/

import {readFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {Ajv, type ValidateFunction} from 'ajv';
import {root} from './root.js';

/** The checkout's folder. */
export const projectRoot = fileURLToPath(root);

/** JSON as it is read. */
export type Json = null | boolean | number | string | readonly Json[] | {readonly [key: string]: Json};

/** The schema of a document. With `isClosed` no key passes that the schema does not tell, at any depth: what is printed has to be described. */
export function schemaFor(name: string, {isClosed = false} = {}): ValidateFunction {
	const schema = JSON.parse(readFileSync(path.join(projectRoot, 'schemas', `${name}.schema.json`), 'utf8')) as Json;
	// What a schema of this project means but does not say ("type" beside "const") is not its fault.
	return new Ajv({allErrors: false, strictTypes: false}).compile((isClosed ? closed(schema) : schema) as object);
}

/** What ajv holds against a document; null where it holds nothing. */
export function complaintOf(validate: ValidateFunction, document: unknown): string | null {
	if (validate(document)) {
		return null;
	}

	const [first] = validate.errors ?? [];
	return `${first?.instancePath ?? ''} ${first?.message ?? ''} ${JSON.stringify(first?.params)}`;
}

function closed(schema: Json): Json {
	if (Array.isArray(schema)) {
		return (schema as readonly Json[]).map(each => closed(each));
	}

	if (typeof schema !== 'object' || schema === null) {
		return schema;
	}

	const own = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
	return typeof own['properties'] === 'object' && own['type'] === 'object' ? {...own, additionalProperties: false} : own;
}

/** A document with one thing spoiled, and where. */
export type Spoiled = {readonly at: string; readonly how: string; readonly document: Json};

/** Every document that lacks one key of this one, or has a value of another type in its place. Of a list only the first items are spoiled, for the others are like them. */
export function * spoil(document: Json): Generator<Spoiled> {
	yield * spoilBelow(document, '', changed => changed);
}

const itemsMax = 3;

function * spoilBelow(value: Json, at: string, whole: (changed: Json) => Json): Generator<Spoiled> {
	if (typeof value !== 'object' || value === null) {
		yield {at, how: 'another type', document: whole(typeof value === 'number' ? 'x' : 5.5)};
		return;
	}

	yield {at, how: 'another type', document: whole('spoiled')};
	if (Array.isArray(value)) {
		const items = value as readonly Json[];
		for (const [index, item] of items.slice(0, itemsMax).entries()) {
			yield * spoilBelow(item, `${at}[]`, changed => whole(items.with(index, changed)));
		}

		return;
	}

	for (const [key, item] of Object.entries(value)) {
		const {[key]: _, ...others} = value as Readonly<Record<string, Json>>;
		yield {at: `${at}.${key}`, how: 'missing', document: whole(others)};
		yield * spoilBelow(item, `${at}.${key}`, changed => whole({...value, [key]: changed}));
	}
}

/** A value as it is printed: what is undefined goes. */
export function printed(value: unknown): Json {
	const text = JSON.stringify(value);
	return JSON.parse(text) as Json;
}

/**
Holds a document against its schema: it is valid, each of its keys is described, and with anything missing or of another type it is valid no more. `open` matches the places that the schema leaves open, with `[]` for any item.
*/
export function holdDocument(t: ExecutionContext, name: string, {document, open}: {readonly document: Json; readonly open: RegExp}): void {
	t.is(complaintOf(schemaFor(name), document), null);
	const validate = schemaFor(name, {isClosed: true});
	t.is(complaintOf(validate, document), null);
	let refused = 0;
	const taken = new Set<string>();
	for (const {at, how, document: changed} of spoil(document)) {
		if (complaintOf(validate, changed) === null) {
			taken.add(`${how}: ${at}`);
		} else {
			refused++;
		}
	}

	t.true(refused > 5, `${refused}`);
	t.deepEqual([...taken].filter(each => !open.test(each.replace(/^[\w ]+: /u, ''))), []);
}
