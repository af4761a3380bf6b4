/**
Additional rules for a set, written as iptables commands.
*/

import type {Text} from '../../parsing/document.js';
import {tableFamily} from '../../netfilter/built-in.js';
import {parseRuleText} from '../../netfilter/iptables/rule.js';
import type {AddressFamily, Rule, RuleSet} from '../../netfilter/types.js';
import {inputError} from './read.js';

/** `-t nat -I OUTPUT 1 -m owner --uid-owner 0 -j RETURN`, parsed. */
type Insertion = {readonly table: string; readonly chain: string; readonly number: number | undefined; readonly rule: string};

const shape = /^(?:-t\s+(?<table>\w+)\s+)?(?:-I\s+(?<into>[\w-]+)(?:\s+(?<number>\d+))?|-A\s+(?<onto>[\w-]+))\s+(?<rule>\S.*)$/u;

function readInsertion({value, at}: Text): Insertion {
	const {table = 'filter', into, number, onto, rule} = shape.exec(value)?.groups ?? {};
	const chain = into ?? onto;
	if (chain === undefined || rule === undefined) {
		throw inputError(at, `"${value}" does not insert a rule; write -t nat -I OUTPUT 1 …, or -A`);
	}

	return {
		table, chain, number: onto === undefined ? Number(number ?? 1) : undefined, rule,
	};
}

/**
The set with the rules inserted, in the given families.

@throws {InputError} for an invalid rule, and for a chain that the set does not have.
*/
export function insertRules(ruleSet: RuleSet, insertions: readonly Text[], families: readonly AddressFamily[]): RuleSet {
	let set = ruleSet;
	for (const text of insertions) {
		for (const family of families) {
			set = insertRule(set, text, family);
		}
	}

	return set;
}

function insertRule(ruleSet: RuleSet, text: Text, family: AddressFamily): RuleSet {
	const {table: tableName, chain: chainName, number, rule} = readInsertion(text);
	let made: Rule;
	try {
		made = {...parseRuleText(rule, family), chain: chainName, number: 0};
	} catch (error) {
		throw inputError(text.at, (error as Error).message);
	}

	let isFound = false;
	const tables = ruleSet.tables.map(table => table.family !== tableFamily(family) || table.name !== tableName
		? table
		: {
			...table,
			chains: table.chains.map(chain => {
				if (chain.name !== chainName) {
					return chain;
				}

				isFound = true;
				const at = Math.min((number ?? chain.rules.length + 1) - 1, chain.rules.length);
				return {...chain, rules: chain.rules.toSpliced(at, 0, made).map((one, index) => ({...one, number: index + 1}))};
			}),
		});
	if (!isFound) {
		throw inputError(text.at, `the rules have no chain ${chainName} in table ${tableName} of ${family}`);
	}

	return {tables};
}
