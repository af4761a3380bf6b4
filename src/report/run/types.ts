/**
The result of a run as plain data, which all reporters print and which can be written to a file and read back. Its JSON form is version 2 of the contract in `docs/formats.md`.
*/

import type {Leg} from '../../netfilter/path.js';
import type {AddressFamily} from '../../netfilter/types.js';
import type {Intent} from '../../mesh/intent.js';
import type {MeshRules} from '../../mesh/mesh.js';
import type {Role} from '../../mesh/roles.js';
import type {Outcome} from '../../judge/outcome.js';
import type {PublishedVerdict} from '../../judge/published.js';
import type {RuleNote} from '../../judge/rule-notes.js';
import type {Credentials, ExpectedPath, KnownFault} from '../../mesh/traffic.js';
import type {Gap} from '../../trace/gap.js';
import type {Environment, RulesSummary, Place} from '../shared-types.js';

/** One type of traffic in one family, judged. */
export type TypeResult = {
	/** The type's own identifier, or the number of the probe in its scenario. */
	readonly id: string;
	readonly name: string;
	readonly family: AddressFamily;
	/** The actors that took part, with the credentials read back from the kernel. */
	readonly actors: Readonly<Record<string, Credentials>>;
	readonly outcome: Outcome;
	readonly legs: readonly Leg[];
	readonly loop: boolean;
	readonly expected: ExpectedPath;
	/** The roles of the rules hit, per leg; null for a rule without a role. */
	readonly observedRoles: ReadonlyArray<ReadonlyArray<Role | null>>;
	/** The roles of the rules that decided, all legs in one: without jumps into chains in which nothing matched. */
	readonly decidingRoles: ReadonlyArray<Role | null>;
	/** Null for a type that the article does not cover. */
	readonly published: PublishedVerdict | null;
	/** Present if the expectation is a known fault. */
	readonly fault?: KnownFault;
	/** Where the user's file has the expectation, or the rule that decided differently. */
	readonly place?: Place;
	readonly gaps: readonly Gap[];
	/** How long its connection took for the sender, in the round that counts. All first packets are sent at once, so these times overlap. Missing in older recordings. */
	readonly durationMs?: number;
};

/** The judged traffic of a user other than the actors of the types. */
export type OtherResults = Credentials & {readonly actor: string; readonly types: readonly TypeResult[]};

/** A whole run. */
export type Report = {
	/** The user's scenario file, if it was not the six types. */
	readonly scenario?: {readonly name: string; readonly about: string};
	readonly environment: Environment;
	readonly rules: RulesSummary;
	readonly types: readonly TypeResult[];
	/** Users that the rules also exempt as the proxy, and app containers with a user of their own; they are counted. */
	readonly others?: readonly OtherResults[];
	/** Remarks about the rules themselves: missing, moved, not reached. */
	readonly ruleNotes: readonly RuleNote[];
	/** Hints that decide nothing, such as a UID that occurs in the rules but belongs to no actor. */
	readonly hints: readonly string[];
	readonly durationMs: number;
	/** The rules as installed in the kernel, and what they are meant to do, for drawings and explanations. Not part of any document. */
	readonly loaded?: LoadedRules;
};

/** See {@link Report.loaded}. */
export type LoadedRules = {readonly rules: MeshRules; readonly intent: Intent};
