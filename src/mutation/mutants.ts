/**
Mutants of a rule set: each is the set with one thing wrong. A check that tells none of them from the original would not tell that fault either.
*/

import type {Mesh, MeshRules} from '../mesh/mesh.js';
import {printStep} from '../netfilter/path.js';
import {isNativeTable, restrictToFamilies} from '../netfilter/lookup.js';
import type {
	AddressFamily, Chain, Family, Rule, RuleSet, Table,
} from '../netfilter/types.js';
import {
	changesOfMatch, changesOfTarget, type MutationKind,
} from './neighbouring-values.js';
import {editNftRule} from './edit-nft-rule.js';
import {editRule} from './edit-iptables-rule.js';

export {mutationKinds, type MutationKind} from './neighbouring-values.js';

/** A rule set with one fault. */
export type Mutant = {
	/** Counted from 1, in the order of the rules. */
	readonly id: number;
	readonly kind: MutationKind;
	readonly family: Family;
	/** The rule that was changed, as in a path: `ISTIO_OUTPUT#4`. */
	readonly place: string;
	readonly role: string | null;
	/** What was changed, in words. */
	readonly text: string;
	/** The rule as it is in the original. */
	readonly rule: Rule;
	/** Whether the rule still stands at its place, with other words. */
	readonly isEdited: boolean;
	readonly ruleSet: RuleSet;
};

/** All mutants, and what none of them changes because it is not understood. */
export type Mutants = {readonly mutants: readonly Mutant[]; readonly untouched: readonly string[]};

type Draft = Omit<Mutant, 'id' | 'ruleSet' | 'family'> & {readonly rules: readonly Rule[]};

/** Makes the mutants of all rules that packets of some families meet. One that is the same set as the original, or as one before it, is left out. */
export function mutantsOf(ruleSet: MeshRules, families: readonly AddressFamily[]): Mutants {
	const mutants: Mutant[] = [];
	const untouched: string[] = [];
	const redirects = [...new Set(ruleSet.tables.flatMap(({chains}) => chains.flatMap(({rules}) => rules.flatMap(({target}) => target.kind === 'redirect' && target.toPorts !== undefined ? [target.toPorts.from] : []))))];
	for (const table of restrictToFamilies(ruleSet, families).tables) {
		for (const chain of table.chains) {
			const seen = new Set([keyOf(chain.rules)]);
			for (const {rules, ...draft} of draftsOf(chain, {table, redirects, mesh: ruleSet.mesh})) {
				const key = keyOf(rules);
				if (!seen.has(key)) {
					seen.add(key);
					mutants.push({
						id: mutants.length + 1, family: table.family, ...draft, ruleSet: withChain(ruleSet, {table, chain, rules}),
					});
				}
			}

			untouched.push(...chain.rules.flatMap(rule => opaqueWords(rule).map(words => `${printStep(table.name, chain.name, rule.number)} (${words})`)));
		}
	}

	return {mutants, untouched};
}

/** Some of the mutants, evenly spread over the rules. They keep their numbers. */
export function sampleOf(mutants: readonly Mutant[], count = mutants.length): readonly Mutant[] {
	return count >= mutants.length ? mutants : Array.from({length: count}, (_, index) => mutants[Math.floor(index * mutants.length / count)]!);
}

function keyOf(rules: readonly Rule[]): string {
	return JSON.stringify(rules.map(({text}) => text));
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

/** What a rule says that has no field, so that there is no value beside it. */
function opaqueWords({matches, target}: Rule): readonly string[] {
	return [
		...matches.flatMap(match => match.kind === 'opaque' ? [match.text] : []),
		...(target.kind === 'extension' ? [`${target.name} ${target.options}`.trim()] : []),
	];
}

function draftsOf(chain: Chain, {table, redirects, mesh}: {readonly table: Table; readonly redirects: readonly number[]; readonly mesh: Mesh}): readonly Draft[] {
	const {rules} = chain;
	const named = (rule: Rule) => ({rule, place: printStep(table.name, chain.name, rule.number), role: mesh.roleOf(rule, table.name, chain) ?? null});
	return rules.flatMap((rule, index): readonly Draft[] => {
		const next = rules[index + 1];
		return [
			{
				kind: 'delete', ...named(rule), text: 'deleted', isEdited: false, rules: rules.toSpliced(index, 1),
			},
			...(next === undefined
				? []
				: [{
					kind: 'swap', ...named(rule), text: `behind ${printStep(table.name, chain.name, next.number)}`, isEdited: false, rules: rules.with(index, next).with(index + 1, rule),
				} satisfies Draft]),
			...changesOf(rule, {table, redirects}).map(({changed, kind, text}): Draft => ({
				kind, ...named(rule), text, isEdited: true, rules: rules.with(index, changed),
			})),
		];
	});
}

type ChangedRule = {readonly changed: Rule; readonly kind: MutationKind; readonly text: string};

/** The changed rules that their program has words for. */
function changesOf(rule: Rule, {table, redirects}: {readonly table: Table; readonly redirects: readonly number[]}): readonly ChangedRule[] {
	const isNative = isNativeTable(table);
	return [...rule.matches.flatMap((match, place) => changesOfMatch(match, place)), ...changesOfTarget(rule, {table, redirects})].flatMap(({edit, kind, text}) => {
		const changed = isNative ? editNftRule(rule, edit, table.family) : editRule(rule, edit, table.family === 'ip6' ? 'ipv6' : 'ipv4');
		return changed === undefined ? [] : [{changed, kind, text}];
	});
}
