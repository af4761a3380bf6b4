/**
The JSON documents of `testbed diff`: of two rule sets, and of many pairs.
*/

import * as z from 'zod/mini';
import {
	about, count, fields, listOf, named, oneOf, orNull, text, type DocumentOf,
} from '../../parsing/schema.js';
import {severities} from '../../comparison/moves.js';
import {fieldNames, packetKinds} from '../../packet-classes/fields.js';
import {
	durationSchema, endpointSchema, environmentSchema, familySchema, gapSchema, protocolSchema, rulesSummarySchema, stepsSchema,
} from '../shared-schema.js';

const namedRule = named('namedRule', fields({place: text, role: orNull(text), text}));

const moved = named('move', fields({
	severity: oneOf(severities),
	families: listOf(familySchema),
	traffic: about('The packets in words, a sentence part for each set of them.', listOf(text)),
	was: about('Where each leg arrived by the one rule set.', stepsSchema),
	is: about('Where each leg arrived by the other.', stepsSchema),
	because: about('The first rule on the way that differs.', fields({
		kind: oneOf(['added', 'removed', 'changed', 'moved', 'order', 'not-found']), from: orNull(namedRule), to: orNull(namedRule), text,
	})),
	classes: count,
	witness: about('The probe that shows it. What is not there is the kernel\'s choice.', fields({
		kind: oneOf(['boundary', 'inner']),
		origin: oneOf(['pod', 'remote']),
		family: familySchema,
		protocol: protocolSchema,
		packet: oneOf(packetKinds),
		uid: z.optional(count),
		gid: z.optional(count),
		source: z.optional(text),
		sourcePort: z.optional(count),
		destination: endpointSchema,
		mark: z.optional(count),
	})),
	replay: about('Commands for a shell that send it again.', fields({from: text, to: text})),
}));

/** Two rule sets. */
export const comparisonSchema = named('comparison', fields({
	version: z.literal(1),
	environment: environmentSchema,
	from: rulesSummarySchema,
	to: rulesSummarySchema,
	outcome: oneOf(['equal', 'moved', 'inconclusive']),
	compared: about('How much was compared, by family.', listOf(fields({
		family: familySchema,
		classes: count,
		probes: count,
		fields: about('What some rule of either set looks at.', listOf(oneOf(fieldNames))),
		leftOut: listOf(fields({kind: text, because: text, classes: count})),
	}))),
	moved: listOf(moved),
	gaps: listOf(gapSchema),
	hints: listOf(text),
	summary: fields({classes: count, probes: count, moved: count}),
	durationMs: durationSchema,
}));

/** Many pairs of rule sets, of one release or more. */
export const comparisonSuitesSchema = named('suites', fields({
	version: z.literal(1),
	suites: listOf(fields({
		name: text, missing: listOf(fields({name: text, reason: text})), pairs: listOf(comparisonSchema),
	})),
}));

/** What `testbed diff --format json` prints. */
export const diffSchema = z.union([comparisonSchema, comparisonSuitesSchema]);

/** The document of two rule sets. */
export type ComparisonDocument = DocumentOf<typeof comparisonSchema>;

/** The document of many pairs. */
export type ComparisonSuitesDocument = DocumentOf<typeof comparisonSuitesSchema>;

