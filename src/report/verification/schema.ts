/**
The JSON document of `testbed baseline check`.
*/

import * as z from 'zod/mini';
import {
	about, count, fields, flag, listOf, mapOf, named, oneOf, orNull, text, type DocumentOf,
} from '../../parsing/schema.js';
import {comparedSchema, moveShape, packetShape} from '../comparison/schema.js';
import {
	durationSchema, environmentSchema, familySchema, gapSchema, rulesSummarySchema, stepsSchema,
} from '../shared-schema.js';

const rolesByLeg = listOf(listOf(text));

const checkedClass = named('checkedClass', fields({
	family: familySchema,
	traffic: about('The packets in words.', listOf(text)),
	probe: about('The probe that represents the class. A missing key is left to the kernel.', fields(packetShape)),
	recorded: fields({arrivals: stepsSchema, roles: rolesByLeg}),
	outcome: oneOf(['same', 'moved', 'unchecked']),
	to: z.optional(about('Present if it moved: where each leg arrives now.', stepsSchema)),
	because: z.optional(about('Present if it moved.', text)),
}));

const checkedCase = named('checkedCase', fields({
	name: text,
	recorded: fields({stops: stepsSchema, roles: about('For all legs, in order; null for a rule without a role.', listOf(orNull(text)))}),
	outcome: oneOf(['same', 'moved', 'inconclusive']),
	what: z.optional(about('Present if it moved: what differs.', oneOf(['stops', 'roles']))),
	to: z.optional(about('Present if it moved: what is observed now.', fields({
		of: text, id: text, name: text, family: familySchema, stops: stepsSchema, roles: listOf(orNull(text)),
	}))),
	gaps: z.optional(about('Present if it is inconclusive.', listOf(gapSchema))),
}));

/** The result of a baseline check. */
export const verificationSchema = fields({
	version: z.literal(1),
	baseline: fields({
		file: text,
		rules: rulesSummarySchema,
		environment: about('The machine and the programs that made the baseline.', mapOf(text)),
	}),
	environment: environmentSchema,
	rules: rulesSummarySchema,
	outcome: oneOf(['same', 'moved', 'inconclusive']),
	rolesCompared: about('Whether a path by other rules to the same stops counts as a move.', flag),
	compared: comparedSchema,
	moved: listOf(named('move', fields({...moveShape, replay: about('A shell command that sends the example probe again.', text)}))),
	classes: listOf(checkedClass),
	cases: listOf(checkedCase),
	gaps: listOf(gapSchema),
	hints: listOf(text),
	summary: fields({same: count, moved: count, unchecked: count}),
	durationMs: durationSchema,
});

/** The document of a baseline check. */
export type VerificationDocument = DocumentOf<typeof verificationSchema>;
