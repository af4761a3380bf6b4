/**
A table while its lines are read: chains are made, rules added, inserted and deleted as the tools do it; closed, it is a `Table`.
*/

import {builtInChains, tableFamily, tableNames} from '../built-in.js';
import {problem, type Line} from '../parse-error.js';
import type {
	AddressFamily, Chain, Rule, Table, Target,
} from '../types.js';
import {RuleSyntaxError} from '../words.js';
import {readRule, type ParsedRule} from './rule.js';
import {expandLists} from './address-lists.js';

/** Longest chain name: XT_EXTENSION_MAXNAMELEN - 1 (linux/netfilter/x_tables.h; iptables 1.8.9 refuses 29, measured). */
export const chainNameLengthMax = 28;

/** Longest line that iptables-restore reads: 10,240 bytes with the line feed and the NUL (1.8.9, measured). */
export const lineLengthMax = 10_238;

type DraftRule = ParsedRule & {readonly line: Line};

/** `front` are the rules inserted in front of all others, the last one first of them: thousands of insertions at place 1 must not move each other. */
type DraftChain = {readonly name: string; policy: Chain['policy']; rules: DraftRule[]; front: DraftRule[]; isDeclared: boolean};

/** A table that is not closed yet. */
export type TableDraft = {
	readonly name: string;
	readonly line: Line;
	readonly family: AddressFamily;
	readonly chains: Map<string, DraftChain>;
	/** What the user should know although it is no error. */
	readonly warnings: string[];
};

/**
Begins a table. Its built-in chains are there from the start, as in the kernel.

@throws {ParseError} when iptables knows no such table.
*/
export function openTable(name: string, {line, family}: {readonly line: Line; readonly family: AddressFamily}): TableDraft {
	if (!tableNames.includes(name)) {
		throw problem(line, `unknown table "${name}"; known are ${tableNames.join(', ')}`);
	}

	const chains = new Map(builtInChains(name).map(chain => [chain, draftChain(chain, 'ACCEPT')]));
	return {
		name, line, family, chains, warnings: [],
	};
}

/**
A line `:CHAIN POLICY [packets:bytes]`, without the colon.

@throws {ParseError} when it has another form or the chain is there.
*/
export function declareChain(table: TableDraft, line: Line, text: string): void {
	const [, name, policy, rest] = /^(\S+)\s+(\S+)(?:\s+(.*))?$/.exec(text) ?? [];
	if (name === undefined || policy === undefined) {
		throw problem(line, 'a chain line is :CHAIN POLICY or :CHAIN -');
	}

	if (rest !== undefined && !/^\[\d+:\d+]$/.test(rest)) {
		throw problem(line, `bad counters "${rest}": [packets:bytes] is due`);
	}

	const chain = builtInChains(table.name).includes(name) ? table.chains.get(name) : undefined;
	if (chain === undefined) {
		if (policy !== '-') {
			throw problem(line, `${name} is no built-in chain of table ${table.name}, so it has no policy; "-" is due`);
		}

		makeChain(table, line, name);
		return;
	}

	if (chain.isDeclared) {
		throw problem(line, `chain ${name} is there already`);
	}

	chain.isDeclared = true;
	chain.policy = policy === '-' ? 'ACCEPT' : readPolicy(table, line, {name, policy});
}

/**
Sets the policy of a built-in chain.

@throws {ParseError} when it is none, or the policy is neither ACCEPT nor DROP.
*/
export function setPolicy(table: TableDraft, line: Line, {name, policy}: {readonly name: string; readonly policy: string}): void {
	findDraftChain(table, line, name).policy = readPolicy(table, line, {name, policy});
}

/**
Makes a user chain.

@throws {ParseError} when its name is no chain's name or taken.
*/
export function makeChain(table: TableDraft, line: Line, name: string): void {
	if (!/^[^\s!\-:]\S*$/.test(name) || name.length > chainNameLengthMax) {
		throw problem(line, `bad chain name "${name}": 1 to ${chainNameLengthMax} characters without blanks are due`);
	}

	if (table.chains.has(name)) {
		throw problem(line, `chain ${name} is there already`);
	}

	table.chains.set(name, {...draftChain(name, undefined), isDeclared: true});
}

/**
The chain of that name.

@throws {ParseError} when there is none.
*/
export function findDraftChain(table: TableDraft, line: Line, name: string): DraftChain {
	const chain = table.chains.get(name);
	if (chain === undefined) {
		throw problem(line, name === '' ? 'the chain is missing' : `no chain ${name} in table ${table.name}`);
	}

	return chain;
}

/**
Adds the rule of a line: behind all others, or at a place. One line with a list of addresses is several rules, as iptables makes of it.

@throws {ParseError} when the rule is none, or there is no such place.
*/
export function addRule(table: TableDraft, line: Line, {name, text, place}: {readonly name: string; readonly text: string; readonly place: number | undefined}): void {
	const chain = findDraftChain(table, line, name);
	if (line.text.length > lineLengthMax) {
		throw problem(line, `longer than ${lineLengthMax} characters, so iptables-restore would cut it`);
	}

	const texts = atLine(line, () => expandLists(text));
	if (texts.length > 1) {
		table.warnings.push(`line ${line.number}: the list of addresses stands for ${texts.length} rules`);
	}

	for (const single of texts) {
		const {rule, hasOldNegation} = atLine(line, () => readRule(single, table.family));
		if (hasOldNegation) {
			table.warnings.push(`line ${line.number}: a "!" behind its option is a spelling that no iptables of today reads; it is taken as ${rule.text}`);
		}

		placeRule(chain, line, {rule: {...rule, line}, place});
	}
}

/** The rules of a chain in order, ready to be changed in place. */
export function rulesOfDraft(chain: DraftChain): DraftRule[] {
	if (chain.front.length > 0) {
		chain.rules = [...chain.front.toReversed(), ...chain.rules];
		chain.front = [];
	}

	return chain.rules;
}

/**
Ends a table: only now all its chains are known, so jumps are checked last.

@throws {ParseError} for a jump to nowhere, to a built-in chain, or to a chain with options.
*/
export function closeTable(table: TableDraft, lines: Map<Rule, number>): Table {
	const chains = [...table.chains.values()].map((draft): Chain => ({
		name: draft.name,
		policy: draft.policy,
		rules: rulesOfDraft(draft).map(({line, matches, target, text}, index): Rule => {
			checkTarget(table, line, target);
			const rule: Rule = {
				chain: draft.name, number: index + 1, matches, target, text,
			};
			lines.set(rule, line.number);
			return rule;
		}),
	}));
	return {family: tableFamily(table.family), name: table.name, chains};
}

/**
Does something with the words of a line, so that its error names the line.

@throws {ParseError} in the place of a RuleSyntaxError.
*/
export function atLine<Result>(line: Line, act: () => Result): Result {
	try {
		return act();
	} catch (error) {
		throw error instanceof RuleSyntaxError ? problem(line, error.message) : error;
	}
}

function draftChain(name: string, policy: Chain['policy']): DraftChain {
	return {
		name, policy, rules: [], front: [], isDeclared: false,
	};
}

function readPolicy(table: TableDraft, line: Line, {name, policy}: {readonly name: string; readonly policy: string}): 'ACCEPT' | 'DROP' {
	if (!builtInChains(table.name).includes(name)) {
		throw problem(line, `${name} is no built-in chain of table ${table.name}, so it has no policy`);
	}

	if (policy !== 'ACCEPT' && policy !== 'DROP') {
		throw problem(line, `bad policy "${policy}": ACCEPT or DROP is due`);
	}

	return policy;
}

function placeRule(chain: DraftChain, line: Line, {rule, place}: {readonly rule: DraftRule; readonly place: number | undefined}): void {
	if (place === undefined) {
		chain.rules.push(rule);
		return;
	}

	const count = chain.front.length + chain.rules.length;
	if (place < 1 || place > count + 1) {
		throw problem(line, `no place ${place} in chain ${chain.name}, which has ${count} rules`);
	}

	if (place === 1) {
		chain.front.push(rule);
	} else {
		rulesOfDraft(chain).splice(place - 1, 0, rule);
	}
}

function checkTarget(table: TableDraft, line: Line, target: Target): void {
	if (target.kind === 'extension' && table.chains.has(target.name)) {
		throw problem(line, `chain ${target.name} takes no options`);
	}

	if (target.kind !== 'jump' && target.kind !== 'goto') {
		return;
	}

	if (!table.chains.has(target.chain)) {
		throw problem(line, `a jump to ${target.chain}, which is neither a chain of table ${table.name} nor a known target`);
	}

	if (builtInChains(table.name).includes(target.chain)) {
		throw problem(line, `a jump to the built-in chain ${target.chain}`);
	}
}
