/**
The JSON documents of `testbed run` and `testbed replay`: of one run, and of many.
*/

import * as z from 'zod/mini';
import {
	about, count, fields, flag, listOf, mapOf, maybe, named, oneOf, orNull, text, type DocumentOf,
} from '../../parsing/schema.js';
import {backends} from '../../netfilter/types.js';
import {
	credentialsSchema, durationSchema, environmentSchema, familySchema, gapSchema, legSchema, ruleHitSchema, ruleReferenceSchema, rulesSummarySchema, stepsSchema, summarySchema,
} from '../shared-schema.js';

/** The version of the document. */
export const jsonVersion = 1;

const yes = z.literal(true);
const claim = named('claim', fields({actor: text, stop: text}));

const cause = named('cause', z.discriminatedUnion('kind', [
	fields({kind: z.literal('missing'), role: text, message: text}),
	fields({
		kind: z.literal('earlier'), role: text, rule: ruleReferenceSchema, before: ruleReferenceSchema, message: text,
	}),
	fields({
		kind: oneOf(['not-matched', 'not-reached']), role: text, rule: ruleReferenceSchema, message: text,
	}),
	fields({kind: z.literal('same-stops'), message: text}),
]));

const legNumber = about('The leg, counted from 0.', count);

/** What a difference in the way of a leg has. */
const deviation = {
	leg: legNumber,
	expectedRole: about('The role expected where the ways part; null where no further rule was expected.', orNull(text)),
	observedRole: about('The role of the rule that decided instead.', orNull(text)),
	rule: about('The rule that decided; null where no rule matched any more.', orNull(ruleHitSchema)),
	expected: claim,
	observed: claim,
	causes: listOf(cause),
	unclaimed: maybe(about('There where nobody claimed any rule.', yes)),
	message: text,
};

const difference = named('difference', z.discriminatedUnion('kind', [
	fields({
		kind: z.literal('loop'), stop: text, times: count, ...deviation,
	}),
	fields({kind: z.literal('stop'), ...deviation}),
	fields({kind: z.literal('rule'), ...deviation}),
	fields({
		kind: z.literal('actor'), leg: legNumber, expected: claim, observed: claim, message: text,
	}),
	fields({
		kind: z.literal('no-loop'), leg: legNumber, observed: claim, message: text,
	}),
	fields({
		kind: z.literal('trait'), leg: legNumber, trait: oneOf(['source', 'zone', 'answer']), expectedTrait: text, observedTrait: text, message: text,
	}),
	fields({
		kind: z.literal('step'), leg: legNumber, expectedStep: orNull(text), observedStep: orNull(text), message: text,
	}),
	fields({
		kind: z.literal('missing-leg'), leg: legNumber, expected: claim, message: text,
	}),
	fields({
		kind: z.literal('surplus-leg'), leg: legNumber, observed: claim, message: text,
	}),
]));

const noted = {family: familySchema, rule: ruleReferenceSchema, reason: text};

const ruleNote = named('ruleNote', z.discriminatedUnion('kind', [
	fields({kind: z.literal('not-reached'), role: orNull(text), ...noted}),
	fields({
		kind: z.literal('missing'), role: text, coveredBy: orNull(ruleHitSchema), types: listOf(text), ...noted,
	}),
	fields({
		kind: z.literal('moved'), role: text, from: count, ...noted,
	}),
]));

const typeResult = named('result', fields({
	id: about('Of a type its own; of a probe of a scenario its number there.', text),
	name: text,
	family: familySchema,
	actors: about('Who had a part in it, with the credentials read back from the kernel.', mapOf(credentialsSchema)),
	outcome: oneOf(['pass', 'fail', 'inconclusive']),
	stops: about('The listeners that accepted a connection, in order.', stepsSchema),
	path: about('Every step in the notation of README.md.', stepsSchema),
	loop: flag,
	expected: fields({
		stops: stepsSchema,
		roles: listOf(text),
		path: maybe(stepsSchema),
		loop: maybe(yes),
		legs: listOf(fields({
			actor: text, roles: about('Null where nobody claims any.', orNull(listOf(text))), stop: text, source: maybe(text), zone: maybe(count),
		})),
	}),
	published: about('What the article says; it decides nothing.', orNull(fields({path: stepsSchema, agrees: orNull(flag), reason: orNull(text)}))),
	fault: maybe(about('A known fault that the scenario expects.', fields({because: text, intended: stepsSchema}))),
	differences: listOf(difference),
	gaps: listOf(gapSchema),
	legs: listOf(legSchema),
	roles: about('The roles of the rules that decided, all legs in one; null for a rule without one.', listOf(orNull(text))),
}));

/** One run. */
export const reportSchema = named('report', fields({
	version: z.literal(jsonVersion),
	scenario: maybe(fields({name: text, about: text})),
	environment: environmentSchema,
	rules: rulesSummarySchema,
	types: listOf(typeResult),
	ruleNotes: about('What is to be said of the rules themselves.', listOf(ruleNote)),
	hints: listOf(text),
	summary: summarySchema,
	durationMs: durationSchema,
}));

/** What a run that has no report still says. */
const absent = {
	scenario: maybe(fields({name: text})),
	rules: fields({source: text, release: orNull(text), backend: oneOf(backends)}),
};

/** A run that was asked for and has no report, by why. */
const absentRun = named('absentRun', z.union([
	fields({...absent, unavailable: about('Why there can be no such run.', text)}),
	fields({...absent, rejected: about('Why the kernel or its tools did not take the rules.', text)}),
	fields({...absent, inconclusive: about('Why this machine could not run it.', text)}),
]));

/** Many runs. */
export const runsSchema = named('runs', fields({
	version: z.literal(jsonVersion),
	runs: listOf(z.union([reportSchema, absentRun])),
	summary: summarySchema,
	durationMs: durationSchema,
}));

/** What `testbed run --format json` prints. */
export const runSchema = z.union([reportSchema, runsSchema]);

/** The document of one run. */
export type ReportDocument = DocumentOf<typeof reportSchema>;

/** The document of many. */
export type RunsDocument = DocumentOf<typeof runsSchema>;

/** A run in it that has no report. */
export type AbsentRunDocument = DocumentOf<typeof absentRun>;

/** One result in it. */
export type ResultDocument = DocumentOf<typeof typeResult>;

/** One difference in it. */
export type DifferenceDocument = DocumentOf<typeof difference>;

/** One note in it. */
export type NoteDocument = DocumentOf<typeof ruleNote>;
