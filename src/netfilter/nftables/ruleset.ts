/**
The text of native nft tables to a rule set and back: `printNft(parseNft(text))` is `text`, for what `nft -s list ruleset` 1.0.6 prints.
*/

import type {
	Chain, RuleSet, Table, TableObject,
} from '../types.js';
import {printBaseChain} from './base-chain.js';
import {
	addChain, addObject, addTable, closeTables, isFamily, readFamily, type OpenChain, type OpenTable, type OpenTables,
} from './table-builder.js';
import {
	atLine, nextPiece, problem, rawBlock, readPieces, type Piece, type PieceReader,
} from './blocks.js';
import {checkNftRuleSet} from './safety.js';
import {objectKinds, readChainPiece, runCommand} from './script.js';
import {splitNftWords} from './words.js';

/** How to print. With `counters` every counter says that it counted nothing, as `nft list ruleset` does after loading; without, as `nft -s` does. */
export type PrintOptions = {readonly counters?: boolean};

/**
Reads what `nft list ruleset` prints (any version from 0.9 on, any of its options), or a script for `nft -f` made of blocks and of `add`, `insert`, `create`, `flush` and `delete` commands.
Throws `ParseError` with the line and the reason: for tables of families that sockets' packets do not meet, for tables that iptables-nft wrote, for commands and heads that are not understood.
*/
export function parseNft(text: string): RuleSet {
	const tables: OpenTables = new Map();
	const reader = readPieces(text);
	for (let piece = nextPiece(reader, isTableHead); piece !== undefined; piece = nextPiece(reader, isTableHead)) {
		readRootPiece(reader, tables, piece);
	}

	return closeTables(tables);
}

/** Prints all tables in the order of the set. Throws `RuleSyntaxError` for a set with anything in it that nft would not read as a rule: such text never reaches nft. */
export function printNft(ruleSet: RuleSet, {counters = false}: PrintOptions = {}): string {
	checkNftRuleSet(ruleSet);
	const {tables} = ruleSet;
	return tables.map(table => printTable(table, counters)).join('');
}

/** The kinds of `Table.objects` that are properties of the table itself and stand on a line of their own. */
const propertyKinds: ReadonlySet<string> = new Set(['flags', 'comment']);

function printTable({family, name, chains, objects = []}: Table, counters: boolean): string {
	const properties = objects.filter(({kind}) => propertyKinds.has(kind)).map(({text}) => `\t${text}\n`).join('');
	const blocks = [
		...(properties === '' ? [] : [properties]),
		...objects.filter(({kind}) => !propertyKinds.has(kind)).map(object => printObject(object, counters)),
		...chains.map(chain => printChain(chain, counters)),
	];
	return `table ${family} ${name} {\n${blocks.join('\n')}}\n`;
}

function printObject({kind, text}: TableObject, counters: boolean): string {
	return `\t${kind === 'counter' && counters ? text.replace(/\{\n/u, '{\n\t\tpackets 0 bytes 0\n') : text}\n`;
}

function printChain({name, policy, base, comment, rules}: Chain, counters: boolean): string {
	const lines = [
		...(comment === undefined ? [] : [`comment "${comment}"`]),
		...(base === undefined ? [] : [`${printBaseChain(base)} policy ${policy === 'DROP' ? 'drop' : 'accept'};`]),
		...rules.map(({text}) => counters ? withCounts(text) : text),
	];
	return `\tchain ${name} {\n${lines.map(line => `\t\t${line}\n`).join('')}\t}\n`;
}

/** A named counter counts elsewhere. */
function withCounts(text: string): string {
	return text.includes('counter')
		? splitNftWords(text).map((word, index, words) => word === 'counter' && words[index + 1] !== 'name' ? 'counter packets 0 bytes 0' : word).join(' ')
		: text;
}

function isTableHead(text: string): boolean {
	return /^(?:(?:add|create)\s+)?table\s/u.test(text);
}

function always(): boolean {
	return true;
}

function never(): boolean {
	return false;
}

function readRootPiece(reader: PieceReader, tables: OpenTables, {text, line, opens, closes}: Piece): void {
	if (closes) {
		throw problem(reader, line, '"}" without its beginning');
	}

	if (!opens) {
		atLine(reader, line, () => {
			runCommand(tables, /^table\s/u.test(text) ? `add ${text}` : text);
		});
		return;
	}

	const table = atLine(reader, line, () => openTable(tables, text.replace(/^(?:add|create)\s+/u, '')));
	for (let piece = nextPiece(reader, always); piece?.closes !== true; piece = nextPiece(reader, always)) {
		if (piece === undefined) {
			throw problem(reader, line, `table ${table.name} without its end`);
		}

		readTablePiece(reader, table, piece);
	}
}

function openTable(tables: OpenTables, text: string): OpenTable {
	const [, first = '', second] = text.split(/\s+/u);
	return second === undefined && !isFamily(first) ? addTable(tables, {family: 'ip', name: first}) : addTable(tables, {family: readFamily(first), name: second ?? ''});
}

function readTablePiece(reader: PieceReader, table: OpenTable, {text, line, opens}: Piece): void {
	if (!opens) {
		const kind = text.split(/\s+/u)[0] ?? '';
		if (!propertyKinds.has(kind)) {
			throw problem(reader, line, `"${text}" is not understood in a table`);
		}

		atLine(reader, line, () => {
			addObject(table, {kind, name: '', text});
		});
		return;
	}

	const [, name] = /^chain\s+(?<name>\S+)$/u.exec(text) ?? [];
	if (name === undefined) {
		const object = readObject(reader, {text, line});
		atLine(reader, line, () => {
			addObject(table, object);
		});
		return;
	}

	readChain(reader, {chain: atLine(reader, line, () => addChain(table, name)), table, line});
}

function readObject(reader: PieceReader, {text, line}: Pick<Piece, 'text' | 'line'>): TableObject {
	const kind = objectKinds.find(candidate => text.startsWith(`${candidate} `));
	if (kind === undefined) {
		throw problem(reader, line, `"${text}" is not understood in a table; known are chain, ${objectKinds.join(', ')}`);
	}

	const name = text.slice(kind.length).trim();
	const block = rawBlock(reader, line).replaceAll(/[ \t]+(?=\n)/gu, '').replaceAll(/counter packets \d+ bytes \d+/gu, 'counter');
	return {kind, name, text: `${kind} ${name} {${kind === 'counter' ? block.replace(/\s*packets \d+ bytes \d+/u, '') : block}}`};
}

function readChain(reader: PieceReader, {chain, table, line}: {readonly chain: OpenChain; readonly table: OpenTable; readonly line: number}): void {
	for (let piece = nextPiece(reader, never); piece?.closes !== true; piece = nextPiece(reader, never)) {
		if (piece === undefined) {
			throw problem(reader, line, `chain ${chain.name} without its end`);
		}

		const {text, line: ruleLine} = piece;
		const rule = atLine(reader, ruleLine, () => readChainPiece(chain, text, table.family));
		if (rule !== undefined) {
			chain.rules.push(rule);
		}
	}
}
