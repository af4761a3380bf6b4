/**
Differences and their causes as sentences.
*/

import {printStep, type Closing, type RuleHit} from '../../netfilter/path.js';
import type {
	Cause, Difference, LegClaim, RuleReference,
} from '../../judge/outcome.js';

/** Why a proxy closes a connection that it accepted, in sentences. Sources: Istio's blackhole chains (`buildOutboundListener` and `buildInboundBlackhole` in pilot's listener builder); the failed bind was measured with Envoy 1.40. */
const closings = {
	'own-port': 'The proxy closes connections to its own port so that it does not call itself forever. No rule shows that.',
	'no-source': 'The proxy cannot bind the source address of its inbound connections, because this pod does not have it. It connects from the pod\'s own address instead, gives up at once, and closes the connection that it had accepted.',
} as const satisfies Record<Closing, string>;

/** What a real proxy does in a loop that nothing cuts. Envoy 1.40 with 400 descriptors sent 183 SYNs in 0.7 s and aborted. */
export const realLoop = 'A real proxy goes on until it has no sockets left, two for each round; Envoy then aborts.';

/** Why a connection was closed, in sentences. */
export function describeClosing(closing: Closing): string {
	return closings[closing];
}

/** That another listener of the same process took over the connection, in sentences. */
export function describeHandOver(handedTo: string): string {
	return `handed to ${handedTo}: the proxy gives a connection to the port of one of its own listeners to that listener, whatever host it was meant for. It never leaves the pod, and no rule shows that.`;
}

type Of<Union extends {readonly kind: string}, Kind extends Union['kind']> = Extract<Union, {readonly kind: Kind}>;

type Deviating = Of<Difference, 'loop' | 'stop' | 'rule'>;

/** The place of a rule that matched. */
export function nameOfHit({table, chain, number}: RuleHit): string {
	return printStep(table, chain, number ?? '?');
}

/** The place of a rule. */
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

	return expectedRole === observedRole ? ', as expected' : `, where ${expectedRole} was expected`;
}

/** Properties of a leg that can differ from the expectation. */
const traits = {source: 'the source', zone: 'the conntrack zone', answer: 'an answer'} as const;

const sentences = {
	loop: difference => `The flow is a loop: it reached ${difference.stop} ${difference.times} times. It left the expected path in ${nameOfLeg(difference.leg, difference.observed)} where ${decider(difference)}${expectedRoleOf(difference)}. ${realLoop}`,
	stop: difference => `${capital(nameOfLeg(difference.leg, difference.observed))} should have reached ${difference.expected.stop} but ${ended(difference.observed.stop)}: ${decider(difference)}${expectedRoleOf(difference)}.`,
	rule: difference => `${capital(nameOfLeg(difference.leg, difference.observed))} reached ${difference.observed.stop} as expected, but by another path: ${decider(difference)}${difference.expectedRole === null ? ', where no further rule was expected' : expectedRoleOf(difference)}.`,
	actor: ({leg, expected, observed}) => `Leg ${leg + 1} should have been opened by ${expected.actor}, but ${observed.actor} opened it.`,
	closing: ({leg, observed, closed}) => closed === null
		? `${capital(nameOfLeg(leg, observed))} ${ended(observed.stop)}, which should have closed the connection but did not.`
		: `${capital(nameOfLeg(leg, observed))} ${ended(observed.stop)}, which closed the connection: ${describeClosing(closed)}`,
	'no-loop': ({observed}) => `The flow should loop, but it ended: the last connection, opened by ${observed.actor}, ${ended(observed.stop)}.`,
	trait: ({leg, trait, expectedTrait, observedTrait}) => `Leg ${leg + 1} reached its listener, with ${traits[trait]} ${observedTrait} instead of ${expectedTrait}.`,
	step: ({leg, expectedStep, observedStep}) => `In leg ${leg + 1} ${expectedStep === null ? 'no further step' : `the step ${expectedStep}`} was expected, but ${observedStep ?? 'none'} was observed.`,
	'missing-leg': ({leg, expected}) => `Leg ${leg + 1}, in which ${expected.actor} should have reached ${expected.stop}, did not happen.`,
	'surplus-leg': ({leg, observed}) => `Leg ${leg + 1} was not expected: ${observed.actor} opened a connection that ${ended(observed.stop)}.`,
} satisfies {[Kind in Difference['kind']]: (difference: Of<Difference, Kind>) => string};

/** How a leg ended, as a clause. A stop has a port; anything else is an outcome of the connection. */
function ended(stop: string): string {
	if (/:\d+$/.test(stop)) {
		return `reached ${stop}`;
	}

	return stop === 'unknown' ? 'ended in an unknown way' : `was ${stop}`;
}

const causes = {
	missing: ({role, purpose}) => `No rule of this set has the role ${role}: "${purpose}"`,
	earlier: ({role, rule, before}) => `${nameOfRule(rule)} comes before ${nameOfRule(before)}, which is the rule for ${role}.`,
	'not-matched': ({role, rule}) => `${nameOfRule(rule)} is a rule for ${role} but did not match: ${rule.text}`,
	'not-reached': ({role, rule}) => `${nameOfRule(rule)} is a rule for ${role}, but the packet never entered its chain.`,
	'same-stops': () => 'The flow still reaches the expected stops, because another rule leads there.',
} satisfies {[Kind in Cause['kind']]: (cause: Of<Cause, Kind>) => string};

/** A difference as one sentence. */
export function describeDifference(difference: Difference): string {
	return (sentences[difference.kind] as (difference: Difference) => string)(difference);
}

/** A cause as one sentence. */
export function describeCause(cause: Cause): string {
	return (causes[cause.kind] as (cause: Cause) => string)(cause);
}

/** The causes of a difference; differences of whole legs have none. */
export function causesOf(difference: Difference): readonly Cause[] {
	return 'causes' in difference ? difference.causes : [];
}

function capital(text: string): string {
	return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
