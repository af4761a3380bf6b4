/**
Changes of a rule set, one rule at a time. A change is made on the rules as values and expressed in the syntax of their language. A change that cannot be expressed is rejected, and no text is assembled that was not parsed as a single rule.
*/

import type {RuleEdit as ValueEdit} from '../mutation/edit-iptables-rule.js';
import {familyNames} from '../netfilter/address.js';
import {addressFamilyOf} from '../netfilter/built-in.js';
import {normalText} from '../netfilter/iptables/normalize.js';
import {parseRuleText, type ParsedRule} from '../netfilter/iptables/rule.js';
import {checkNftRule} from '../netfilter/nftables/safety.js';
import {parseNftRule} from '../netfilter/nftables/rule.js';
import {findTable, languageOfTable} from '../netfilter/lookup.js';
import {printStep} from '../netfilter/path.js';
import type {
	Chain, Match, Rule, RuleLanguage, RuleSet, Table,
} from '../netfilter/types.js';
import {RuleSyntaxError} from '../netfilter/words.js';
import {editRuleOf} from '../mutation/edit-rule.js';
import type {RuleAt, RuleEdit} from './protocol.js';
import {targetWithPort, valuesOf, withValue} from './rule-values.js';
import {counterpartEdit, counterpartOf} from './counterparts.js';

/** Why a change cannot be made, for the person who asked for it. */
export class EditFault extends Error {
	override readonly name = 'EditFault';
}

type Found = {readonly table: Table; readonly chain: Chain};

/**
The rules with one change, in both address families if the change says so.

@throws {EditFault} if there is no such rule, or if the change cannot be expressed in the rules' language.
*/
export function applyEdit(ruleSet: RuleSet, edit: RuleEdit): RuleSet {
	const changed = applyInFamily(ruleSet, edit);
	if (edit.inBoth !== true) {
		return changed;
	}

	const counterpart = counterpartOf(ruleSet, edit.at);
	if (counterpart === undefined) {
		throw new EditFault(`${nameOf(edit.at)} reads differently in the other address family, so it can only be changed alone.`);
	}

	try {
		return applyInFamily(changed, counterpartEdit(edit, counterpart));
	} catch (error) {
		throw error instanceof EditFault ? new EditFault(`In ${nameOfFamily(counterpart)}: ${error.message} Change ${nameOfFamily(edit.at)} alone, or in a way that fits both.`) : error;
	}
}

function applyInFamily(ruleSet: RuleSet, edit: RuleEdit): RuleSet {
	const place = chainAt(ruleSet, edit.at);
	const {chain: {rules}, table} = place;
	const index = edit.at.number - 1;
	switch (edit.kind) {
		case 'delete': {
			ruleAt(place, edit.at);
			return withRules(ruleSet, place, rules.toSpliced(index, 1));
		}

		case 'move': {
			const rule = ruleAt(place, edit.at);
			if (edit.to < 1 || edit.to > rules.length) {
				throw new EditFault(`${nameOf(edit.at)} cannot be moved to ${edit.to}: the chain has ${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}.`);
			}

			return withRules(ruleSet, place, rules.toSpliced(index, 1).toSpliced(edit.to - 1, 0, rule));
		}

		case 'negate':
		case 'value': {
			return withRules(ruleSet, place, rules.with(index, changedRule(ruleAt(place, edit.at), edit, table)));
		}

		case 'text': {
			ruleAt(place, edit.at);
			return withRules(ruleSet, place, rules.with(index, readText(edit.text, place)));
		}

		case 'insert': {
			if (edit.at.number > rules.length + 1) {
				throw new EditFault(`A new rule of ${edit.at.chain} can have a number from 1 to ${rules.length + 1}.`);
			}

			return withRules(ruleSet, place, rules.toSpliced(index, 0, readText(edit.text, place)));
		}
	}
}

/** A change as a sentence; `before` are the rules on which it is made. */
export function describeEdit(before: RuleSet, edit: RuleEdit): string {
	const name = `${nameOf(edit.at)}${familiesOf(before, edit)}`;
	switch (edit.kind) {
		case 'delete': {
			return `${name} deleted: ${ruleBefore(before, edit.at).text}`;
		}

		case 'move': {
			return `${name} moved to ${edit.to}: ${ruleBefore(before, edit.at).text}`;
		}

		case 'negate': {
			return `${name} negated: ${nameOfValue(ruleBefore(before, edit.at), edit)}`;
		}

		case 'value': {
			return `${name}: ${nameOfValue(ruleBefore(before, edit.at), edit)} → ${edit.value}`;
		}

		case 'text': {
			return `${name} rewritten: ${edit.text}`;
		}

		case 'insert': {
			return `${name} added: ${edit.text}`;
		}
	}
}

/** The families of a change, where there is a choice. */
function familiesOf(before: RuleSet, {at, inBoth}: RuleEdit): string {
	const counterpart = counterpartOf(before, at);
	if (counterpart === undefined) {
		return '';
	}

	const [own, other] = [at, counterpart].map(place => nameOfFamily(place));
	return inBoth === true ? (counterpart.number === at.number ? ` (${own} and ${other})` : ` (${own}, and #${counterpart.number} of ${other})`) : ` (${own} alone)`;
}

function nameOfFamily({family}: RuleAt): string {
	return familyNames[addressFamilyOf(family)];
}

/** The rule on which a change is made. */
function ruleBefore(ruleSet: RuleSet, at: RuleAt): Rule {
	return ruleAt(chainAt(ruleSet, at), at);
}

/** The current value: `UID 1337`. */
function nameOfValue(rule: Rule, {condition = null}: {readonly condition?: number | null}): string {
	const value = valuesOf(rule).find(each => each.condition === condition);
	return value === undefined ? 'a value' : `${value.name} ${value.value}`;
}

function nameOf({table, chain, number}: RuleAt): string {
	return printStep(table, chain, number);
}

function chainAt(ruleSet: RuleSet, {family, table: name, chain: wanted}: RuleAt): Found {
	const table = findTable(ruleSet, {family, table: name});
	const chain = table?.chains.find(candidate => candidate.name === wanted);
	if (table === undefined || chain === undefined) {
		throw new EditFault(`These rules have no chain ${wanted} in table ${name} of ${family}.`);
	}

	return {table, chain};
}

function ruleAt({chain: {rules}}: Found, at: RuleAt): Rule {
	const rule = rules[at.number - 1];
	if (rule === undefined) {
		throw new EditFault(`There is no ${nameOf(at)}: the chain has ${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}.`);
	}

	return rule;
}

/** The set with other rules in one chain, numbered from 1. */
function withRules({tables}: RuleSet, {table, chain}: Found, rules: readonly Rule[]): RuleSet {
	const numbered = rules.map((rule, index) => rule.number === index + 1 ? rule : {...rule, number: index + 1});
	return {
		tables: tables.map(candidate => candidate === table
			? {...table, chains: table.chains.map(each => each === chain ? {...chain, rules: numbered} : each)}
			: candidate),
	};
}

function changedRule(rule: Rule, edit: Extract<RuleEdit, {kind: 'negate' | 'value'}>, table: Table): Rule {
	const change = changeOf(rule, edit);
	const changed = change === undefined ? undefined : editRuleOf(table, rule, change);
	if (changed === undefined) {
		throw new EditFault(edit.kind === 'value'
			? `"${edit.value}" cannot replace ${nameOfValue(rule, edit)} in ${nameOf(edit.at)}.`
			: `${nameOf(edit.at)} cannot be written with ${nameOfValue(rule, edit)} negated.`);
	}

	return changed;
}

function changeOf({matches, target}: Rule, edit: Extract<RuleEdit, {kind: 'negate' | 'value'}>): ValueEdit | undefined {
	if (edit.condition === undefined) {
		const other = edit.kind === 'value' ? targetWithPort(target, edit.value) : undefined;
		return other === undefined ? undefined : {kind: 'target', target: other};
	}

	const match = matches[edit.condition];
	const other = match === undefined ? undefined : otherMatch(match, edit);
	return other === undefined ? undefined : {kind: 'match', place: edit.condition, match: other};
}

function otherMatch(match: Match, edit: Extract<RuleEdit, {kind: 'negate' | 'value'}>): Match | undefined {
	if (edit.kind === 'value') {
		return withValue(match, edit.value);
	}

	return 'negated' in match ? {...match, negated: !match.negated} : undefined;
}

/** One rule from a text, as the parser of its language reads it. A text of several lines is never one. */
function readText(text: string, {table, chain}: Found): Rule {
	const own = text.trim();
	if (/\p{Cc}/u.test(own)) {
		throw new EditFault('A rule is one line without control characters.');
	}

	try {
		const rule: Rule = {chain: chain.name, number: 1, ...ruleReaders[languageOfTable(table)](own, table)};
		refuseNowhere(rule, table);
		return rule;
	} catch (error) {
		throw error instanceof RuleSyntaxError ? new EditFault(`This is not a valid rule of ${chain.name}: ${error.message}.`) : error;
	}
}

const ruleReaders: Readonly<Record<RuleLanguage, (text: string, table: Table) => ParsedRule>> = {
	/** A rule as it is in a dump, from which people copy it, with or without `-A CHAIN`. */
	iptables(text, table) {
		const family = addressFamilyOf(table.family);
		return parseRuleText(normalText(text.replace(/^-[AI]\s+\S+\s*(?:\d+\s+)?/u, ''), family), family);
	},
	nft(text, {family}) {
		checkNftRule(text);
		return parseNftRule(text, family);
	},
};

/** A jump leads to a chain of the same table. */
function refuseNowhere({target}: Pick<Rule, 'target'>, {chains, name}: Table): void {
	if ((target.kind === 'jump' || target.kind === 'goto') && chains.every(chain => chain.name !== target.chain || chain.policy !== undefined)) {
		throw new EditFault(`Table ${name} has no chain ${target.chain} to jump to.`);
	}
}
