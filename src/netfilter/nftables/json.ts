/**
Parses the native tables in `nft -j list ruleset` into a rule set: the same one as from the text, because each rule is first converted to its text.
*/

import {ParseError} from '../parse-error.js';
import type {RuleSet} from '../types.js';
import {RuleSyntaxError} from '../words.js';
import {
	addChain, addTable, closeTables, extendHead, findOpenChain, findOpenTable, readFamily, readPolicy, type OpenTables, type TableKey,
} from './table-builder.js';
import {parseBaseChain} from './base-chain.js';
import {printStatement} from './json-statements.js';
import {
	entryOf, isObject, JsonShapeError, pathOf, plain, plainText, type Json, type JsonObject,
} from './json-values.js';
import {parseNftRule} from './rule.js';

/** The longest part of the JSON that an error shows. */
const shownMax = 200;

/**
Parses the output of `nft -j list ruleset`. Throws a `ParseError` that names anything unknown; it recommends the text form, which contains everything. Line numbers are always 1, because nft prints a single line.
*/
export function parseNftJson(text: string): RuleSet {
	const tables: OpenTables = new Map();
	for (const [index, item] of itemsOf(text).entries()) {
		try {
			readItem(tables, item);
		} catch (error) {
			const place = `nftables[${index}]`;
			if (error instanceof JsonShapeError) {
				const path = error.culprit === undefined ? '' : pathOf(item, error.culprit);
				throw problem(`${error.message} is not understood in JSON; use the text of nft list ruleset (at ${place}${path})`, JSON.stringify(item));
			}

			throw error instanceof RuleSyntaxError ? problem(`${error.message} (at ${place})`, JSON.stringify(item)) : error;
		}
	}

	return closeTables(tables);
}

function itemsOf(text: string): readonly Json[] {
	let document: Json;
	try {
		document = JSON.parse(text) as Json;
	} catch {
		throw problem('not valid JSON', '');
	}

	const {nftables: items} = isObject(document) ? document : {};
	if (!Array.isArray(items)) {
		throw problem('not the output of nft -j list ruleset: expected a list "nftables"', '');
	}

	return items as readonly Json[];
}

function problem(reason: string, shown: string): ParseError {
	return new ParseError({line: 1, reason, lineText: shown.length > shownMax ? `${shown.slice(0, shownMax)}…` : shown});
}

function readItem(tables: OpenTables, item: Json): void {
	const [kind, content] = entryOf(item);
	if (!isObject(content)) {
		throw new JsonShapeError(`"${kind}"`);
	}

	switch (kind) {
		case 'metainfo': {
			return;
		}

		case 'table': {
			if (content['flags'] !== undefined || content['comment'] !== undefined) {
				throw new JsonShapeError(`what nft says about table ${plain('table', content['name'])} besides its name`);
			}

			addTable(tables, {family: readFamily(plain('table', content['family'])), name: plain('table', content['name'])});
			return;
		}

		case 'chain': {
			readChain(tables, content);
			return;
		}

		case 'rule': {
			readRule(tables, content);
			return;
		}

		default: {
			throw new JsonShapeError(`"${kind}"`);
		}
	}
}

function readChain(tables: OpenTables, content: JsonObject): void {
	const {name, type, hook, prio, policy, comment, dev} = content;
	const chain = addChain(findOpenTable(tables, keyOf(content)), plain('chain', name));
	if (type !== undefined) {
		const device = dev === undefined ? '' : ` device ${plain('chain', dev)}`;
		extendHead(chain, {base: parseBaseChain(`type ${plain('chain', type)} hook ${plain('chain', hook)}${device} priority ${plain('chain', prio)}`)});
	}

	if (policy !== undefined) {
		extendHead(chain, {policy: readPolicy(plain('chain', policy))});
	}

	if (comment !== undefined) {
		extendHead(chain, {comment: plainText('chain', comment).slice(1, -1)});
	}
}

function readRule(tables: OpenTables, content: JsonObject): void {
	const {chain, expr, comment} = content;
	const table = findOpenTable(tables, keyOf(content));
	if (!Array.isArray(expr)) {
		throw new JsonShapeError('a rule without expr');
	}

	const statements = expr.map(statement => printStatement(statement as Json));
	const text = [...statements, ...(comment === undefined ? [] : [`comment ${plainText('rule', comment)}`])].join(' ');
	findOpenChain(table, plain('rule', chain)).rules.push(parseNftRule(text, table.family));
}

function keyOf({family, table}: JsonObject): TableKey {
	return {family: readFamily(plain('table', family)), name: plain('table', table)};
}
