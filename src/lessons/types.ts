/**
A lesson as it was read, and what a step of it showed on the kernel.
*/

import type {Outcome} from '../judge/outcome.js';
import type {MeshRules} from '../mesh/mesh.js';
import type {Role} from '../mesh/roles.js';
import type {Leg} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {Gap} from '../trace/gap.js';
import type {Block} from './markdown.js';
import type {Asked, LessonSetup, LessonTraffic} from './schema.js';

/** One question of a lesson. `setup` is the lesson's, unless the step has one of its own. */
export type LessonStep = {
	readonly text: readonly Block[];
	readonly setup: LessonSetup;
	readonly traffic: LessonTraffic;
	/** Chains whose rules are shown before the question. */
	readonly show: readonly string[];
	readonly question: readonly Block[];
	readonly asks: Asked;
	/** The answer that hints and ending speak of, as values of {@link Choice}. It judges nobody. */
	readonly writtenFor: readonly string[];
	readonly hints: ReadonlyArray<readonly Block[]>;
	readonly ending: readonly Block[];
};

/** A lesson. */
export type Lesson = {
	/** Of its file, without the number in front and the ending: `hairpin`. */
	readonly name: string;
	/** The number in front of it, which gives the order; undefined where there is none. */
	readonly number: number | undefined;
	readonly title: string;
	readonly part: string;
	readonly minutes: number;
	readonly text: readonly Block[];
	readonly steps: readonly LessonStep[];
	readonly ending: readonly Block[];
};

/** The result of one connection of a step. A result of `testbed run` is one, and so is an answer of `testbed probe` with a name. */
export type SeenConnection = {
	/** The id of its type, or its name in the step. */
	readonly id: string;
	readonly name: string;
	readonly legs: readonly Leg[];
	readonly loop: boolean;
	readonly gaps: readonly Gap[];
	/** The roles of the rules hit, per leg. */
	readonly observedRoles: ReadonlyArray<ReadonlyArray<Role | null>>;
	/** Of a type, for which a path is expected. */
	readonly outcome?: Outcome;
};

/** The result of a change that was tried: the types with it, or why it could not be installed. */
export type TriedFix = {readonly kind: 'ran'; readonly connections: readonly SeenConnection[]} | {readonly kind: 'rejected'; readonly reason: string};

/** All that the kernel said of a step. Whoever makes it has asked the kernel; nothing in it is from the lesson's file. */
export type StepEvidence = {
	readonly family: AddressFamily;
	/** The rules as the kernel held them. */
	readonly rules: MeshRules;
	readonly connections: readonly SeenConnection[];
	/** One for each change of a step that asks for them, in their order. */
	readonly fixes?: readonly TriedFix[];
};

/** One answer that can be chosen. `key` is what a user types: 1, 2, 3 … `value` is what it means: `4`, `proxy:15001`. */
export type Choice = {readonly key: string; readonly value: string; readonly text: string; readonly isRule: boolean};
