/**
Questions to a rule set by place: family, table, chain and number.
*/

import {baseChainOf, tableFamily} from './built-in.js';
import type {
	AddressFamily, Chain, Family, Rule, RuleSet, Table,
} from './types.js';

export {baseChainOf, builtInChains, tableFamily} from './built-in.js';

/** The place of a rule. `number` counts from 1, as in `iptables -L --line-numbers`. */
export type RulePlace = {readonly family: Family; readonly table: string; readonly chain: string; readonly number: number};

/** A rule with the family, table and chain that it stands in. */
export type PlacedRule = {readonly family: Family; readonly table: string; readonly chain: Chain; readonly rule: Rule};

/** The table of that family and name. */
export function findTable(ruleSet: RuleSet, {family, table}: Pick<RulePlace, 'family' | 'table'>): Table | undefined {
	return ruleSet.tables.find(candidate => candidate.family === family && candidate.name === table);
}

/** The chain of that name. */
export function findChain(ruleSet: RuleSet, {family, table, chain}: Omit<RulePlace, 'number'>): Chain | undefined {
	return findTable(ruleSet, {family, table})?.chains.find(({name}) => name === chain);
}

/** The rule that stands there, or undefined. */
export function findRule(ruleSet: RuleSet, {family, table, chain, number}: RulePlace): Rule | undefined {
	return findChain(ruleSet, {family, table, chain})?.rules.find(rule => rule.number === number);
}

/** All rules, table by table and chain by chain, in the order of the set. */
export function * rulesOf(ruleSet: RuleSet): Generator<PlacedRule, void> {
	for (const {family, name: table, chains} of ruleSet.tables) {
		for (const chain of chains) {
			for (const rule of chain.rules) {
				yield {
					family, table, chain, rule,
				};
			}
		}
	}
}

/** The tables that packets of a family meet: those of its own, and native ones of both. */
export function tablesOf({tables}: RuleSet, family: AddressFamily): readonly Table[] {
	return tables.filter(table => table.family === tableFamily(family) || table.family === 'inet');
}

/** The tables of some families, and native ones of both. */
export function restrictToFamilies({tables}: RuleSet, families: readonly AddressFamily[]): RuleSet {
	return {tables: tables.filter(({family}) => family === 'inet' || families.some(wanted => tableFamily(wanted) === family))};
}

/** The names of the tables that hold at least one rule for packets of a family: only these can show up in a path. */
export function tablesWithRules(ruleSet: RuleSet, family: AddressFamily): readonly string[] {
	return tablesOf(ruleSet, family).filter(({chains}) => chains.some(({rules}) => rules.length > 0)).map(({name}) => name);
}

/** Whether a table is native nft's. Tables of iptables hold their own words, whichever back end keeps them; only native ones are of both families, hold sets, or have chains that say where they hang. */
export function isNativeTable({family, objects, chains}: Table): boolean {
	return family === 'inet' || objects !== undefined || chains.some(({base}) => base !== undefined);
}

/** Whether a table sees first packets of connections only: every base chain of it is of type nat. */
export function isNatTable(table: Table): boolean {
	const bases = table.chains.flatMap(chain => baseChainOf(table, chain) ?? []);
	return bases.length > 0 && bases.every(({type}) => type === 'nat');
}
