/**
Compares expected with observed and decides the outcome. Gaps come first: nothing passes or fails unless the evidence is complete.
*/

import type {Leg, Path} from '../netfilter/path.js';
import type {MeshRules} from '../mesh/mesh.js';
import type {Role} from '../mesh/roles.js';
import type {TrafficCase} from '../mesh/traffic.js';
import type {Gap} from '../trace/gap.js';
import type {Observation} from '../trace/observation.js';
import {differencesBetween} from './differences.js';
import {decidingHitsOf, roleHitsOf} from './observed-roles.js';
import type {Outcome} from './outcome.js';

/** An outcome, with the purpose of the rules that each leg met. */
export type Judgment = {
	readonly outcome: Outcome;
	readonly observedRoles: ReadonlyArray<ReadonlyArray<Role | null>>;
	/** The same without detours, all legs in one: paths are compared by these roles, whatever the back end. */
	readonly decidingRoles: ReadonlyArray<Role | null>;
};

/** Judges one case. `ruleSet` is the set under test, as it was loaded. */
export function judge({traffic, observation, ruleSet}: {readonly traffic: TrafficCase; readonly observation: Observation; readonly ruleSet: MeshRules}): Judgment {
	if (traffic.expected.legs.length === 0) {
		throw new RangeError(`type ${traffic.id} expects no leg at all, so any observation would pass`);
	}

	const observedRoles = observation.path.legs.map(leg => roleHitsOf(leg, ruleSet).map(({role}) => role));
	const decidingRoles = observation.path.legs.flatMap(leg => decidingHitsOf(leg, ruleSet).map(({role}) => role));
	const reasons = [...gapsIn(observation), ...zoneGaps(traffic, observation)];
	if (reasons.length > 0) {
		return {outcome: {kind: 'inconclusive', reasons}, observedRoles, decidingRoles};
	}

	const differences = differencesBetween({expected: traffic.expected, observation, ruleSet});
	return {outcome: differences.length === 0 ? {kind: 'pass'} : {kind: 'fail', differences}, observedRoles, decidingRoles};
}

/** Gaps for expected zones of legs for which conntrack shows nothing. If the legs are not the expected ones, that is reported first. */
function zoneGaps({expected: {legs: wanted}}: TrafficCase, {path: {legs}}: Observation): readonly Gap[] {
	return legs.length === wanted.length
		? legs.flatMap(({actor, flow}, index): readonly Gap[] => wanted[index]?.zone === undefined || flow !== undefined ? [] : [{kind: 'not-traced', message: `Conntrack shows no entry, or several, for leg ${index + 1}, opened by ${actor}, so its zone is not known.`}])
		: [];
}

/** The gaps that were found, and those that a path shows by itself. */
export function gapsIn({path, gaps}: Pick<Observation, 'gaps'> & {readonly path: Path}): readonly Gap[] {
	if (gaps.length > 0) {
		return gaps;
	}

	return path.legs.length === 0
		? [{kind: 'not-traced', message: 'The connection was not observed at all: it has no leg.'}]
		: path.legs.flatMap((leg, index) => gapsInLeg(leg, index));
}

function gapsInLeg({actor, traversals, end}: Leg, index: number): readonly Gap[] {
	const name = `leg ${index + 1}, opened by ${actor},`;
	return [
		...traversals.filter(traversal => traversal.end.by === 'open').map(({table, chain}): Gap => ({kind: 'open-traversal', message: `The trace of ${name} does not say how ${table} ${chain} was left.`})),
		...traversals.flatMap(({hits}) => hits).filter(({number}) => number === undefined).map(({table, chain}): Gap => ({kind: 'open-traversal', message: `The trace of ${name} names a rule of ${table} ${chain} that is not in the set.`})),
		...(end.kind === 'unknown' ? [{kind: 'no-end', message: `It is not known how ${name} ended: ${end.reason}.`} satisfies Gap] : []),
	];
}
