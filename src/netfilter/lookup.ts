/**
Looks up parts of a rule set by place: family, table, chain and number.
*/

import {baseChainOf, tableFamily} from './built-in.js';
import type {
	AddressFamily, Chain, Family, Rule, RuleLanguage, RuleSet, Table,
} from './types.js';

export {baseChainOf, builtInChains, tableFamily} from './built-in.js';

/** The place of a rule. `number` counts from 1, as in `iptables -L --line-numbers`. */
export type RulePlace = {readonly family: Family; readonly table: string; readonly chain: string; readonly number: number};

/** A rule with its family, table and chain. */
export type PlacedRule = {readonly family: Family; readonly table: string; readonly chain: Chain; readonly rule: Rule};

/** The table of that family and name. */
export function findTable(ruleSet: RuleSet, {family, table}: Pick<RulePlace, 'family' | 'table'>): Table | undefined {
	return ruleSet.tables.find(candidate => candidate.family === family && candidate.name === table);
}

/** The chain of that name. */
export function findChain(ruleSet: RuleSet, {family, table, chain}: Omit<RulePlace, 'number'>): Chain | undefined {
	return chainOf(findTable(ruleSet, {family, table}), chain);
}

/** Above this many chains, an index is built. */
const searchedMax = 16;
const chainIndices = new WeakMap<readonly Chain[], ReadonlyMap<string, Chain>>();

/** The chain of a table by its name; the first, if several have it. The table of a node can have thousands of chains, which are looked up again and again. */
export function chainOf(table: Table | undefined, name: string): Chain | undefined {
	if (table === undefined || table.chains.length <= searchedMax) {
		return table?.chains.find(chain => chain.name === name);
	}

	let index = chainIndices.get(table.chains);
	if (index === undefined) {
		index = new Map(table.chains.toReversed().map(chain => [chain.name, chain]));
		chainIndices.set(table.chains, index);
	}

	return index.get(name);
}

/** The rule of a chain with that number. Its index follows from the number unless rules have been left out. */
export function ruleNumbered({rules}: Chain, number: number): Rule | undefined {
	const there = rules[number - 1];
	return there?.number === number ? there : rules.find(rule => rule.number === number);
}

/** The rule at that place, or undefined. */
export function findRule(ruleSet: RuleSet, {family, table, chain, number}: RulePlace): Rule | undefined {
	const found = findChain(ruleSet, {family, table, chain});
	return found === undefined ? undefined : ruleNumbered(found, number);
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

/** The tables that packets of a family meet: those of the family, and native `inet` tables. */
export function tablesOf({tables}: RuleSet, family: AddressFamily): readonly Table[] {
	return tables.filter(table => table.family === tableFamily(family) || table.family === 'inet');
}

/** The tables of some families, and native `inet` tables. */
export function restrictToFamilies({tables}: RuleSet, families: readonly AddressFamily[]): RuleSet {
	return {tables: tables.filter(({family}) => family === 'inet' || families.some(wanted => tableFamily(wanted) === family))};
}

/** The names of the tables with at least one rule for packets of a family: only these can appear in a path. */
export function tablesWithRules(ruleSet: RuleSet, family: AddressFamily): readonly string[] {
	return tablesOf(ruleSet, family).filter(({chains}) => chains.some(({rules}) => rules.length > 0)).map(({name}) => name);
}

/** The language in which the rules of a table are written. Tables of iptables keep iptables syntax, whichever back end has them; only native nft ones can be for both families, have sets, or have chains that declare their hook. */
export function languageOfTable({family, objects, chains}: Table): RuleLanguage {
	return family === 'inet' || objects !== undefined || chains.some(({base}) => base !== undefined) ? 'nft' : 'iptables';
}

/** Whether a table is a native nft table. For what only nft has; where something is chosen by language, a record of all languages with {@link languageOfTable} makes the compiler ask for a new one. */
export function isNativeTable(table: Table): boolean {
	return languageOfTable(table) === 'nft';
}

/** The language of a rule set; that of native nft if it has tables of both. */
export function languageOfRules({tables}: RuleSet): RuleLanguage {
	return tables.some(table => isNativeTable(table)) ? 'nft' : 'iptables';
}

/** Whether a table sees only the first packets of connections: all its base chains are of type nat. */
export function isNatTable(table: Table): boolean {
	const bases = table.chains.flatMap(chain => baseChainOf(table, chain) ?? []);
	return bases.length > 0 && bases.every(({type}) => type === 'nat');
}
