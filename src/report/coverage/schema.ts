/**
The JSON document of `testbed coverage`.
*/

import * as z from 'zod/mini';
import {
	about, count, fields, listOf, mapOf, named, orNull, text, type DocumentOf,
} from '../../parsing/schema.js';
import {matchSchema} from '../rules/schema.js';
import {
	durationSchema, environmentSchema, familySchema, gapSchema, protocolSchema, rulesSummarySchema, tableFamilySchema,
} from '../shared-schema.js';

const because = about('In words.', text);

const unreached = named('unreached', z.discriminatedUnion('kind', [
	fields({
		kind: about('Packets that it would match enter its chain, but earlier rules end their path.', z.literal('shadowed')),
		by: listOf(fields({place: text, role: orNull(text), packets: count})),
		because,
	}),
	fields({
		kind: about('Packets reach it, and each fails one of these conditions.', z.literal('no-match')),
		packets: count,
		conditions: listOf(fields({match: matchSchema, protocol: protocolSchema, packets: count})),
		because,
	}),
	fields({kind: about('Packets enter its chain, but earlier rules end the path of all of them; it would match none.', z.literal('cut-off')), packets: count, because}),
	fields({kind: about('No packet enters its chain. These rules would lead there.', z.literal('no-packet')), from: listOf(text), because}),
	fields({kind: about('No packet reaches the hook of its base chain.', z.literal('no-hook')), because}),
]));

/** Rule coverage. */
export const coverageSchema = fields({
	version: z.literal(1),
	environment: environmentSchema,
	rules: rulesSummarySchema,
	families: listOf(familySchema),
	cases: listOf(fields({name: text, probes: count})),
	classes: about('How many packet classes the complete probes represent.', count),
	required: about('Cases that must reach every reachable rule.', listOf(text)),
	coverage: listOf(fields({
		family: tableFamilySchema,
		place: text,
		role: orNull(text),
		rule: text,
		reach: about('By the name of the cases: how many packets hit the rule, and for how many it decided the path.', mapOf(fields({hits: count, decided: count}))),
		unreached: about('Why nothing reaches it; null if something does.', orNull(unreached)),
		missing: about('Required cases that should reach it but do not.', listOf(text)),
	})),
	gaps: listOf(gapSchema),
	hints: listOf(text),
	summary: fields({rules: count, reachable: count}),
	durationMs: durationSchema,
});

/** The document of a coverage report. */
export type CoverageDocument = DocumentOf<typeof coverageSchema>;
