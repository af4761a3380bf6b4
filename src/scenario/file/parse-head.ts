/**
Parses the head of a scenario file: the few keys that say which runs it asks for. Parsing a file takes longer than all else that is needed to cut many of them into shards, and most of a file is its traffic.
*/

import {
	child, itemsOf, readDocuments, textOf,
} from '../../parsing/document.js';
import {InputError} from '../../parsing/input-error.js';
import {backends} from '../../netfilter/types.js';
import {parseScenario} from './parse.js';
import type {ScenarioMesh} from './schema.js';
import type {ScenarioHead} from './types.js';

const headKeys = ['name', 'rules', 'insert', 'backends'] as const;

/** Keys that say who takes part in the traffic, and where: the rarest first. */
const settingKeys = ['interfaces', 'addresses', 'actors', 'services', 'places'] as const;

/**
The head of a file. A fault in the rest goes unnoticed.

@throws {InputError} as {@link parseScenario}, if the head is not valid.
*/
export function parseScenarioHead(text: string, meshes: readonly ScenarioMesh[]): ScenarioHead {
	try {
		const head = headIn(headOf(text) ?? text);
		if (head !== undefined) {
			return head;
		}
	} catch (error) {
		if (!(error instanceof InputError)) {
			throw error;
		}
	}

	// Something is unusual or wrong, and this says what.
	return parseScenario(text, meshes);
}

function headIn(text: string): ScenarioHead | undefined {
	const [document, second] = readDocuments(text);
	const [name, rules, insert, listed] = headKeys.map(key => document && child(document, key));
	const words = listed && itemsOf(listed).map(item => textOf(item).value);
	const known = words?.flatMap(word => backends.find(backend => backend === word) ?? []);
	return name === undefined || rules === undefined || known?.length !== words?.length || second !== undefined
		? undefined
		: {
			name: textOf(name).value, rules: textOf(rules), insert: insert === undefined ? [] : itemsOf(insert).map(item => textOf(item)), backends: known,
		};
}

/** The lines of the head; undefined for a text that is not in block style with plain keys. */
function headOf(text: string): string | undefined {
	const blocks = blocksOf(text);
	return blocks && headKeys.flatMap(key => blocks.get(key) ?? []).join('\n');
}

/** The setting of a scenario as its file writes it, one text for each key: only good for sorting, so that scenarios whose actors can share a sandbox become neighbors. Empty for a file that is not written in block style. */
export function settingOf(text: string): readonly string[] {
	const blocks = blocksOf(text);
	return settingKeys.map(key => blocks?.get(key)?.join('\n') ?? '');
}

/** The lines of each key; undefined for a text that is not in block style with plain keys. In block style, a word with a colon in the first column is a key of the top level: whatever belongs to another key is indented, or is an item of its list. */
function blocksOf(text: string): ReadonlyMap<string, readonly string[]> | undefined {
	const blocks = new Map<string, string[]>();
	let lines: string[] = []; // Those before the first key belong to none.
	for (const line of text.split('\n')) {
		const key = /^(?<key>[A-Za-z]\w*):(?=\s|$)/u.exec(line)?.groups?.['key'];
		if (key !== undefined) {
			lines = blocks.get(key) ?? [];
			blocks.set(key, lines);
		} else if (!/^(?:[ \t\r#]|-[ \t\r]|-?$)/u.test(line)) {
			return undefined;
		}

		lines.push(line);
	}

	return blocks;
}
