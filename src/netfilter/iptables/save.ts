/**
`iptables-save` and `ip6tables-save` text to a rule set and back: `printSave(parseSave(text))` is `text`, for text without comments and counters.
*/

import {builtInChains, tableFamily} from '../built-in.js';
import {
	linesOf, problem, type Line, type ParseError,
} from '../parse-error.js';
import type {
	AddressFamily, Chain, Rule, RuleSet, Table,
} from '../types.js';
import {runCommand} from './command.js';
import {closeTable, openTable} from './table-builder.js';

export {ParseError} from '../parse-error.js';
export {chainNameLengthMax} from './table-builder.js';

/** One table of a dump, its lines not parsed yet. `comments` are those before it, and for the last table also those after it. */
export type SaveBlock = {readonly name: string; readonly line: Line; readonly lines: readonly Line[]; readonly comments: readonly Line[]};

/** Tables with what else is known about them. */
export type ReadTables = {readonly tables: readonly Table[]; readonly lines: Map<Rule, number>; readonly warnings: readonly string[]};

/**
Parses the dump of one family.

@throws {ParseError} with the line, if it is not a dump or contains something that iptables would reject.
*/
export function parseSave(text: string, family: AddressFamily): RuleSet {
	return {tables: readBlocks(splitBlocks(linesOf(text)).map(block => ({...block, family}))).tables};
}

/**
Splits a dump into its tables. `isNoise` recognizes lines outside of tables that are not part of the dump, besides comments.

@throws {ParseError} if a table does not end with COMMIT, if a line is outside of every table, or if there is no table.
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
				throw problem(line, `table ${open.name} has no COMMIT before this`);
			}

			open = {
				name: line.text.slice(1).trim(), line, lines: [], comments,
			};
			comments = [];
		} else if (open === undefined) {
			if (!isNoise(line)) {
				throw /^(?:-[AINPDFX]\b|:|COMMIT$|\[)/.test(line.text) ? cutOff(line) : problem(line, 'not a line of iptables-save');
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
		throw problem(last, `table ${open.name} (line ${open.line.number}) has no COMMIT: the end of the text is missing, possibly with rules`);
	}

	const final = blocks.pop();
	if (final === undefined) {
		throw problem(last, 'it has no table');
	}

	return [...blocks, {...final, comments: [...final.comments, ...comments]}];
}

/**
Parses tables, each of which may occur only once in a family.

@throws {ParseError} with the line.
*/
export function readBlocks(blocks: ReadonlyArray<SaveBlock & {readonly family: AddressFamily}>): ReadTables {
	const tables: Table[] = [];
	const lines = new Map<Rule, number>();
	const warnings: string[] = [];
	for (const block of blocks) {
		const table = openTable(block.name, block);
		if (tables.some(({family, name}) => family === tableFamily(block.family) && name === block.name)) {
			throw problem(block.line, `table ${block.name} occurs twice`);
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

/** The rule on a line of the output of {@link printSave}, counted from 1: tools name a rejected line by its number. Undefined for a line that is not a rule. */
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

/** The error for a line of a table whose beginning is missing. */
export function cutOff(line: Line): ParseError {
	return problem(line, 'the beginning is missing: there is no line *TABLE (*nat, *mangle, *raw or *filter) before this, so the text was cut off or filtered, perhaps by grep. Add that line, or use the whole output');
}

/**
Rejects lines of `iptables -L` among those of a dump.

@throws {ParseError} that says how to get a dump.
*/
export function refuseListing(line: Line): void {
	if (/^Chain \S+ \((?:policy |\d+ references)/.test(line.text) || /^(?:num\s+)?(?:pkts\s+bytes\s+)?target\s+prot\s+opt\b/.test(line.text)) {
		throw problem(line, 'this is output of iptables -L among rules in another form; use iptables-save alone');
	}
}
