/**
Differences and their causes as sentences.
*/

import {printStep, type RuleHit} from '../../netfilter/path.js';
import type {
	Cause, Difference, LegClaim, RuleReference,
} from '../../judge/outcome.js';

type Of<Union extends {readonly kind: string}, Kind extends Union['kind']> = Extract<Union, {readonly kind: Kind}>;

type Deviating = Of<Difference, 'loop' | 'stop' | 'rule'>;

/** A rule that matched, by its place. */
export function nameOfHit({table, chain, number}: RuleHit): string {
	return printStep(table, chain, number ?? '?');
}

/** A rule, by its place. */
export function nameOfRule({table, chain, number}: RuleReference): string {
	return printStep(table, chain, number);
}

function nameOfLeg(leg: number, {actor}: LegClaim): string {
	return `leg ${leg + 1}, opened by ${actor},`;
}

function decider({rule, observedRole}: Deviating): string {
	if (rule === null) {
		return 'no further rule matched';
	}

	return `${nameOfHit(rule)} (${observedRole ?? 'a rule with no known role'}) decided`;
}

function expectedRoleOf({expectedRole, observedRole}: Deviating): string {
	if (expectedRole === null) {
		return '';
	}

	return expectedRole === observedRole ? ', as it should' : `, where ${expectedRole} was expected`;
}

/** What can be another of a leg than was claimed. */
const traits = {source: 'the source', zone: 'the conntrack zone', answer: 'an answer'} as const;

const sentences = {
	loop: difference => `The flow is a loop: it reached ${difference.stop} ${difference.times} times. It left the expected path in ${nameOfLeg(difference.leg, difference.observed)} where ${decider(difference)}${expectedRoleOf(difference)}.`,
	stop: difference => `${capital(nameOfLeg(difference.leg, difference.observed))} should have reached ${difference.expected.stop} and ${ended(difference.observed.stop)}: ${decider(difference)}${expectedRoleOf(difference)}.`,
	rule: difference => `${capital(nameOfLeg(difference.leg, difference.observed))} reached ${difference.observed.stop} as it should, by another path: ${decider(difference)}${difference.expectedRole === null ? ', where no further rule was expected' : expectedRoleOf(difference)}.`,
	actor: ({leg, expected, observed}) => `Leg ${leg + 1} should have been opened by ${expected.actor}, and ${observed.actor} opened it.`,
	'no-loop': ({observed}) => `The flow should loop, and it ended: the last connection, opened by ${observed.actor}, ${ended(observed.stop)}.`,
	trait: ({leg, trait, expectedTrait, observedTrait}) => `Leg ${leg + 1} reached its listener, with ${traits[trait]} ${observedTrait} instead of ${expectedTrait}.`,
	step: ({leg, expectedStep, observedStep}) => `In leg ${leg + 1} ${expectedStep === null ? 'no further step' : `the step ${expectedStep}`} was expected, and ${observedStep ?? 'no further one'} was observed.`,
	'missing-leg': ({leg, expected}) => `Leg ${leg + 1}, by which ${expected.actor} should have reached ${expected.stop}, did not take place.`,
	'surplus-leg': ({leg, observed}) => `Leg ${leg + 1} was not expected: ${observed.actor} opened a connection that ${ended(observed.stop)}.`,
} satisfies {[Kind in Difference['kind']]: (difference: Of<Difference, Kind>) => string};

/** How a leg ended, in a sentence. A stop has a port; everything else is what became of the connection. */
function ended(stop: string): string {
	if (/:\d+$/.test(stop)) {
		return `reached ${stop}`;
	}

	return stop === 'unknown' ? 'ended, nobody knows how' : `was ${stop}`;
}

const causes = {
	missing: ({role, purpose}) => `No rule of this set has the role ${role}: "${purpose}"`,
	earlier: ({role, rule, before}) => `${nameOfRule(rule)} comes before ${nameOfRule(before)}, which is the rule for ${role}.`,
	'not-matched': ({role, rule}) => `${nameOfRule(rule)} is a rule for ${role}, and did not match: ${rule.text}`,
	'not-reached': ({role, rule}) => `${nameOfRule(rule)} is a rule for ${role}, and the packet never entered its chain.`,
	'same-stops': () => 'The stops of the flow are the expected ones all the same: another rule keeps them.',
} satisfies {[Kind in Cause['kind']]: (cause: Of<Cause, Kind>) => string};

/** A difference as one sentence. */
export function describeDifference(difference: Difference): string {
	return (sentences[difference.kind] as (difference: Difference) => string)(difference);
}

/** A cause as one sentence. */
export function describeCause(cause: Cause): string {
	return (causes[cause.kind] as (cause: Cause) => string)(cause);
}

/** The causes of a difference; the kinds that concern whole legs have none. */
export function causesOf(difference: Difference): readonly Cause[] {
	return 'causes' in difference ? difference.causes : [];
}

function capital(text: string): string {
	return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
