/**
The base chains of a rule set in the order in which packets meet them.
*/

import {inOrderAsked} from '../netfilter/hook-order.js';
import {baseChainOf, languageOfTable, tablesOf} from '../netfilter/lookup.js';
import type {
	AddressFamily, BaseChain, Chain, Hook, RuleLanguage, RuleSet, Table,
} from '../netfilter/types.js';

/** A base chain with its table. */
export type ChainInTable = {readonly table: Table; readonly chain: Chain; readonly base: BaseChain; readonly language: RuleLanguage};

/** The base chains that packets of a family meet, in the kernel's order (`hook-order.ts`). The rule set lists its tables and chains in the order of their creation. */
export function chainsByHook(ruleSet: RuleSet, family: AddressFamily): Readonly<Record<Hook, readonly ChainInTable[]>> {
	const all = inOrderAsked(tablesOf(ruleSet, family)
		.flatMap(table => table.chains.flatMap((chain): readonly ChainInTable[] => {
			const base = baseChainOf(table, chain);
			return base === undefined
				? []
				: [{
					table, chain, base, language: languageOfTable(table),
				}];
		})));
	const at = (hook: Hook): readonly ChainInTable[] => all.filter(({base}) => base.hook === hook);
	return {
		prerouting: at('prerouting'), input: at('input'), forward: at('forward'), output: at('output'), postrouting: at('postrouting'),
	};
}
