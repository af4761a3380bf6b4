/**
Rules as the page lists them, with the parts that can be changed and the effect of the last change.
*/

import {purposeOf} from '../mesh/roles.js';
import type {MeshRules} from '../mesh/mesh.js';
import {baseChainOf, tablesOf} from '../netfilter/lookup.js';
import type {
	AddressFamily, Chain, RuleSet, Table,
} from '../netfilter/types.js';
import type {ShownChain, ShownRule} from './protocol.js';
import {valuesOf} from './rule-values.js';
import {counterpartOf} from './counterparts.js';

/** How many rules are listed; if there are more, the first ones. */
export const shownRulesMax = 400;

/** The rules of both families as they were asked for, and those before the last change. */
type Others = {readonly asked: RuleSet; readonly before: RuleSet | undefined};

/** The chains that packets of a family can meet, base chains first. Empty chains of tables without any rule are left out. */
export function shownChains(rules: MeshRules, family: AddressFamily, {asked, before}: Others): readonly ShownChain[] {
	let left = shownRulesMax;
	return tablesOf(rules, family).flatMap(table => {
		const hasRules = table.chains.some(chain => chain.rules.length > 0);
		const chains = table.chains.filter(chain => hasRules && (chain.rules.length > 0 || baseChainOf(table, chain) === undefined));
		return chains.map((chain): ShownChain => {
			const shown = chain.rules.slice(0, Math.max(0, left));
			left -= shown.length;
			return {
				family: table.family,
				table: table.name,
				name: chain.name,
				policy: baseChainOf(table, chain) === undefined ? null : chain.policy ?? 'ACCEPT',
				gone: goneFrom(table, chain, before),
				rules: shown.map(rule => shownRule(rule, {
					table, chain, rules, asked, before,
				})),
			};
		});
	});
}

function shownRule(rule: Chain['rules'][number], {table, chain, rules: {mesh}, asked, before}: Others & {readonly table: Table; readonly chain: Chain; readonly rules: MeshRules}): ShownRule {
	const role = mesh.roleOf(rule, table.name, chain);
	const known = role === undefined ? undefined : mesh.roles[role];
	return {
		number: rule.number,
		text: rule.text,
		purpose: known === undefined ? null : purposeOf(known, rule),
		values: valuesOf(rule),
		isNew: before !== undefined && isNew(rule, chain, textsIn(before, table, chain)),
		hasCounterpart: counterpartOf(asked, {
			family: table.family, table: table.name, chain: chain.name, number: rule.number,
		}) !== undefined,
	};
}

/** A rule is new if its chain has its text more often than before, counted from the top. */
function isNew(rule: Chain['rules'][number], {rules}: Chain, before: readonly string[]): boolean {
	const same = rules.filter(({text}) => text === rule.text);
	return same.indexOf(rule) >= before.filter(text => text === rule.text).length;
}

/** The rules that the last change removed. */
function goneFrom(table: Table, chain: Chain, before: RuleSet | undefined): readonly string[] {
	const left = chain.rules.map(({text}) => text);
	return (before === undefined ? [] : textsIn(before, table, chain)).filter(text => {
		const at = left.indexOf(text);
		if (at !== -1) {
			left.splice(at, 1);
		}

		return at === -1;
	});
}

function textsIn({tables}: RuleSet, {family, name}: Table, chain: Chain): readonly string[] {
	return tables.find(table => table.family === family && table.name === name)?.chains.find(each => each.name === chain.name)?.rules.map(({text}) => text) ?? [];
}
