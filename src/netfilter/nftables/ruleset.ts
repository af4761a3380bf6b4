/**
The text of native nft tables to a rule set and back: `printNft(parseNft(text))` is `text`, for what `nft -s list ruleset` 1.0.6 prints.
*/

import type {ParseError} from '../parse-error.js';
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
import {
	hiddenPartOf, objectKinds, readChainPiece, runCommand,
} from './script.js';
import {splitNftWords} from './words.js';

/** Print options. With `counters`, every counter shows zeros, as `nft list ruleset` does after loading; without, as `nft -s` does. */
export type PrintOptions = {readonly counters?: boolean};

/**
Parses the output of `nft list ruleset` (any version since 0.9, with any of its options), or a script for `nft -f` of blocks and `add`, `insert`, `create`, `flush` and `delete` commands.
Throws `ParseError` with the line and the reason: for tables of families that packets of sockets never meet, for rules of iptables-nft of which nft hides a part, and for commands and declarations that are not understood.
*/
export function parseNft(text: string): RuleSet {
	const hidden: HiddenRule[] = [];
	const ruleSet = readTables(readPieces(text), {hidden, targetless: []});
	if (hidden[0] !== undefined) {
		throw hidden[0].error;
	}

	return ruleSet;
}

/** A rule that nft does not show completely: its table (`ip nat`), its chain, its number among the rules shown, the hidden part, and its text. */
export type HiddenRule = {readonly table: string; readonly chain: string; readonly number: number; readonly part: string; readonly text: string; readonly error: ParseError};

/** The readable part of a listing, and what is missing: see {@link parseNftInPart}. */
export type PartOfListing = {
	readonly ruleSet: RuleSet;
	readonly hidden: readonly HiddenRule[];
	/** Rules without a target, as {@link HiddenRule}: in a table that iptables-nft wrote, nft may have printed none. */
	readonly targetless: readonly HiddenRule[];
	readonly unmet: ReadonlyArray<{readonly table: string; readonly line: number}>;
	readonly managed: ReadonlySet<string>;
};

/**
The same, but rules of which nft hides a part are left out and listed, and so are tables of the families `arp` and `bridge` (`unmet`), which packets of sockets never meet. `managed` are the tables that iptables-nft wrote according to nft (`ip nat`).

@throws {ParseError} as {@link parseNft}.
*/
export function parseNftInPart(text: string): PartOfListing {
	const reader = readPieces(text);
	const doubtful: Doubtful = {hidden: [], targetless: []};
	const unmet: Array<{readonly table: string; readonly line: number}> = [];
	return {
		ruleSet: readTables(reader, doubtful, unmet), ...doubtful, unmet, managed: reader.managed,
	};
}

/** Rules that are not shown completely, or perhaps not. */
type Doubtful = {readonly hidden: HiddenRule[]; readonly targetless: HiddenRule[]};

function readTables(reader: PieceReader, doubtful: Doubtful, unmet?: Array<{readonly table: string; readonly line: number}>): RuleSet {
	const tables: OpenTables = new Map();
	for (let piece = nextPiece(reader, isTableHead); piece !== undefined; piece = nextPiece(reader, isTableHead)) {
		const table = piece.opens && unmet !== undefined ? /^table (?<table>(?:arp|bridge) \S+)$/u.exec(piece.text)?.groups?.['table'] : undefined;
		if (table === undefined) {
			readRootPiece(reader, {tables, doubtful}, piece);
		} else {
			unmet!.push({table, line: piece.line});
			rawBlock(reader, piece.line);
		}
	}

	return closeTables(tables);
}

/** Prints all tables in the order of the set. Throws `RuleSyntaxError` for a set with anything that nft would not read as a rule, so that such text never reaches nft. */
export function printNft(ruleSet: RuleSet, {counters = false}: PrintOptions = {}): string {
	checkNftRuleSet(ruleSet);
	const {tables} = ruleSet;
	return tables.map(table => printTable(table, counters)).join('');
}

/** The kinds of `Table.objects` that are properties of the table itself and are on a line of their own. */
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

function readRootPiece(reader: PieceReader, {tables, doubtful}: {readonly tables: OpenTables; readonly doubtful: Doubtful}, {text, line, opens, closes}: Piece): void {
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
			throw problem(reader, line, `table ${table.name} without its end: the text is cut off`);
		}

		readTablePiece(reader, {table, doubtful}, piece);
	}
}

function openTable(tables: OpenTables, text: string): OpenTable {
	const [, first = '', second] = text.split(/\s+/u);
	return second === undefined && !isFamily(first) ? addTable(tables, {family: 'ip', name: first}) : addTable(tables, {family: readFamily(first), name: second ?? ''});
}

function readTablePiece(reader: PieceReader, {table, doubtful}: {readonly table: OpenTable; readonly doubtful: Doubtful}, {text, line, opens}: Piece): void {
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

	readChain(reader, {
		chain: atLine(reader, line, () => addChain(table, name)), table, line, doubtful,
	});
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

function readChain(reader: PieceReader, {chain, table, line, doubtful}: {readonly chain: OpenChain; readonly table: OpenTable; readonly line: number; readonly doubtful: Doubtful}): void {
	for (let piece = nextPiece(reader, never); piece?.closes !== true; piece = nextPiece(reader, never)) {
		if (piece === undefined) {
			throw problem(reader, line, `chain ${chain.name} without its end: the text is cut off`);
		}

		const {text, line: ruleLine} = piece;
		const place = {table: `${table.family} ${table.name}`, chain: chain.name, number: chain.rules.length + 1};
		const incomplete = (part: string, what = `does not show the values of ${part}`): HiddenRule => ({
			...place, part, text, error: problem(reader, ruleLine, `rule ${place.number} of chain ${place.chain} in table ${place.table} was written by iptables-nft, and nft ${what}; use iptables-save and ip6tables-save`),
		});
		const part = reader.hidden.get(ruleLine) ?? hiddenPartOf(text);
		if (part !== undefined) {
			doubtful.hidden.push(incomplete(part));
			continue;
		}

		const rule = atLine(reader, ruleLine, () => readChainPiece(chain, text, table.family));
		if (rule !== undefined) {
			chain.rules.push(rule);
			if (rule.target.kind === 'none') {
				doubtful.targetless.push(incomplete('xt target', 'shows no target of it: nft 1.0.6 prints none for REDIRECT in the second family of a listing'));
			}
		}
	}
}
