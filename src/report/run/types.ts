/**
The result of a run as plain data: what every reporter prints, and what can be written to a file and read again. Its JSON form is version 1 of the contract in `docs/formats.md`.
*/

import type {Leg} from '../../netfilter/path.js';
import type {AddressFamily} from '../../netfilter/types.js';
import type {Role} from '../../mesh/roles.js';
import type {Outcome} from '../../judge/outcome.js';
import type {PublishedVerdict} from '../../judge/published.js';
import type {RuleNote} from '../../judge/rule-notes.js';
import type {Credentials, ExpectedPath, KnownFault} from '../../scenario/types.js';
import type {Gap} from '../../trace/gap.js';
import type {Environment, RulesSummary, Place} from '../shared-types.js';

/** One type of traffic in one family, judged. */
export type TypeResult = {
	/** Of a type its own; of a probe of a scenario its number there. */
	readonly id: string;
	readonly name: string;
	readonly family: AddressFamily;
	/** The actors that had a part in it, with the credentials read back from the kernel. */
	readonly actors: Readonly<Record<string, Credentials>>;
	readonly outcome: Outcome;
	readonly legs: readonly Leg[];
	readonly loop: boolean;
	readonly expected: ExpectedPath;
	/** The roles of the rules hit, per leg; null for a rule without one. */
	readonly observedRoles: ReadonlyArray<ReadonlyArray<Role | null>>;
	/** The roles of the rules that decided, all legs in one: without jumps into chains where nothing matched. */
	readonly decidingRoles: ReadonlyArray<Role | null>;
	/** Null for a type that the article does not treat. */
	readonly published: PublishedVerdict | null;
	/** There where the expectation is a fault that is known. */
	readonly fault?: KnownFault;
	/** There where a user's file holds what was claimed, or the rule that decided otherwise. */
	readonly place?: Place;
	readonly gaps: readonly Gap[];
};

/** A whole run. */
export type Report = {
	/** The user's file that was played, if it was not the six types. */
	readonly scenario?: {readonly name: string; readonly about: string};
	readonly environment: Environment;
	readonly rules: RulesSummary;
	readonly types: readonly TypeResult[];
	/** What is to be said of the rules themselves: missing, moved, not reached. */
	readonly ruleNotes: readonly RuleNote[];
	/** Hints for the reader that decide nothing: a UID that the rules know and the actors do not have. */
	readonly hints: readonly string[];
	readonly durationMs: number;
};
