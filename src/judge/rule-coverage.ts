/**
Which rules probes reach, how often each decides, and why a rule is not reached by any.
*/

import {
	findTable, languageOfTable, rulesOf, tableFamily, type PlacedRule,
} from '../netfilter/lookup.js';
import {printStep, type Leg} from '../netfilter/path.js';
import type {
	AddressFamily, Family, Match, Rule, RuleLanguage,
} from '../netfilter/types.js';
import type {MeshRules} from '../mesh/mesh.js';
import {isDeciding} from './observed-roles.js';
import type {PacketFacts} from './explain/packet-facts.js';
import {askRule} from './explain/match-rule.js';
import {explainLeg, type AskedChain} from './explain/explain-leg.js';

/** How often packets hit a rule, and how often that ended their path through a base chain. */
export type Reach = {readonly hits: number; readonly decided: number};

/** The legs of some probes, each with the mark of its socket. */
export type CoveredLegs = ReadonlyArray<{readonly leg: Leg; readonly mark: number}>;

/** Why no packet reaches a rule, even though one probe was sent for every packet class. */
export type Unreached =
	/** Packets that it would match enter its chain, but earlier rules end their path: these rules, with counts. */
	| {readonly kind: 'shadowed'; readonly by: ReadonlyArray<{readonly place: string; readonly role: string | null; readonly packets: number}>}
	/** Packets reach it, and each fails one of these conditions. */
	| {readonly kind: 'no-match'; readonly packets: number; readonly conditions: ReadonlyArray<{readonly match: Match; readonly protocol: PacketFacts['protocol']; readonly packets: number}>}
	/** Packets enter its chain, but earlier rules end the path of all of them; it would match none of these. */
	| {readonly kind: 'cut-off'; readonly packets: number}
	/** No packet enters its chain; these rules would lead there. */
	| {readonly kind: 'no-packet'; readonly from: readonly string[]}
	/** No packet reaches the hook of its base chain. */
	| {readonly kind: 'no-hook'};

/** One rule with its results. */
export type RuleCoverage = {
	readonly family: Family;
	readonly place: string;
	readonly role: string | null;
	readonly rule: Rule;
	readonly language: RuleLanguage;
	/** By the name of the cases. */
	readonly reach: Readonly<Record<string, Reach>>;
	/** Null if anything reaches it. */
	readonly unreached: Unreached | null;
};

/** All rules that packets of some families can meet. `cases` are the legs by case name; those of `complete` show why a rule is not reached by anything. */
export function coverageOf(ruleSet: MeshRules, {families, cases, complete}: {
	readonly families: readonly AddressFamily[]; readonly cases: Readonly<Record<string, CoveredLegs>>; readonly complete: CoveredLegs;
}): readonly RuleCoverage[] {
	const counted = Object.entries(cases).map(([name, legs]) => [name, reachesOf(legs, ruleSet)] as const);
	const all = reachesOf(complete, ruleSet);
	const asked = complete.flatMap(({leg, mark}) => explainLeg(leg, ruleSet, {mark}).chains);
	return [...rulesOf(ruleSet)]
		.filter(({family}) => family === 'inet' || families.some(wanted => tableFamily(wanted) === family))
		.map((placed): RuleCoverage => {
			const {family, table, chain, rule} = placed;
			const key = keyOf({
				family, table, chain: chain.name, number: rule.number,
			});
			return {
				family,
				place: printStep(table, chain.name, rule.number),
				role: ruleSet.mesh.roleOf(rule, table, chain) ?? null,
				rule,
				language: languageOfTable(findTable(ruleSet, {family, table})!),
				reach: Object.fromEntries(counted.map(([name, reaches]) => [name, reaches.get(key) ?? {hits: 0, decided: 0}])),
				unreached: all.has(key) || counted.some(([, reaches]) => reaches.has(key)) ? null : whyUnreached(placed, {ruleSet, asked}),
			};
		});
}

type Placed = {readonly family: Family; readonly table: string; readonly chain: string; readonly number: number | undefined};

function keyOf({family, table, chain, number}: Placed): string {
	return `${family} ${table} ${chain} ${number ?? '?'}`;
}

function reachesOf(legs: CoveredLegs, ruleSet: MeshRules): ReadonlyMap<string, Reach> {
	const reaches = new Map<string, {hits: number; decided: number}>();
	for (const {hits} of legs.flatMap(({leg}) => leg.traversals)) {
		for (const [index, hit] of hits.entries()) {
			const reach = reaches.get(keyOf(hit)) ?? {hits: 0, decided: 0};
			reach.hits++;
			reach.decided += index === hits.length - 1 && isDeciding(hit, ruleSet) ? 1 : 0;
			reaches.set(keyOf(hit), reach);
		}
	}

	return reaches;
}

function whyUnreached(placed: PlacedRule, {ruleSet, asked}: {readonly ruleSet: MeshRules; readonly asked: readonly AskedChain[]}): Unreached {
	const {family, table, chain, rule} = placed;
	const own = keyOf({
		family, table, chain: chain.name, number: rule.number,
	});
	const came = asked.filter(({traversal, rules}) => traversal.family === family && traversal.table === table
		&& (traversal.chain === chain.name || rules.some(each => each.isHit && entersChain(each.target, chain.name))));
	if (came.length === 0) {
		const from = [...rulesOf(ruleSet)].filter(other => other.family === family && other.table === table && entersChain(other.rule.target, chain.name));
		return from.length === 0 && isBase(placed) ? {kind: 'no-hook'} : {kind: 'no-packet', from: from.map(other => printStep(table, other.chain.name, other.rule.number))};
	}

	const shadows = new Map<string, {place: string; role: string | null; packets: number}>();
	const conditions = new Map<string, {match: Match; protocol: PacketFacts['protocol']; packets: number}>();
	for (const {rules, language} of came) {
		const self = rules.find(each => keyOf(each.rule) === own);
		const last = rules.findLast(each => each.isHit && each.isDeciding);
		if (self === undefined && last !== undefined) {
			const answer = askRule(rule, last.facts, {language});
			if (answer.kind !== 'fails') {
				const {chain: name, number} = last.rule;
				const place = printStep(table, name, number);
				const shadow = shadows.get(place) ?? {place, role: last.role, packets: 0};
				shadow.packets++;
				shadows.set(place, shadow);
			}
		} else if (self?.answer.kind === 'fails') {
			const {match} = self.answer;
			const condition = conditions.get(JSON.stringify(match)) ?? {match, protocol: self.facts.protocol, packets: 0};
			condition.packets++;
			conditions.set(JSON.stringify(match), condition);
		}
	}

	if (shadows.size > 0) {
		return {kind: 'shadowed', by: [...shadows.values()].toSorted((one, other) => other.packets - one.packets)};
	}

	return conditions.size > 0 ? {kind: 'no-match', packets: came.length, conditions: [...conditions.values()].toSorted((one, other) => other.packets - one.packets)} : {kind: 'cut-off', packets: came.length};
}

function entersChain(target: Rule['target'], name: string): boolean {
	return (target.kind === 'jump' || target.kind === 'goto') && target.chain === name;
}

function isBase({chain}: PlacedRule): boolean {
	return chain.base !== undefined || chain.policy !== undefined;
}

/** Rules that the complete probes reach but some named cases do not. A rule that nothing reaches is missing only in `complete`. */
export function unreachedBy(coverage: readonly RuleCoverage[], cases: string): readonly RuleCoverage[] {
	return coverage.filter(({reach, unreached}) => (reach[cases]?.hits ?? 0) === 0 && (unreached === null || cases === completeName));
}

/** The name of the probes for every packet class. */
export const completeName = 'complete';
