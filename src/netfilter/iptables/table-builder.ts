/**
A table while its lines are being read: chains are created, rules added, inserted and deleted as the tools do it. When closed, it is a `Table`.
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

/** `front` are the rules inserted before all others, in reverse order, so that thousands of insertions at position 1 do not each move the others. */
type DraftChain = {readonly name: string; policy: Chain['policy']; rules: DraftRule[]; front: DraftRule[]; isDeclared: boolean};

/** A table that is not closed yet. */
export type TableDraft = {
	readonly name: string;
	readonly line: Line;
	readonly family: AddressFamily;
	readonly chains: Map<string, DraftChain>;
	/** Warnings that are not errors. */
	readonly warnings: string[];
};

/**
Begins a table. Its built-in chains exist from the start, as in the kernel.

@throws {ParseError} if iptables knows no such table.
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
Handles a line `:CHAIN POLICY [packets:bytes]`, without the colon.

@throws {ParseError} if it has another form or the chain exists already.
*/
export function declareChain(table: TableDraft, line: Line, text: string): void {
	const [, name, policy, rest] = /^(\S+)\s+(\S+)(?:\s+(.*))?$/.exec(text) ?? [];
	if (name === undefined || policy === undefined) {
		throw problem(line, 'a chain line is :CHAIN POLICY or :CHAIN -');
	}

	if (rest !== undefined && !/^\[\d+:\d+]$/.test(rest)) {
		throw problem(line, `bad counters "${rest}": expected [packets:bytes]`);
	}

	const chain = builtInChains(table.name).includes(name) ? table.chains.get(name) : undefined;
	if (chain === undefined) {
		if (policy !== '-') {
			throw problem(line, `${name} is not a built-in chain of table ${table.name}, so it has no policy; expected "-"`);
		}

		makeChain(table, line, name);
		return;
	}

	if (chain.isDeclared) {
		throw problem(line, `chain ${name} exists already`);
	}

	chain.isDeclared = true;
	chain.policy = policy === '-' ? 'ACCEPT' : readPolicy(table, line, {name, policy});
}

/**
Sets the policy of a built-in chain.

@throws {ParseError} if it is not a built-in chain, or the policy is neither ACCEPT nor DROP.
*/
export function setPolicy(table: TableDraft, line: Line, {name, policy}: {readonly name: string; readonly policy: string}): void {
	findDraftChain(table, line, name).policy = readPolicy(table, line, {name, policy});
}

/**
Creates a user chain.

@throws {ParseError} if its name is invalid or taken.
*/
export function makeChain(table: TableDraft, line: Line, name: string): void {
	if (!/^[^\s!\-:]\S*$/.test(name) || name.length > chainNameLengthMax) {
		throw problem(line, `bad chain name "${name}": expected 1 to ${chainNameLengthMax} characters without blanks`);
	}

	if (table.chains.has(name)) {
		throw problem(line, `chain ${name} exists already`);
	}

	table.chains.set(name, {...draftChain(name, undefined), isDeclared: true});
}

/**
The chain of that name.

@throws {ParseError} if there is none.
*/
export function findDraftChain(table: TableDraft, line: Line, name: string): DraftChain {
	const chain = table.chains.get(name);
	if (chain === undefined) {
		throw problem(line, name === '' ? 'the chain is missing' : `no chain ${name} in table ${table.name}`);
	}

	return chain;
}

/**
Adds the rule of a line at the end, or at a position. A line with a list of addresses becomes several rules, as in iptables.

@throws {ParseError} if the rule is invalid, or if there is no such position.
*/
export function addRule(table: TableDraft, line: Line, {name, text, place}: {readonly name: string; readonly text: string; readonly place: number | undefined}): void {
	const chain = findDraftChain(table, line, name);
	if (line.text.length > lineLengthMax) {
		throw problem(line, `longer than ${lineLengthMax} characters, so iptables-restore would truncate it`);
	}

	const texts = atLine(line, () => expandLists(text));
	if (texts.length > 1) {
		table.warnings.push(`line ${line.number}: the list of addresses stands for ${texts.length} rules`);
	}

	for (const single of texts) {
		const {rule, hasOldNegation} = atLine(line, () => readRule(single, table.family));
		if (hasOldNegation) {
			table.warnings.push(`line ${line.number}: "!" after its option is an old spelling that current iptables rejects; it is read as ${rule.text}`);
		}

		placeRule(chain, line, {rule: {...rule, line}, place});
	}
}

/** The rules of a chain in order, to be changed in place. */
export function rulesOfDraft(chain: DraftChain): DraftRule[] {
	if (chain.front.length > 0) {
		chain.rules = [...chain.front.toReversed(), ...chain.rules];
		chain.front = [];
	}

	return chain.rules;
}

/**
Ends a table. Jumps are checked only now, because only now all chains are known.

@throws {ParseError} for a jump to a missing chain, to a built-in chain, or to a chain with options.
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
Handles the words of a line, and adds the line to errors.

@throws {ParseError} in place of a RuleSyntaxError.
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
		throw problem(line, `${name} is not a built-in chain of table ${table.name}, so it has no policy`);
	}

	if (policy !== 'ACCEPT' && policy !== 'DROP') {
		throw problem(line, `bad policy "${policy}": expected ACCEPT or DROP`);
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
		throw problem(line, `no position ${place} in chain ${chain.name}, which has ${count} rules`);
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
