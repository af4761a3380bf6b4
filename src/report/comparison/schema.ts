/**
The JSON documents of `testbed diff`: one for two rule sets, one for many pairs.
*/

import * as z from 'zod/mini';
import {
	about, count, fields, listOf, named, oneOf, orNull, text, type DocumentOf,
} from '../../parsing/schema.js';
import {driftCauses, driftFindings} from '../../comparison/drift.js';
import {severities} from '../../comparison/moves.js';
import {fieldNames, packetKinds} from '../../packet-classes/fields.js';
import {
	durationSchema, endpointSchema, environmentSchema, familySchema, gapSchema, protocolSchema, rulesSummarySchema, stepsSchema,
} from '../shared-schema.js';

const namedRule = named('namedRule', fields({place: text, role: orNull(text), text}));

/** The keys of the packet that represents a class. A missing key is left to the kernel. */
export const packetShape = {
	origin: oneOf(['pod', 'remote']),
	family: familySchema,
	protocol: protocolSchema,
	uid: z.optional(count),
	gid: z.optional(count),
	source: z.optional(text),
	sourcePort: z.optional(count),
	destination: endpointSchema,
	mark: z.optional(count),
	bindDevice: z.optional(about('The device that the socket is bound to.', text)),
};

/** The keys of packets that moved in the same way, in a comparison of two rule sets and in a baseline check. */
export const moveShape = {
	severity: oneOf(severities),
	families: listOf(familySchema),
	traffic: about('The packets in words, one phrase for each set of packets.', listOf(text)),
	was: about('Where each leg arrived under the first rule set.', stepsSchema),
	is: about('Where each leg arrived under the second rule set.', stepsSchema),
	because: about('The first rule on the path that differs.', fields({
		kind: oneOf(['added', 'removed', 'changed', 'moved', 'order', 'not-found']), from: orNull(namedRule), to: orNull(namedRule), text,
	})),
	classes: count,
	witness: about('A probe that shows the move. A missing key is left to the kernel.', fields({
		kind: oneOf(['boundary', 'inner']), packet: oneOf(packetKinds), ...packetShape,
	})),
};

const moved = named('move', fields({
	...moveShape,
	replay: about('Shell commands that send the probe again.', fields({from: text, to: text})),
}));

/** How much was compared, by family. */
export const comparedSchema = about('How much was compared, by family.', listOf(fields({
	family: familySchema,
	classes: count,
	probes: count,
	fields: about('The packet fields that at least one rule of either set tests.', listOf(oneOf(fieldNames))),
	leftOut: listOf(fields({kind: text, because: text, classes: count})),
})));

/** The document for two rule sets. */
export const comparisonSchema = named('comparison', fields({
	version: z.literal(1),
	environment: environmentSchema,
	from: rulesSummarySchema,
	to: rulesSummarySchema,
	outcome: oneOf(['equal', 'moved', 'inconclusive']),
	compared: comparedSchema,
	moved: listOf(moved),
	gaps: listOf(gapSchema),
	hints: listOf(text),
	drift: z.optional(about('Present if the second rule set is that of a live pod: what it does differently, and which of the usual causes left a trace.', fields({
		findings: listOf(fields({kind: oneOf(driftFindings), text})), causes: listOf(fields({kind: oneOf(driftCauses), text})),
	}))),
	summary: fields({classes: count, probes: count, moved: count}),
	durationMs: durationSchema,
}));

/** The document for many pairs of rule sets, of one or more releases. */
export const comparisonSuitesSchema = named('suites', fields({
	version: z.literal(1),
	suites: listOf(fields({
		name: text, missing: listOf(fields({name: text, reason: text})), pairs: listOf(comparisonSchema),
	})),
}));

/** What `testbed diff --format json` prints. */
export const diffSchema = z.union([comparisonSchema, comparisonSuitesSchema]);

/** The document for two rule sets. */
export type ComparisonDocument = DocumentOf<typeof comparisonSchema>;

/** The document for many pairs. */
export type ComparisonSuitesDocument = DocumentOf<typeof comparisonSuitesSchema>;

