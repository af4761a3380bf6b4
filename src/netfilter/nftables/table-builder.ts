/**
Native nft tables while they are being read: the effects of nft's commands, and the resulting rule set.
*/

import type {ParsedRule} from '../iptables/rule.js';
import type {
	Chain, Family, RuleSet, Table, TableObject,
} from '../types.js';
import {RuleSyntaxError} from '../words.js';
import {checkNftName, checkNftObject, checkNftString} from './safety.js';
import type {ChainHead} from './base-chain.js';

/** A chain to which rules can still be added. */
export type OpenChain = {readonly name: string; head: ChainHead; readonly rules: ParsedRule[]};

/** A table to which chains can still be added. */
export type OpenTable = {readonly family: Family; readonly name: string; readonly objects: TableObject[]; readonly chains: Map<string, OpenChain>};

/** All tables by family and name. */
export type OpenTables = Map<string, OpenTable>;

/** Identifies a table. */
export type TableKey = Pick<Table, 'family' | 'name'>;

const plainHead: ChainHead = {policy: undefined};
const families: readonly Family[] = ['ip', 'ip6', 'inet'];
const allFamilies: ReadonlySet<string> = new Set([...families, 'arp', 'bridge', 'netdev']);

/** Whether a word is the name of an nft family, supported here or not. */
export function isFamily(word: string): boolean {
	return allFamilies.has(word);
}

/** A family whose tables packets of sockets meet. Throws `RuleSyntaxError` for the others. */
export function readFamily(word: string): Family {
	const family = families.find(candidate => candidate === word);
	if (family === undefined) {
		throw new RuleSyntaxError(`a table of family ${word}, which packets of sockets do not meet; only ip, ip6 and inet are understood`);
	}

	return family;
}

/** The table, created if it does not exist: nft adds to what exists. */
export function addTable(tables: OpenTables, {family, name}: TableKey): OpenTable {
	checkNftName(name, 'table');
	const key = `${family} ${name}`;
	const table = tables.get(key) ?? {
		family, name, objects: [], chains: new Map(),
	};
	tables.set(key, table);
	return table;
}

/** The chain, created if it does not exist. */
export function addChain(table: OpenTable, name: string): OpenChain {
	checkNftName(name, 'chain');
	const chain = table.chains.get(name) ?? {name, head: plainHead, rules: []};
	table.chains.set(name, chain);
	return chain;
}

/** Adds a set, a map, another object, or one of the table's own lines. Throws `RuleSyntaxError` if it is not one block of its kind. */
export function addObject(table: OpenTable, object: TableObject): void {
	checkNftObject(object);
	table.objects.push(object);
}

/** Adds to the declarations before a chain's rules. A base chain without a policy accepts. Throws `RuleSyntaxError` for a policy of any other chain, and for a comment that nft cannot write. */
export function extendHead(chain: OpenChain, head: Partial<ChainHead>): void {
	if (head.comment !== undefined) {
		checkNftString(head.comment, 'a comment');
	}

	const joined = {...chain.head, ...head};
	if (joined.base === undefined && joined.policy !== undefined) {
		throw new RuleSyntaxError(`chain ${chain.name} has a policy but no type and hook`);
	}

	chain.head = joined.base === undefined ? joined : {...joined, policy: joined.policy ?? 'ACCEPT'};
}

/** Parses a policy. Throws `RuleSyntaxError` for anything but `accept` and `drop`. */
export function readPolicy(word: string): 'ACCEPT' | 'DROP' {
	if (word !== 'accept' && word !== 'drop') {
		throw new RuleSyntaxError(`bad policy "${word}": expected accept or drop`);
	}

	return word === 'accept' ? 'ACCEPT' : 'DROP';
}

/** The table, which has to exist. Throws `RuleSyntaxError` otherwise. */
export function findOpenTable(tables: OpenTables, {family, name}: TableKey): OpenTable {
	const table = tables.get(`${family} ${name}`);
	if (table === undefined) {
		throw new RuleSyntaxError(name === '' ? 'the table is missing' : `no table ${family} ${name}`);
	}

	return table;
}

/** The chain, which has to exist. Throws `RuleSyntaxError` otherwise. */
export function findOpenChain(table: OpenTable, name: string): OpenChain {
	const chain = table.chains.get(name);
	if (chain === undefined) {
		throw new RuleSyntaxError(name === '' ? 'the chain is missing' : `no chain ${name} in table ${table.family} ${table.name}`);
	}

	return chain;
}

/** The rule set of all tables, in the order of their creation. A table that would otherwise look like one of iptables (`isNativeTable`) gets a list of objects, even if it is empty. */
export function closeTables(tables: OpenTables): RuleSet {
	return {
		tables: [...tables.values()].map(({family, name, objects, chains}): Table => ({
			family,
			name,
			chains: [...chains.values()].map(chain => closeChain(chain)),
			...((objects.length > 0 || (family !== 'inet' && [...chains.values()].every(({head}) => head.base === undefined))) && {objects}),
		})),
	};
}

function closeChain({name, head, rules}: OpenChain): Chain {
	return {
		name,
		...head,
		rules: rules.map((rule, index) => ({chain: name, number: index + 1, ...rule})),
	};
}
