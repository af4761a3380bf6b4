/**
Edits a rule in the words of the language that it is written in.
*/

import {addressFamilyOf} from '../netfilter/built-in.js';
import {languageOfTable} from '../netfilter/lookup.js';
import type {Rule, RuleLanguage, Table} from '../netfilter/types.js';
import {editRule, type RuleEdit} from './edit-iptables-rule.js';
import {editNftRule} from './edit-nft-rule.js';

const editors: Readonly<Record<RuleLanguage, (rule: Rule, edit: RuleEdit, table: Table) => Rule | undefined>> = {
	iptables: (rule, edit, {family}) => editRule(rule, edit, addressFamilyOf(family)),
	nft: (rule, edit, {family}) => editNftRule(rule, edit, family),
};

/** The rule of that table with the edit; undefined if its language cannot express that. */
export function editRuleOf(table: Table, rule: Rule, edit: RuleEdit): Rule | undefined {
	return editors[languageOfTable(table)](rule, edit, table);
}
