/**
What the testbed says of a probe, as plain data. A difference holds what was expected, what was observed, the rule that decided, and why, as far as the rule set tells.
*/

import type {RuleHit} from '../netfilter/path.js';
import type {Family} from '../netfilter/types.js';
import type {Role} from '../mesh/roles.js';
import type {Gap} from '../trace/gap.js';

/** A rule of the set under test, by its place, with its text. */
export type RuleReference = {readonly family: Family; readonly table: string; readonly chain: string; readonly number: number; readonly text: string};

/** Why the expected rule did not decide. */
export type Cause =
	/** No rule of the loaded set has that role. */
	| {readonly kind: 'missing'; readonly role: Role; /** What its rules are for, as one sentence. */ readonly purpose: string}
	/** The rule that was hit stands before the one that should have been. */
	| {readonly kind: 'earlier'; readonly role: Role; readonly rule: RuleReference; readonly before: RuleReference}
	/** The rule stands where the packet came by, and did not match it. */
	| {readonly kind: 'not-matched'; readonly role: Role; readonly rule: RuleReference}
	/** The rule stands in a chain that the packet never came to. */
	| {readonly kind: 'not-reached'; readonly role: Role; readonly rule: RuleReference}
	/** The stops of the whole flow are the expected ones all the same: another rule keeps them. */
	| {readonly kind: 'same-stops'};

/** What one leg should have been, in the words of the expectation. */
export type LegClaim = {readonly actor: string; readonly stop: string};

/** What every difference within a leg tells. */
type Deviation = {
	/** The leg, counted from 0. */
	readonly leg: number;
	/** The role that was due where the ways part; null where no further rule was due. */
	readonly expectedRole: Role | null;
	/** The role of the rule that decided instead; null for a rule without one, or no rule. */
	readonly observedRole: Role | null;
	/** The rule that decided; null where no rule matched any more. */
	readonly rule: RuleHit | null;
	readonly expected: LegClaim;
	readonly observed: LegClaim;
	readonly causes: readonly Cause[];
	/** There where nobody claimed any rule, so that none was due and none was surplus. */
	readonly unclaimed?: true;
};

/** How an observed path differs from the expected one. Legs count from 0, as in the report's JSON. */
export type Difference =
	/** The flow comes back to a stop again and again. `times` is how often it was there. */
	| ({readonly kind: 'loop'; readonly stop: string; readonly times: number} & Deviation)
	/** The leg arrived elsewhere, or nowhere. */
	| ({readonly kind: 'stop'} & Deviation)
	/** The leg arrived where it should, by other rules. */
	| ({readonly kind: 'rule'} & Deviation)
	/** Another actor opened the leg. */
	| {readonly kind: 'actor'; readonly leg: number; readonly expected: LegClaim; readonly observed: LegClaim}
	/** The flow should go round, and ended. */
	| {readonly kind: 'no-loop'; readonly leg: number; readonly observed: LegClaim}
	/** The leg came to where it should, from another address or in another zone of conntrack. */
	| {readonly kind: 'trait'; readonly leg: number; readonly trait: 'source' | 'zone' | 'answer'; readonly expectedTrait: string; readonly observedTrait: string}
	/** The stops are the expected ones, and a step of the path is not; null where one of the two paths has no further step. */
	| {readonly kind: 'step'; readonly leg: number; readonly expectedStep: string | null; readonly observedStep: string | null}
	| {readonly kind: 'missing-leg'; readonly leg: number; readonly expected: LegClaim}
	| {readonly kind: 'surplus-leg'; readonly leg: number; readonly observed: LegClaim};

/** What the testbed says of a probe. */
export type Outcome =
	| {readonly kind: 'pass'}
	| {readonly kind: 'fail'; readonly differences: readonly Difference[]}
	| {readonly kind: 'inconclusive'; readonly reasons: readonly Gap[]};
