/**
Mutants of a rule set: each is the set with one fault. A check that cannot tell a mutant from the original would not detect that fault either.
*/

import type {Mesh, MeshRules} from '../mesh/mesh.js';
import {printStep} from '../netfilter/path.js';
import {restrictToFamilies} from '../netfilter/lookup.js';
import type {
	AddressFamily, Chain, Family, Rule, RuleSet, Table,
} from '../netfilter/types.js';
import {changesOfMatch, changesOfTarget} from './nearby-values.js';
import {editRuleOf} from './edit-rule.js';
import type {MutationKind} from './kinds.js';

/** A rule set with one fault. */
export type Mutant = {
	/** Counted from 1, in the order of the rules. */
	readonly id: number;
	readonly kind: MutationKind;
	readonly family: Family;
	readonly table: string;
	readonly chain: string;
	/** The rule that was changed, as in a path: `ISTIO_OUTPUT#4`. Rules before it are as they were. */
	readonly place: string;
	readonly role: string | null;
	/** The change, in words. */
	readonly text: string;
	/** The original rule. */
	readonly rule: Rule;
	/** Whether the rule is still at its place, but with other words. */
	readonly isEdited: boolean;
	/** Built on demand, because thousands of long chains do not fit into memory together. */
	readonly ruleSet: RuleSet;
};

/** All mutants, and the parts that are never mutated because they are not understood. */
export type Mutants = {readonly mutants: readonly Mutant[]; readonly untouched: readonly string[]};

type Draft = Omit<Mutant, 'id' | 'ruleSet' | 'family'> & {readonly edit: Edit};

/** The effect of an edit on a chain: `instead` replaces `count` rules starting at an index from 0. */
type Edit = {readonly at: number; readonly count: number; readonly instead: readonly Rule[]};

/** Creates the mutants of all rules that packets of some families can meet. A mutant that equals the original, or an earlier mutant, is left out. */
export function mutantsOf(ruleSet: MeshRules, families: readonly AddressFamily[]): Mutants {
	const mutants: Mutant[] = [];
	const untouched: string[] = [];
	const redirects = [...new Set(ruleSet.tables.flatMap(({chains}) => chains.flatMap(({rules}) => rules.flatMap(({target}) => target.kind === 'redirect' && target.toPorts !== undefined ? [target.toPorts.from] : []))))];
	for (const table of restrictToFamilies(ruleSet, families).tables) {
		for (const chain of table.chains) {
			const seen = new Set([keyOf(chain.rules, {at: 0, count: 0, instead: []})]);
			for (const {edit, ...draft} of draftsOf(chain, {table, redirects, mesh: ruleSet.mesh})) {
				const key = keyOf(chain.rules, edit);
				if (!seen.has(key)) {
					seen.add(key);
					mutants.push({
						id: mutants.length + 1,
						family: table.family,
						...draft,
						get ruleSet() {
							return withChain(ruleSet, {table, chain, rules: chain.rules.toSpliced(edit.at, edit.count, ...edit.instead)});
						},
					});
				}
			}

			untouched.push(...chain.rules.flatMap(rule => opaqueWords(rule).map(words => `${printStep(table.name, chain.name, rule.number)} (${words})`)));
		}
	}

	return {mutants, untouched};
}

/** A sample of the mutants, evenly spread over the rules. They keep their numbers. */
export function sampleOf(mutants: readonly Mutant[], count = mutants.length): readonly Mutant[] {
	return count >= mutants.length ? mutants : Array.from({length: count}, (_, index) => mutants[Math.floor(index * mutants.length / count)]!);
}

/** A key of an edit's result: two edits of one chain with the same key produce the same rules. Unchanged rules at both ends are left out, so that it does not matter which of several equal rules was deleted. */
function keyOf(rules: readonly Rule[], {at, count, instead}: Edit): string {
	const texts = instead.map(({text}) => text);
	const length = rules.length - count + texts.length;
	const textAt = (index: number): string => index < at ? rules[index]!.text : (texts[index - at] ?? rules[index - texts.length + count]!.text);
	let begin = at;
	while (begin < length && begin < rules.length && textAt(begin) === rules[begin]!.text) {
		begin++;
	}

	// The rules after the edit are the same.
	let end = Math.min(rules.length - at - count, length - begin, rules.length - begin);
	while (end < Math.min(length, rules.length) - begin && textAt(length - 1 - end) === rules[rules.length - 1 - end]!.text) {
		end++;
	}

	return JSON.stringify([begin, end, Array.from({length: length - begin - end}, (_, index) => textAt(begin + index))]);
}

/** The set with other rules in one chain, numbered from 1. */
function withChain({tables}: RuleSet, {table, chain, rules}: {readonly table: Table; readonly chain: Chain; readonly rules: readonly Rule[]}): RuleSet {
	const numbered = rules.map((rule, index) => rule.number === index + 1 ? rule : {...rule, number: index + 1});
	return {
		tables: tables.map(candidate => candidate === table
			? {...table, chains: table.chains.map(each => each === chain ? {...chain, rules: numbered} : each)}
			: candidate),
	};
}

/** The parts of a rule without a field, which have no nearby value. */
function opaqueWords({matches, target}: Rule): readonly string[] {
	return [
		...matches.flatMap(match => match.kind === 'opaque' ? [match.text] : []),
		...(target.kind === 'extension' ? [`${target.name} ${target.options}`.trim()] : []),
	];
}

function draftsOf(chain: Chain, {table, redirects, mesh}: {readonly table: Table; readonly redirects: readonly number[]; readonly mesh: Mesh}): readonly Draft[] {
	const {rules} = chain;
	const named = (rule: Rule) => ({table: table.name, chain: chain.name, rule, place: printStep(table.name, chain.name, rule.number), role: mesh.roleOf(rule, table.name, chain) ?? null});
	return rules.flatMap((rule, index): readonly Draft[] => {
		const next = rules[index + 1];
		return [
			{
				kind: 'delete', ...named(rule), text: 'deleted', isEdited: false, edit: {at: index, count: 1, instead: []},
			},
			...(next === undefined
				? []
				: [{
					kind: 'swap', ...named(rule), text: `after ${printStep(table.name, chain.name, next.number)}`, isEdited: false, edit: {at: index, count: 2, instead: [next, rule]},
				} satisfies Draft]),
			...changesOf(rule, {table, redirects}).map(({changed, kind, text}): Draft => ({
				kind, ...named(rule), text, isEdited: true, edit: {at: index, count: 1, instead: [changed]},
			})),
		];
	});
}

type ChangedRule = {readonly changed: Rule; readonly kind: MutationKind; readonly text: string};

/** The changed rules that their program can express. */
function changesOf(rule: Rule, {table, redirects}: {readonly table: Table; readonly redirects: readonly number[]}): readonly ChangedRule[] {
	return [...rule.matches.flatMap((match, place) => changesOfMatch(match, place)), ...changesOfTarget(rule, {table, redirects})].flatMap(({edit, kind, text}) => {
		const changed = editRuleOf(table, rule, edit);
		return changed === undefined ? [] : [{changed, kind, text}];
	});
}
