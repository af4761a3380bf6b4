/**
Notes about the rules themselves: which were not reached, and which of the default ones are missing or elsewhere. They decide nothing.
*/

import type {Role} from '../mesh/roles.js';
import {rulesOf, tablesOf, type PlacedRule} from '../netfilter/lookup.js';
import {stopsOfPath, type Leg, type RuleHit} from '../netfilter/path.js';
import type {MeshRules} from '../mesh/mesh.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {ExpectedPath} from '../mesh/traffic.js';
import {ruleKey} from '../trace/loaded-rules.js';
import {partingOf} from './differences.js';
import {roleHitsOf} from './observed-roles.js';
import type {Outcome, RuleReference} from './outcome.js';

/** A note about one rule. */
export type RuleNote =
	/** A rule under test that no type of the run met, and why. */
	| {readonly kind: 'not-reached'; readonly family: AddressFamily; readonly rule: RuleReference; readonly role: Role | null; readonly reason: string}
	/** A rule of the default set that is missing in the set under test; `coveredBy` is the rule that led to the expected stops in its place, and for which types. */
	| {readonly kind: 'missing'; readonly family: AddressFamily; readonly rule: RuleReference; readonly role: Role; readonly coveredBy: RuleHit | null; readonly types: readonly string[]; readonly reason: string}
	/** A rule that comes before or after others of the default set, unlike there. */
	| {readonly kind: 'moved'; readonly family: AddressFamily; readonly rule: RuleReference; readonly role: Role; readonly from: number; readonly reason: string};

/** What the notes need to know about a judged type. */
export type NotedResult = {
	readonly id: string;
	readonly family: AddressFamily;
	readonly outcome: Outcome;
	readonly legs: readonly Leg[];
	readonly expected: ExpectedPath;
};

/** The notes of a run, family by family. `reference` is the set that the rules are meant to be, if there is one. */
export function ruleNotes({ruleSet, reference, results}: {readonly ruleSet: MeshRules; readonly reference: MeshRules | undefined; readonly results: readonly NotedResult[]}): readonly RuleNote[] {
	const families = [...new Set(results.map(({family}) => family))];
	return families.flatMap(family => {
		const own = results.filter(result => result.family === family);
		const rules = rulesFor(ruleSet, family);
		const wanted = reference === undefined ? [] : rulesFor(reference, family);
		return [
			...missingRules({
				family, rules, wanted, own, ruleSet,
			}),
			...movedRules({family, rules, wanted}),
			...unreachedRules({
				family, rules, own, ruleSet,
			}),
		];
	});
}

/** A rule with its place and role. */
type KnownRule = {readonly placed: PlacedRule; readonly rule: RuleReference; readonly role: Role | null};

function rulesFor(ruleSet: MeshRules, family: AddressFamily): readonly KnownRule[] {
	return [...rulesOf({tables: tablesOf(ruleSet, family)})].map(placed => {
		const {chain, number, text} = placed.rule;
		return {
			placed,
			rule: {
				family: placed.family, table: placed.table, chain, number, text,
			},
			role: ruleSet.mesh.roleOf(placed.rule, placed.table, placed.chain) ?? null,
		};
	});
}

function unreachedRules({family, rules, own, ruleSet}: {
	readonly family: AddressFamily;
	readonly rules: readonly KnownRule[];
	readonly own: readonly NotedResult[];
	readonly ruleSet: MeshRules;
}): readonly RuleNote[] {
	// If there is a gap, a rule without observed matches may have been met anyway.
	if (own.some(({outcome}) => outcome.kind === 'inconclusive')) {
		return [];
	}

	const hits = own.flatMap(({legs}) => legs.flatMap(({traversals}) => traversals.flatMap(traversal => traversal.hits)));
	const met = new Set(hits.flatMap(hit => hit.number === undefined ? [] : [ruleKey({...hit, number: hit.number})]));
	return rules.filter(({rule}) => !met.has(ruleKey(rule))).map(({placed, rule, role}) => ({
		kind: 'not-reached', family, rule, role, reason: ruleSet.mesh.shadowOf(placed.rule, placed.table, placed.chain)?.because ?? unmetReason(own.filter(result => role !== null && lacksRole(result, role, ruleSet))),
	}));
}

/** Whether a type should have met a rule of a role in some leg but met none there. */
function lacksRole({legs, expected}: NotedResult, role: Role, ruleSet: MeshRules): boolean {
	return expected.legs.some(({roles}, index) => {
		const leg = legs[index];
		return roles?.includes(role) === true && (leg === undefined || roleHitsOf(leg, ruleSet).every(hit => hit.role !== role));
	});
}

function unmetReason(lacking: readonly NotedResult[]): string {
	return lacking.length === 0 ? 'no type of this run needs it' : `${listOfTypes(lacking)} should have met a rule of its kind`;
}

function listOfTypes(types: ReadonlyArray<Pick<NotedResult, 'id'>>): string {
	return `type${types.length > 1 ? 's' : ''} ${types.map(({id}) => id).join(', ')}`;
}

function missingRules({family, rules, wanted, own, ruleSet}: {
	readonly family: AddressFamily;
	readonly rules: readonly KnownRule[];
	readonly wanted: readonly KnownRule[];
	readonly own: readonly NotedResult[];
	readonly ruleSet: MeshRules;
}): readonly RuleNote[] {
	return missingOf(rules, wanted).map(({rule, role}) => {
		const wanting = own.flatMap(result => wantsRole(result, role, ruleSet));
		const covered = wanting.filter(({keepsStops}) => keepsStops);
		const isDoubtful = wanting.length === 0 && own.some(result => result.outcome.kind === 'inconclusive' && legWith(result, role) !== undefined);
		const coveredBy = covered.length === wanting.length ? covered.find(entry => entry.hit !== null)?.hit ?? null : null;
		return {
			kind: 'missing', family, rule, role, coveredBy, types: wanting.map(({id}) => id), reason: isDoubtful ? 'whether it is needed is not known: the evidence has gaps' : missingReason(wanting, coveredBy),
		};
	});
}

/** The rules of the reference that are missing: the first of a role that is missing altogether; for a role with several rules, those whose text is missing, if there are fewer of them. */
function missingOf(rules: readonly KnownRule[], wanted: readonly KnownRule[]): ReturnType<typeof firstOfRole> {
	const textsOf = (known: readonly KnownRule[], role: Role): readonly string[] => known.filter(one => one.role === role).map(({rule}) => rule.text);
	return firstOfRole(wanted).flatMap(first => {
		const present = textsOf(rules, first.role);
		if (present.length === 0) {
			return [first];
		}

		const shared = wanted.filter(({role}) => role === first.role);
		return present.length < shared.length ? shared.filter(({rule}) => !present.includes(rule.text)).map(known => ({...known, role: first.role})) : [];
	});
}

type Wanting = {readonly id: string; readonly hit: RuleHit | null; readonly keepsStops: boolean};

/** Whether a type should have met a role but did not, and which rule it met there. */
function wantsRole(result: NotedResult, role: Role, ruleSet: MeshRules): readonly Wanting[] {
	const {id, outcome, legs, expected} = result;
	const at = legWith({expected}, role);
	if (at === undefined || outcome.kind === 'inconclusive' || !lacksRole(result, role, ruleSet)) {
		return [];
	}

	const leg = legs[at];
	const parting = leg === undefined ? undefined : partingOf({wanted: expected.legs[at]?.roles ?? [], leg, ruleSet});
	const stops = stopsOfPath({legs});
	const keepsStops = stops.length === expected.legs.length && expected.legs.every(({stop}, index) => stops[index] === stop);
	return [{id, hit: parting?.expectedRole === role ? parting.rule : null, keepsStops}];
}

/** The first leg that should meet a role. */
function legWith({expected: {legs}}: Pick<NotedResult, 'expected'>, role: Role): number | undefined {
	const at = legs.findIndex(({roles}) => roles?.includes(role) === true);
	return at === -1 ? undefined : at;
}

function missingReason(wanting: readonly Wanting[], coveredBy: RuleHit | null): string {
	const ids = listOfTypes(wanting);
	if (wanting.length === 0) {
		return 'none of the types that were run needs it';
	}

	return coveredBy === null ? `needed by ${ids}` : `for ${ids} covered by ${coveredBy.chain}#${coveredBy.number ?? '?'}, which leads to the same stops`;
}

/** The rules that are not in the order of the reference: those that have to be removed so that the others are. */
function movedRules({family, rules, wanted}: {readonly family: AddressFamily; readonly rules: readonly KnownRule[]; readonly wanted: readonly KnownRule[]}): readonly RuleNote[] {
	const meant = new Map(firstOfRole(wanted).map(entry => [entry.role, entry]));
	const shared = firstOfRole(rules).flatMap(entry => {
		const there = meant.get(entry.role);
		return there !== undefined && chainOf(there) === chainOf(entry) ? [{...entry, from: there.rule.number}] : [];
	});
	return [...new Set(shared.map(entry => chainOf(entry)))].flatMap(chain => {
		const members = shared.filter(entry => chainOf(entry) === chain);
		const kept = longestRising(members.map(({from}) => from));
		return members.filter(({from}) => !kept.has(from)).map(({rule, role, from}): RuleNote => ({
			kind: 'moved', family, rule, role, from, reason: `is number ${rule.number} of ${rule.chain}; in the default set it is ${from}`,
		}));
	});
}

function chainOf({rule: {table, chain}}: KnownRule): string {
	return `${table} ${chain}`;
}

/** The first rule of each role; the blocks of several UIDs repeat their roles. */
function firstOfRole(rules: readonly KnownRule[]): ReadonlyArray<KnownRule & {readonly role: Role}> {
	const seen = new Set<Role>();
	return rules.flatMap(({role, ...rest}) => {
		if (role === null || seen.has(role)) {
			return [];
		}

		seen.add(role);
		return [{...rest, role}];
	});
}

/** The members of a longest increasing subsequence; of several, the one that keeps the latest. */
function longestRising(numbers: readonly number[]): ReadonlySet<number> {
	let best: readonly number[] = [];
	const endingAt: Array<readonly number[]> = [];
	for (const number of numbers) {
		let longest: readonly number[] = [];
		for (const candidate of endingAt) {
			if ((candidate.at(-1) ?? 0) < number && candidate.length > longest.length) {
				longest = candidate;
			}
		}

		const own = [...longest, number];
		endingAt.push(own);
		best = own.length > best.length ? own : best;
	}

	return new Set(best);
}
