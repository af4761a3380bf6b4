/**
A rule set, and the difference of two, as JSON documents (`docs/formats.md`, version 1). Every key is always present, in this order; optional values are null.
*/

import {rulesOf} from '../../netfilter/lookup.js';
import type {
	Chain, Match, Rule, Table, Target,
} from '../../netfilter/types.js';
import type {Mesh} from '../../mesh/mesh.js';
import type {Explainer, RuleExplanation} from '../../judge/explain/explain-rule.js';
import {
	isEqualDiff, type ChainDiff, type RuleChange, type RuleSetDiff,
} from '../../judge/rule-diff/rule-diff.js';
import {describeChange} from './describe-diff.js';
import {
	rulesJsonVersion, type ChainDiffDocument, type ChainDocument, type ExplanationDocument, type MatchDocument, type RulesDiffDocument, type RulesDocument, type TableDocument, type TargetDocument,
} from './schema.js';
import type {ShownRules} from './types.js';

/** A rule set as plain data. With an explainer, every rule has its explanation; `unknownTypes` is the reason if it is not known which types should match a rule. */
export function rulesToJson(rules: ShownRules, explained?: {readonly explain: Explainer; readonly unknownTypes: string | null}): RulesDocument {
	const explain = explained?.explain;
	return {
		version: rulesJsonVersion,
		...headToJson(rules),
		...(explained === undefined ? {} : {unknownTypes: explained.unknownTypes}),
		tables: rules.ruleSet.tables.map(table => tableToJson(table, {mesh: rules.ruleSet.mesh, explain})),
	};
}

/** The difference of two rule sets as plain data. */
export function rulesDiffToJson({from, to, diff}: {readonly from: ShownRules; readonly to: ShownRules; readonly diff: RuleSetDiff}): RulesDiffDocument {
	return {
		version: rulesJsonVersion,
		from: headToJson(from),
		to: headToJson(to),
		equal: isEqualDiff(diff),
		compared: diff.compared,
		chains: diff.chains.map(chain => chainDiffToJson(chain)),
		objects: diff.objects,
	};
}

function headToJson({source, release, backend, identity, families, sha256, warnings, notes, routing, ruleSet}: ShownRules): RulesDiffDocument['from'] {
	return {
		source, release, backend, identity, families, sha256, rules: [...rulesOf(ruleSet)].length, notes, warnings, routing,
	};
}

type RuleReaders = {readonly mesh: Mesh; readonly explain: Explainer | undefined};

function tableToJson(table: Table, readers: RuleReaders): TableDocument {
	const {family, name, chains, objects} = table;
	return {
		family, name, chains: chains.map(chain => chainToJson(table, chain, readers)), objects: objects ?? [],
	};
}

function chainToJson(table: Table, chain: Chain, {mesh, explain}: RuleReaders): ChainDocument {
	const {name, policy, base, rules} = chain;
	return {
		name,
		policy: policy ?? null,
		base: base === undefined ? null : {type: base.type, hook: base.hook, priority: base.priority},
		rules: rules.map(rule => ({
			...ruleToJson(rule),
			role: mesh.roleOf(rule, table.name, chain) ?? null,
			opaque: opaqueOf(rule),
			matches: rule.matches.map(match => ordered(match) as MatchDocument),
			target: targetToJson(rule.target),
			...(explain === undefined
				? {}
				: {
					explanation: explanationToJson(explain({
						family: table.family, table: table.name, chain, rule,
					})),
				}),
		})),
	};
}

function ruleToJson({number, text}: Rule): {readonly number: number; readonly text: string} {
	return {number, text};
}

/** The parts of a rule that are kept as text because the parser does not understand them. */
export function opaqueOf({matches, target}: Rule): readonly string[] {
	return [
		...matches.flatMap(match => match.kind === 'opaque' ? [match.text] : []),
		...(target.kind === 'extension' ? [`${target.name} ${target.options}`.trim()] : []),
	];
}

/** `kind` first, then the other keys in alphabetical order, so that the output does not depend on how the value was built. */
function ordered(value: Match | Target): Readonly<Record<string, unknown>> {
	const {kind, ...rest} = value;
	return {kind, ...Object.fromEntries(Object.entries(rest).toSorted(([one], [other]) => one < other ? -1 : 1))};
}

function targetToJson(target: Target): TargetDocument {
	return target.kind === 'redirect' ? {kind: target.kind, toPorts: target.toPorts ?? null} : ordered(target) as TargetDocument;
}

function explanationToJson({purpose, history, types, shadow}: RuleExplanation): ExplanationDocument {
	return {
		purpose,
		since: history?.since ?? null,
		until: history?.until ?? null,
		sinceSource: history?.source ?? null,
		types,
		shadow: shadow === null ? null : {by: shadow.by.map(({number}) => number), because: shadow.because},
	};
}

function chainDiffToJson({family, from, to, isRenamed, properties, changes}: ChainDiff): ChainDiffDocument {
	return {
		family, from, to, renamed: isRenamed, properties, changes: changes.map(change => changeToJson(change)),
	};
}

function changeToJson(change: RuleChange): ChainDiffDocument['changes'][number] {
	return {
		kind: change.kind,
		role: change.role,
		from: 'from' in change ? ruleToJson(change.from) : null,
		to: 'to' in change ? ruleToJson(change.to) : null,
		values: change.kind === 'changed' ? change.values : [],
		message: describeChange(change),
	};
}
