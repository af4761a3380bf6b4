/**
The outcome of a probe as plain data. A difference contains what was expected, what was observed, the rule that decided, and why, as far as the rule set shows it.
*/

import type {Closing, RuleHit} from '../netfilter/path.js';
import type {Family} from '../netfilter/types.js';
import type {Role} from '../mesh/roles.js';
import type {Gap} from '../trace/gap.js';

/** A rule of the set under test: its place and its text. */
export type RuleReference = {readonly family: Family; readonly table: string; readonly chain: string; readonly number: number; readonly text: string};

/** Why the expected rule did not decide. */
export type Cause =
	/** No rule of the loaded set has that role. */
	| {readonly kind: 'missing'; readonly role: Role; /** The purpose of its rules, as one sentence. */ readonly purpose: string}
	/** The rule that was hit comes before the expected one. */
	| {readonly kind: 'earlier'; readonly role: Role; readonly rule: RuleReference; readonly before: RuleReference}
	/** The packet reached the rule but did not match it. */
	| {readonly kind: 'not-matched'; readonly role: Role; readonly rule: RuleReference}
	/** The packet never reached the chain of the rule. */
	| {readonly kind: 'not-reached'; readonly role: Role; readonly rule: RuleReference}
	/** The flow still reaches the expected stops, because another rule leads there. */
	| {readonly kind: 'same-stops'};

/** The expected actor and stop of a leg, in the notation of the expectation. */
export type LegClaim = {readonly actor: string; readonly stop: string};

/** What every difference within a leg contains. */
type Deviation = {
	/** The leg, counted from 0. */
	readonly leg: number;
	/** The expected role where the paths diverge; null if no further rule was expected. */
	readonly expectedRole: Role | null;
	/** The role of the rule that decided instead; null for a rule without a role, or no rule. */
	readonly observedRole: Role | null;
	/** The rule that decided; null if no further rule matched. */
	readonly rule: RuleHit | null;
	readonly expected: LegClaim;
	readonly observed: LegClaim;
	readonly causes: readonly Cause[];
	/** Present if no rules are expected, so that none is missing or surplus. */
	readonly unclaimed?: true;
};

/** How an observed path differs from the expected one. Legs count from 0, as in the report's JSON. */
export type Difference =
	/** The flow keeps coming back to a stop. `times` is how often it was there. */
	| ({readonly kind: 'loop'; readonly stop: string; readonly times: number} & Deviation)
	/** The leg arrived elsewhere, or nowhere. */
	| ({readonly kind: 'stop'} & Deviation)
	/** The leg arrived where expected, but by other rules. */
	| ({readonly kind: 'rule'} & Deviation)
	/** Another actor opened the leg. */
	| {readonly kind: 'actor'; readonly leg: number; readonly expected: LegClaim; readonly observed: LegClaim}
	/** All legs are as expected, but the last listener closed the connection unexpectedly, or failed to close it. */
	| {readonly kind: 'closing'; readonly leg: number; readonly observed: LegClaim; readonly closed: Closing | null}
	/** The flow should loop, but it ended. */
	| {readonly kind: 'no-loop'; readonly leg: number; readonly observed: LegClaim}
	/** The leg arrived where expected, but from another address or in another conntrack zone. */
	| {readonly kind: 'trait'; readonly leg: number; readonly trait: 'source' | 'zone' | 'answer'; readonly expectedTrait: string; readonly observedTrait: string}
	/** The stops are as expected, but a step of the path is not; null if one of the two paths has no further step. */
	| {readonly kind: 'step'; readonly leg: number; readonly expectedStep: string | null; readonly observedStep: string | null}
	| {readonly kind: 'missing-leg'; readonly leg: number; readonly expected: LegClaim}
	| {readonly kind: 'surplus-leg'; readonly leg: number; readonly observed: LegClaim};

/** The outcome of a probe. */
export type Outcome =
	| {readonly kind: 'pass'}
	| {readonly kind: 'fail'; readonly differences: readonly Difference[]}
	| {readonly kind: 'inconclusive'; readonly reasons: readonly Gap[]};
