/**
`iptables-save` and `ip6tables-save` text to a rule set and back: `printSave(parseSave(text))` is `text`, for text without comments and counters.
*/

import {builtInChains, tableFamily} from '../built-in.js';
import {
	linesOf, problem, type Line,
} from '../parse-error.js';
import type {
	AddressFamily, Chain, Rule, RuleSet, Table,
} from '../types.js';
import {runCommand} from './command.js';
import {closeTable, openTable} from './table-builder.js';

export {ParseError} from '../parse-error.js';
export {chainNameLengthMax} from './table-builder.js';

/** One table of a dump, its lines not read yet. `comments` are the ones in front of it, and behind it if it is the last. */
export type SaveBlock = {readonly name: string; readonly line: Line; readonly lines: readonly Line[]; readonly comments: readonly Line[]};

/** Tables with what is known about them beside the rules. */
export type ReadTables = {readonly tables: readonly Table[]; readonly lines: Map<Rule, number>; readonly warnings: readonly string[]};

/**
Reads the dump of one family.

@throws {ParseError} with the line, when it is no dump or holds what iptables would not take.
*/
export function parseSave(text: string, family: AddressFamily): RuleSet {
	return {tables: readBlocks(splitBlocks(linesOf(text)).map(block => ({...block, family}))).tables};
}

/**
Splits a dump into its tables. `isNoise` tells which lines outside of tables are no part of it, beside comments.

@throws {ParseError} when a table is not ended by COMMIT, a line stands outside of every table, or there is none.
*/
export function splitBlocks(lines: readonly Line[], isNoise: (line: Line) => boolean = () => false): readonly SaveBlock[] {
	const blocks: SaveBlock[] = [];
	let open: {readonly name: string; readonly line: Line; readonly lines: Line[]; readonly comments: readonly Line[]} | undefined;
	let comments: Line[] = [];
	let last = lines[0] ?? {number: 1, text: ''};
	for (const line of lines) {
		if (line.text === '' || line.text.startsWith('#')) {
			if (line.text !== '') {
				comments.push(line);
			}

			continue;
		}

		last = line;
		refuseListing(line);
		if (line.text.startsWith('*')) {
			if (open !== undefined) {
				throw problem(line, `table ${open.name} has no COMMIT in front of this`);
			}

			open = {
				name: line.text.slice(1).trim(), line, lines: [], comments,
			};
			comments = [];
		} else if (open === undefined) {
			if (!isNoise(line)) {
				throw problem(line, /^(?:-|:|COMMIT$|\[)/.test(line.text) ? 'outside a table: a line *TABLE is due before it' : 'not a line of iptables-save');
			}

			comments.push(line);
		} else if (line.text === 'COMMIT') {
			blocks.push(open);
			open = undefined;
		} else if (/^[-:[]/.test(line.text)) {
			open.lines.push(line);
		} else {
			throw problem(line, 'not a line of iptables-save');
		}
	}

	if (open !== undefined) {
		throw problem(last, `table ${open.name} has no COMMIT`);
	}

	const final = blocks.pop();
	if (final === undefined) {
		throw problem(last, 'no table in it');
	}

	return [...blocks, {...final, comments: [...final.comments, ...comments]}];
}

/**
Reads tables that are not in each other's way: each name once in a family.

@throws {ParseError} with the line.
*/
export function readBlocks(blocks: ReadonlyArray<SaveBlock & {readonly family: AddressFamily}>): ReadTables {
	const tables: Table[] = [];
	const lines = new Map<Rule, number>();
	const warnings: string[] = [];
	for (const block of blocks) {
		const table = openTable(block.name, block);
		if (tables.some(({family, name}) => family === tableFamily(block.family) && name === block.name)) {
			throw problem(block.line, `table ${block.name} is there already`);
		}

		for (const line of block.lines) {
			runCommand(table, line);
		}

		tables.push(closeTable(table, lines));
		warnings.push(...table.warnings);
	}

	return {tables, lines, warnings};
}

/** Prints the tables of one family, in the order of the set, as `iptables-save` 1.8.9 does without comments and counters. */
export function printSave(ruleSet: RuleSet, family: AddressFamily): string {
	return ruleSet.tables.filter(table => table.family === tableFamily(family)).map(table => printTable(table)).join('');
}

/** The rule that stands on a line of what {@link printSave} prints, counted from 1: a tool that refuses a line names it so. Undefined for a line that is no rule's. */
export function ruleOfLine(ruleSet: RuleSet, {family, line}: {readonly family: AddressFamily; readonly line: number}): Rule | undefined {
	let next = 1;
	for (const table of ruleSet.tables.filter(candidate => candidate.family === tableFamily(family))) {
		const chains = orderedChains(table);
		// The table's own line, and one for each chain.
		next += 1 + chains.length;
		const rules = chains.flatMap(chain => chain.rules);
		if (line < next + rules.length) {
			return rules[line - next];
		}

		// The rules, and COMMIT.
		next += rules.length + 1;
	}

	return undefined;
}

function orderedChains({name, chains}: Table): ReadonlyArray<Pick<Chain, 'name' | 'policy' | 'rules'>> {
	const builtIn = builtInChains(name);
	return [
		...builtIn.map(chain => chains.find(candidate => candidate.name === chain) ?? {name: chain, policy: 'ACCEPT' as const, rules: []}),
		...chains.filter(chain => !builtIn.includes(chain.name)),
	];
}

function printTable(table: Table): string {
	const ordered = orderedChains(table);
	const lines = [
		`*${table.name}`,
		...ordered.map(chain => `:${chain.name} ${chain.policy ?? '-'}`),
		...ordered.flatMap(chain => chain.rules.map(rule => printRule(rule))),
		'COMMIT',
	];
	return `${lines.join('\n')}\n`;
}

/** A rule as a line of a dump. */
export function printRule({chain, text}: Pick<Rule, 'chain' | 'text'>): string {
	return text === '' ? `-A ${chain}` : `-A ${chain} ${text}`;
}

/**
Refuses the output of `iptables -L`.

@throws {ParseError} with the way to a dump.
*/
export function refuseListing(line: Line): void {
	if (/^Chain \S+ \((?:policy |\d+ references)/.test(line.text) || /^(?:num\s+)?(?:pkts\s+bytes\s+)?target\s+prot\s+opt\b/.test(line.text)) {
		throw problem(line, 'this is the output of iptables -L, which hides the interfaces of the rules; take iptables-save instead');
	}
}
