/**
The JSON document of `testbed mutate`.
*/

import * as z from 'zod/mini';
import {
	about, count, fields, flag, listOf, mapOf, maybe, named, oneOf, orNull, text, type DocumentOf,
} from '../../parsing/schema.js';
import {mutationKinds} from '../../mutation/kinds.js';
import {moveShape} from '../comparison/schema.js';
import {
	durationSchema, environmentSchema, familySchema, gapSchema, rulesSummarySchema, tableFamilySchema,
} from '../shared-schema.js';

/** The version of the document. In version 1, `status` was called `fate`. */
export const mutationJsonVersion = 2;

const status = named('mutantStatus', z.discriminatedUnion('kind', [
	fields({kind: about('The tools or the kernel reject it.', z.literal('rejected')), reason: text}),
	fields({kind: about('Every packet takes the same path by the same rules.', z.literal('equivalent')), classes: count, probes: count}),
	fields({
		kind: z.literal('differs'),
		byStops: about('Whether some traffic arrives elsewhere. Otherwise it arrives at the same stops by other rules.', flag),
		moved: about('The most severe first.', listOf(named('move', fields(moveShape)), {min: 1})),
		replay: about('A shell command that prints the mutant and sends the example probe.', text),
	}),
	fields({kind: z.literal('inconclusive'), gaps: listOf(gapSchema)}),
]));

const detection = named('detection', z.discriminatedUnion('kind', [
	fields({kind: z.literal('killed'), by: about('What failed.', listOf(text))}),
	fields({kind: z.literal('survived')}),
	fields({kind: z.literal('inconclusive'), reasons: listOf(text)}),
]));

/** The status of all mutants. */
export const mutationSchema = fields({
	version: z.literal(mutationJsonVersion),
	environment: environmentSchema,
	rules: rulesSummarySchema,
	families: listOf(familySchema),
	cases: listOf(fields({
		name: text,
		count: about('How many cases pass with the original rules, and are therefore used.', count),
		leftOut: about('Scenarios for other rules, one sentence each.', listOf(text)),
		untrusted: about('Cases that do not pass with the original rules, one sentence each.', listOf(text)),
	})),
	scores: about('How many of the mutants that differ are detected by each kind of case.', listOf(fields({
		cases: text, killed: count, of: count, inconclusive: count, killedByStops: maybe(about('For the complete probes: by the stops alone.', count)),
	}))),
	mutants: listOf(fields({
		id: count,
		kind: oneOf(mutationKinds),
		family: tableFamilySchema,
		place: about('The changed rule: ISTIO_OUTPUT#4.', text),
		role: orNull(text),
		text: about('The change, in words.', text),
		isEdited: about('Whether the rule is still at its place, but with other words.', flag),
		rule: about('The original rule.', text),
		standing: oneOf(['killed', 'survived', 'inconclusive', 'left-out']),
		status,
		detections: about('By the name of the cases; empty for a mutant on which no case was tried.', mapOf(detection)),
	})),
	untouched: about('Parts of rules that are never mutated because the testbed does not understand them.', listOf(text)),
	hints: listOf(text),
	summary: fields({
		mutants: count, killed: count, survived: count, inconclusive: count, equivalent: count, rejected: count,
	}),
	durationMs: durationSchema,
});

/** The document of all mutants. */
export type MutationDocument = DocumentOf<typeof mutationSchema>;
