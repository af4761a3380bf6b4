/**
The JSON documents of `testbed run` and `testbed replay`: of one run, and of many.
*/

import * as z from 'zod/mini';
import {
	about, count, fields, flag, listOf, mapOf, maybe, named, oneOf, orNull, text, type DocumentOf,
} from '../../parsing/schema.js';
import {backends} from '../../netfilter/types.js';
import {
	credentialsSchema, durationSchema, environmentFields, familySchema, gapSchema, legSchema, ruleHitSchema, ruleReferenceSchema, rulesSummarySchema, stepsSchema, summarySchema,
} from '../shared-schema.js';

/** The version of the document. 2: type 3 and type 5 have the leg by which the proxy asks its admin port, `path` can end with `closed`, and a probe of a batch can be `closed`. */
export const jsonVersion = 2;

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

/** A difference in the path of a leg. */
const deviation = {
	leg: legNumber,
	expectedRole: about('The role expected where the paths diverge; null if no further rule was expected.', orNull(text)),
	observedRole: about('The role of the rule that decided instead.', orNull(text)),
	rule: about('The rule that decided; null if no further rule matched.', orNull(ruleHitSchema)),
	expected: claim,
	observed: claim,
	causes: listOf(cause),
	unclaimed: maybe(about('Present if the expectation names no rules.', yes)),
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
		kind: z.literal('closing'), leg: legNumber, observed: claim, closed: about('Why the last listener closed the connection; null if it should have but did not.', orNull(oneOf(['own-port', 'no-source']))), message: text,
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
	id: about('The type\'s own identifier, or the number of the probe in its scenario. A further port that type 3 scrapes follows a slash, as in 3/15091, and so does the name of another user.', text),
	name: text,
	family: familySchema,
	actors: about('The actors that took part, with the credentials read back from the kernel.', mapOf(credentialsSchema)),
	outcome: oneOf(['pass', 'fail', 'inconclusive']),
	stops: about('The listeners that accepted a connection, in order.', stepsSchema),
	path: about('Every step in the notation of README.md.', stepsSchema),
	loop: flag,
	expected: fields({
		stops: stepsSchema,
		roles: listOf(text),
		path: maybe(stepsSchema),
		loop: maybe(yes),
		closed: maybe(about('Present if the last listener should close the connection.', yes)),
		legs: listOf(fields({
			actor: text, roles: about('Null if no roles are expected.', orNull(listOf(text))), stop: text, source: maybe(text), zone: maybe(count),
		})),
	}),
	published: about('What the article says; it decides nothing.', orNull(fields({path: stepsSchema, agrees: orNull(flag), reason: orNull(text)}))),
	fault: maybe(about('A known fault that the scenario expects.', fields({because: text, intended: stepsSchema}))),
	differences: listOf(difference),
	gaps: listOf(gapSchema),
	legs: listOf(legSchema),
	roles: about('The roles of the rules that decided, all legs in one; null for a rule without a role.', listOf(orNull(text))),
}));

/** One run. */
export const reportSchema = named('report', fields({
	version: z.literal(jsonVersion),
	scenario: maybe(fields({name: text, about: text})),
	environment: named('run-environment', fields({
		...environmentFields, proxy: about('The program that was the proxy, with its version; null for the stub.', orNull(text)),
	})),
	rules: rulesSummarySchema,
	types: listOf(typeResult),
	others: about('Traffic of other users: those that the rules also exempt as the proxy, and app containers with a user of their own. Counted in the summary.', listOf(fields({
		actor: text, uid: count, gid: count, types: listOf(typeResult),
	}))),
	ruleNotes: about('Remarks about the rules themselves.', listOf(ruleNote)),
	hints: listOf(text),
	summary: summarySchema,
	durationMs: durationSchema,
}));

/** What is known about a run that has no report. */
const absent = {
	scenario: maybe(fields({name: text})),
	rules: fields({source: text, release: orNull(text), backend: oneOf(backends)}),
};

/** A run that was asked for but has no report, by reason. */
const absentRun = named('absentRun', z.union([
	fields({...absent, unavailable: about('Why there cannot be such a run.', text)}),
	fields({...absent, rejected: about('Why the kernel or its tools rejected the rules.', text)}),
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

/** The document for one run. */
export type ReportDocument = DocumentOf<typeof reportSchema>;

/** The document for many runs. */
export type RunsDocument = DocumentOf<typeof runsSchema>;

/** A run without a report in it. */
export type AbsentRunDocument = DocumentOf<typeof absentRun>;

/** A result in it. */
export type ResultDocument = DocumentOf<typeof typeResult>;

/** A difference in it. */
export type DifferenceDocument = DocumentOf<typeof difference>;

/** A note in it. */
export type NoteDocument = DocumentOf<typeof ruleNote>;
