/**
Where an observed path departs from the expected one.
*/

import {
	closingOf, printLegEnd, stepsOfPath, stopsOfPath, type Leg, type RuleHit,
} from '../netfilter/path.js';
import type {MeshRules} from '../mesh/mesh.js';
import type {Role} from '../mesh/roles.js';
import type {ExpectedLeg, ExpectedPath} from '../mesh/traffic.js';
import type {Observation} from '../trace/observation.js';
import {
	chainsVisited, decidingHitsOf, isDeciding, jumpTarget, roleHitsOf, rulesWithRole, type RoleHit,
} from './observed-roles.js';
import type {
	Cause, Difference, LegClaim, RuleReference,
} from './outcome.js';

/** The point at which the rules of a leg are no longer the expected ones. */
export type Parting = {readonly expectedRole: Role | null; readonly observedRole: Role | null; readonly rule: RuleHit | null};

/** All differences, leg by leg. For a loop, only the first difference is reported, because the rest repeats it. */
export function differencesBetween({expected, observation, ruleSet}: {readonly expected: ExpectedPath; readonly observation: Observation; readonly ruleSet: MeshRules}): readonly Difference[] {
	const {legs} = observation.path;
	if (expected.loop === true && !observation.loop) {
		const last = legs.at(-1);
		return [{kind: 'no-loop', leg: Math.max(0, legs.length - 1), observed: last === undefined ? {actor: '', stop: ''} : claimOfLeg(last)}];
	}

	const hasSameStops = !observation.loop && sameItems(stopsOfPath(observation.path), expected.legs.map(({stop}) => stop));
	// In a flow that is expected to loop, the rounds after the expected legs repeat them.
	const differences = Array.from({length: expected.loop === true ? expected.legs.length : Math.max(legs.length, expected.legs.length)}, (_, index) => {
		const [wanted, leg] = [expected.legs[index], legs[index]];
		if (leg === undefined) {
			return wanted === undefined ? undefined : {kind: 'missing-leg', leg: index, expected: claimOf(wanted)} satisfies Difference;
		}

		if (wanted === undefined) {
			return {kind: 'surplus-leg', leg: index, observed: claimOfLeg(leg)} satisfies Difference;
		}

		return legDifference({
			index, wanted, leg, ruleSet, hasSameStops,
		});
	}).filter(difference => difference !== undefined);
	if (observation.loop && expected.loop !== true) {
		return [loopDifference(differences, observation)];
	}

	if (differences.length > 0) {
		return differences;
	}

	const last = legs.at(-1)!;
	const closing = closingOf(last);
	if ((expected.closed === true) !== (closing !== undefined)) {
		return [{
			kind: 'closing', leg: legs.length - 1, observed: claimOfLeg(last), closed: closing ?? null,
		}];
	}

	return expected.path === undefined ? [] : stepDifferences(expected.path, observation);
}

/** Expectations about the connection itself. */
function traitDifference(leg: number, {source, zone}: ExpectedLeg, {from, flow}: Leg): Difference | undefined {
	if (source !== undefined && source !== from.address) {
		return {
			kind: 'trait', leg, trait: 'source', expectedTrait: source, observedTrait: from.address,
		};
	}

	if (zone !== undefined && flow !== undefined && flow.zone !== zone) {
		return {
			kind: 'trait', leg, trait: 'zone', expectedTrait: String(zone), observedTrait: String(flow.zone),
		};
	}

	return zone === undefined || flow?.isReplied !== false
		? undefined
		: {
			kind: 'trait', leg, trait: 'answer', expectedTrait: `in zone ${zone}`, observedTrait: 'in no zone or a different one',
		};
}

/** Where a path that is expected step by step diverges. Only the first step is reported, because all later ones are shifted. */
function stepDifferences(path: readonly string[], {path: observed}: Observation): readonly Difference[] {
	const steps = stepsOfPath(observed);
	const at = Array.from({length: Math.max(path.length, steps.length)}, (_, index) => index).find(index => path[index] !== steps[index]);
	if (at === undefined) {
		return [];
	}

	// The steps of a leg end with its listener, so the number of listeners before a step is its leg.
	let leg = 0;
	for (let seen = 1; leg < observed.legs.length - 1; leg++) {
		seen += stepsOfPath({legs: [observed.legs[leg]!]}).length - 1;
		if (at < seen) {
			break;
		}
	}

	return [{
		kind: 'step', leg, expectedStep: path[at] ?? null, observedStep: steps[at] ?? null,
	}];
}

/** Whether a leg ended as expected. An expectation of `dropped` does not say by which rule, and one of `lost` or `nowhere` does not say with which destination. */
function isStopAsExpected(wanted: string, observed: string): boolean {
	return wanted === observed || (openClaims.has(wanted) && observed.startsWith(`${wanted} `));
}

const openClaims: ReadonlySet<string> = new Set(['dropped', 'nowhere', 'lost', 'answer-dropped']);

function claimOf({actor, stop}: ExpectedLeg): LegClaim {
	return {actor, stop};
}

function claimOfLeg({actor, end}: Leg): LegClaim {
	return {actor, stop: printLegEnd(end)};
}

type LegPair = {readonly index: number; readonly wanted: ExpectedLeg; readonly leg: Leg; readonly ruleSet: MeshRules; readonly hasSameStops: boolean};

function legDifference({index, wanted, leg, ruleSet, hasSameStops}: LegPair): Difference | undefined {
	const [expected, observed] = [claimOf(wanted), claimOfLeg(leg)];
	if (wanted.actor !== leg.actor) {
		return {
			kind: 'actor', leg: index, expected, observed,
		};
	}

	const parting = wanted.roles === null ? undefined : partingOf({wanted: wanted.roles, leg, ruleSet});
	if (parting === undefined && isStopAsExpected(wanted.stop, observed.stop)) {
		return traitDifference(index, wanted, leg);
	}

	const {expectedRole, observedRole, rule} = parting ?? withoutClaim(lastRule(leg, ruleSet), wanted);
	const causes: Cause[] = [];
	if (parting !== undefined && expectedRole !== null) {
		causes.push(whyNot({
			role: expectedRole, rule, leg, ruleSet,
		}));
	}

	if (hasSameStops) {
		causes.push({kind: 'same-stops'});
	}

	return {
		kind: isStopAsExpected(wanted.stop, observed.stop) ? 'rule' : 'stop', leg: index, expectedRole, observedRole, rule, expected, observed, causes, ...(wanted.roles === null ? {unclaimed: true as const} : {}),
	};
}

/** Where the roles diverge. Foreign rules alone are not a difference, but if a role is missing, the foreign rule that decided, or that led to the decision, is the cause. */
export function partingOf({wanted, leg, ruleSet}: {readonly wanted: readonly Role[]; readonly leg: Leg; readonly ruleSet: MeshRules}): Parting | undefined {
	const hits = decidingHitsOf(leg, ruleSet);
	const known = hits.flatMap((hit, index) => hit.role === null ? [] : [{...hit, index}]);
	const at = Array.from({length: Math.max(wanted.length, known.length)}, (_, index) => index).find(index => wanted[index] !== known[index]?.role);
	if (at === undefined) {
		return undefined;
	}

	const instead = known[at];
	const between = hits.slice((known[at - 1]?.index ?? -1) + 1, instead?.index ?? hits.length);
	const foreign = between.findLast(({hit}) => instead === undefined ? isDeciding(hit, ruleSet) : jumpTarget(hit, ruleSet) === instead.hit.chain);
	const decided = foreign ?? instead;
	return {expectedRole: wanted[at] ?? null, observedRole: decided?.role ?? null, rule: decided?.hit ?? null};
}

/** All roles are as expected, but the leg arrived elsewhere: the last rule that can decide is reported, and its role was expected. */
function lastRule(leg: Leg, ruleSet: MeshRules): Parting {
	const last: RoleHit | undefined = roleHitsOf(leg, ruleSet).findLast(({hit}) => isDeciding(hit, ruleSet));
	return {expectedRole: last?.role ?? null, observedRole: last?.role ?? null, rule: last?.hit ?? null};
}

/** If no rules are expected, no role is. */
function withoutClaim(last: Parting, {roles}: ExpectedLeg): Parting {
	return roles === null ? {...last, expectedRole: null} : last;
}

/** Why the rule of a role did not decide. */
function whyNot({role, rule, leg, ruleSet}: {readonly role: Role; readonly rule: RuleHit | null; readonly leg: Leg; readonly ruleSet: MeshRules}): Cause {
	const candidates = rulesWithRole(ruleSet, role, leg);
	const [first] = candidates;
	if (first === undefined) {
		return {kind: 'missing', role, purpose: ruleSet.mesh.roles[role]?.purpose ?? ''};
	}

	const number = rule?.number;
	if (rule !== null && number !== undefined) {
		const later = candidates.find(candidate => candidate.table === rule.table && candidate.chain === rule.chain && candidate.number > number);
		if (later !== undefined) {
			return {
				kind: 'earlier', role, rule: referenceOf(rule, number), before: later,
			};
		}
	}

	const visited = chainsVisited(leg, ruleSet);
	const passed = candidates.find(({table, chain}) => visited.has(`${table} ${chain}`));
	return passed === undefined ? {kind: 'not-reached', role, rule: first} : {kind: 'not-matched', role, rule: passed};
}

function referenceOf({family, table, chain, text}: RuleHit, number: number): RuleReference {
	return {
		family, table, chain, number, text: text ?? '',
	};
}

/** A loop, described by its first unexpected leg and the stop that it reaches most often. */
function loopDifference(differences: readonly Difference[], observation: Observation): Difference {
	const stops = stopsOfPath(observation.path);
	const times = new Map<string, number>();
	for (const stop of stops) {
		times.set(stop, (times.get(stop) ?? 0) + 1);
	}

	const [stop, count] = [...times].toSorted(([, one], [, other]) => other - one)[0] ?? ['nowhere', 0];
	const first = differences[0];
	const nothing: LegClaim = {actor: '', stop: ''};
	return {
		leg: 0, expectedRole: null, observedRole: null, rule: null, expected: nothing, observed: nothing, causes: [], ...first, kind: 'loop', stop, times: count,
	};
}

function sameItems(one: readonly string[], other: readonly string[]): boolean {
	return one.length === other.length && one.every((item, index) => item === other[index]);
}
