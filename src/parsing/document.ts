/**
YAML or JSON with positions: every value knows its line, column and key, so that an error can say where. Parsed by the library `yaml`, which accepts JSON as well.
*/

import {
	isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Node, type YAMLMap,
} from 'yaml';
import {InputError} from './input-error.js';

/** A field of a manifest and its place: `line 12, column 7, spec.containers[0].image`. */
export type Text = {readonly value: string; readonly at: string};

/** A value that has not been examined yet. */
export type Field = {
	readonly node: Node;
	readonly key: string;
	readonly at: string;
	readonly source: Source;
};

type Source = {readonly document: Document; readonly lines: LineCounter};

/**
Parses all documents of a text; empty ones are left out.

@throws {InputError} with line and column, if it is not YAML.
*/
export function readDocuments(text: string): readonly Field[] {
	const lines = new LineCounter();
	const fields: Field[] = [];
	for (const document of parseAllDocuments(text, {lineCounter: lines, prettyErrors: false})) {
		const [problem] = [...document.errors, ...document.warnings];
		if (problem !== undefined) {
			// The rest of the message after the colon quotes the text, which may be confidential.
			throw new InputError(problem.message.replace(/:\s.*$/su, ''), placeOf(lines, problem.pos[0]));
		}

		const {contents} = document as Document;
		if (contents !== null && !isNull(contents)) {
			fields.push(fieldOf(contents, {key: '', source: {document, lines}}));
		}
	}

	return fields;
}

/** The line in which a value begins, counted from 1; for an alias, that of its anchor. */
export function lineOf({node, source}: Field): number {
	return source.lines.linePos(node.range?.[0] ?? 0).line;
}

/** Whether a field is a mapping. */
export function isMapping(field: Field): boolean {
	return isMap(field.node);
}

/** The most values in one document, counting those behind aliases as often as they are used: far more than anyone writes, and a limit to how far a few lines of aliases can expand. */
const valuesMax = 100_000;

/**
A field as plain data. A key without a value is null.

@throws {InputError} with its place, for keys that are not strings, merge keys, control characters, an alias inside its own anchor, and aliases that expand too far.
*/
export function plainOf(field: Field): unknown {
	let count = 0;
	const convert = (own: Field, above: readonly Node[]): unknown => {
		count++;
		if (count > valuesMax) {
			throw new InputError(`more than ${valuesMax} values, counting those that aliases repeat`, own.at);
		}

		const {node, source} = own;
		if (above.includes(node)) {
			throw new InputError('an alias inside its own anchor', own.at);
		}

		const within = [...above, node];
		if (isMap(node)) {
			return Object.fromEntries(entriesOf(own).map(({name, value}) => [name, value === undefined ? null : convert(value, within)]));
		}

		if (isSeq(node)) {
			return node.items.map((item, index) => isNode(item) ? convert(fieldOf(item, {key: `${own.key}[${index}]`, source}), within) : null);
		}

		const value: unknown = isScalar(node) ? node.value : undefined;
		return typeof value === 'string' ? withoutControls(value, () => own.at) : value;
	};

	return convert(field, []);
}

/** The field at the end of a path, or the last existing one on the way. */
export function fieldAt(field: Field, path: ReadonlyArray<string | number>): Field {
	let found = field;
	for (const step of path) {
		const {node, source, key} = found;
		const item: unknown = isSeq(node) && typeof step === 'number' ? node.items[step] : undefined;
		const next = isNode(item) ? fieldOf(item, {key: `${key}[${step}]`, source}) : (isMap(node) && typeof step === 'string' ? valueIn(found, node, step) : undefined);
		if (next === undefined) {
			return found;
		}

		found = next;
	}

	return found;
}

/** The value of a key of a mapping, without looking at the others. */
function valueIn(field: Field, {items}: YAMLMap, name: string): Field | undefined {
	const item = items.find(({key}) => isScalar(key) && key.value === name);
	return isNode(item?.value) && !isNull(item.value) ? fieldOf(item.value, {key: keyOfChild(field, name), source: field.source, keyNode: item.key as Node}) : undefined;
}

/**
The value of a key; undefined if the key is missing or its value is null.

@throws {InputError} if the field is not a mapping.
*/
export function child(field: Field, name: string): Field | undefined {
	return fieldsOf(field).find(([key]) => key === name)?.[1];
}

/** The value at the end of a path of keys. */
export function descend(field: Field, path: readonly string[]): Field | undefined {
	let found: Field | undefined = field;
	for (const name of path) {
		found &&= child(found, name);
	}

	return found;
}

/**
All keys of a mapping with their values, in order; those with null are left out, as Kubernetes does.

@throws {InputError} if the field is not a mapping, and for merge keys and keys that are not strings.
*/
export function fieldsOf(field: Field): ReadonlyArray<readonly [key: string, value: Field]> {
	return entriesOf(field).flatMap(({name, value}) => value === undefined ? [] : [[name, value] as const]);
}

/** All keys of a mapping, in order; without a value if it is null. */
function entriesOf(field: Field): ReadonlyArray<{readonly name: string; readonly keyNode: Node; readonly value: Field | undefined}> {
	const {node, source} = field;
	if (!isMap(node)) {
		throw new InputError(`expected a mapping, but this is ${kindOf(node)}`, field.at);
	}

	return node.items.map(({key, value}) => {
		const name = nameOfKey(field, key);
		const keyNode = key as Node;
		return {name, keyNode, value: isNode(value) && !isNull(value) ? fieldOf(value, {key: keyOfChild(field, name), source, keyNode}) : undefined};
	});
}

/** @throws {InputError} for merge keys and keys that are not strings. */
function nameOfKey({source, at}: Field, key: unknown): string {
	const name = isScalar(key) ? key.value : undefined;
	if (typeof name !== 'string') {
		throw new InputError('a key that is not a string', isNode(key) ? placeOf(source.lines, key.range?.[0] ?? 0) : at);
	}

	const place = (): string => placeOf(source.lines, (key as Node).range?.[0] ?? 0);
	if (name === '<<') {
		throw new InputError('merge keys (<<) are not supported; write the keys out', place());
	}

	return withoutControls(name, place);
}

/** `spec.containers`, `labels["a key"]`. */
function keyOfChild({key}: Field, name: string): string {
	return /^[A-Z_a-z]\w*$/.test(name) ? (key === '' ? name : `${key}.${name}`) : `${key}[${JSON.stringify(name)}]`;
}

/** A key of a mapping, whatever its value: `isEmpty` if it has none. */
export type Key = {readonly name: string; readonly at: string; readonly isEmpty: boolean};

/**
The keys of a mapping, in order, including those without a value.

@throws {InputError} if the field is not a mapping, and for merge keys and keys that are not strings.
*/
export function keysOf(field: Field): readonly Key[] {
	return entriesOf(field).map(({name, keyNode, value}) => ({name, at: placeOf(field.source.lines, keyNode.range?.[0] ?? 0), isEmpty: value === undefined}));
}

/**
A string or an integer as text, as it is written: for values without quotes, like `8080`.

@throws {InputError} for anything else.
*/
export function wordOf(field: Field): Text {
	const value = isScalar(field.node) ? field.node.value : undefined;
	if (typeof value !== 'string' && (typeof value !== 'number' || !Number.isSafeInteger(value))) {
		throw new InputError(`expected a word, but this is ${kindOf(field.node)}`, field.at);
	}

	return {value: withoutControls(String(value), () => field.at), at: field.at};
}

/**
The items of a list.

@throws {InputError} if the field is not a list.
*/
export function itemsOf(field: Field): readonly Field[] {
	const {node, source} = field;
	if (!isSeq(node)) {
		throw new InputError(`expected a list, but this is ${kindOf(node)}`, field.at);
	}

	return node.items.flatMap((item, index) => isNode(item) && !isNull(item) ? [fieldOf(item, {key: `${field.key}[${index}]`, source})] : []);
}

/**
A string.

@throws {InputError} for anything else: Kubernetes does not convert `8080` or `true` to a string either.
*/
export function textOf(field: Field): Text {
	const value = isScalar(field.node) ? field.node.value : undefined;
	if (typeof value !== 'string') {
		const hint = isScalar(field.node) ? '; Kubernetes rejects it too: put it in quotes' : '';
		throw new InputError(`expected a string, but this is ${kindOf(field.node)}${hint}`, field.at);
	}

	return {value: withoutControls(value, () => field.at), at: field.at};
}

/**
A whole number.

@throws {InputError} for anything else.
*/
export function numberOf(field: Field): number {
	const value = isScalar(field.node) ? field.node.value : undefined;
	if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
		throw new InputError(`expected a whole number, but this is ${kindOf(field.node)}`, field.at);
	}

	return value;
}

/**
True or false.

@throws {InputError} for anything else.
*/
export function booleanOf(field: Field): boolean {
	const value = isScalar(field.node) ? field.node.value : undefined;
	if (typeof value !== 'boolean') {
		throw new InputError(`expected true or false, but this is ${kindOf(field.node)}`, field.at);
	}

	return value;
}

/** YAML can express any character by an escape (`\\e`). Characters that act on a terminal do not belong in a name or a sentence; line ends may. */
function withoutControls(text: string, at: () => string): string {
	const [found] = /[^\P{Cc}\t\n]/u.exec(text) ?? [];
	if (found !== undefined) {
		throw new InputError(`the control character U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}, which is not allowed in text`, at());
	}

	return text;
}

function fieldOf(node: Node, {key, source, keyNode}: {readonly key: string; readonly source: Source; readonly keyNode?: Node}): Field {
	const place = (): string => placeOf(source.lines, (keyNode ?? node).range?.[0] ?? 0);
	const resolved = isAlias(node) ? node.resolve(source.document) : node;
	if (resolved === undefined) {
		throw new InputError('an alias without its anchor', place());
	}

	return {
		node: resolved,
		key,
		// Of most fields, nobody asks.
		get at() {
			return key === '' ? place() : `${place()}, ${key}`;
		},
		source,
	};
}

function placeOf(lines: LineCounter, offset: number): string {
	const {line, col} = lines.linePos(offset);
	return `line ${line}, column ${col}`;
}

function isNode(value: unknown): value is Node {
	return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}

function isNull(node: Node): boolean {
	return isScalar(node) && node.value === null;
}

function kindOf(node: Node): string {
	if (!isScalar(node)) {
		return isSeq(node) ? 'a list' : 'a mapping';
	}

	return typeof node.value === 'number' || typeof node.value === 'boolean' ? `the ${typeof node.value} ${node.value}` : 'a string';
}
