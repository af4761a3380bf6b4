/**
The JSON documents of `testbed probe`: the answer to one question, and one line of the answers to a batch.
*/

import * as z from 'zod/mini';
import {
	about, anything, count, fields, flag, listOf, mapOf, maybe, named, oneOf, orNull, text, type DocumentOf,
} from '../../parsing/schema.js';
import {jsonVersion} from '../run/schema.js';
import {
	chainShape, credentialsSchema, durationSchema, endpointSchema, environmentSchema, familySchema, gapSchema, legShape, protocolSchema, ruleReferenceSchema, rulesSummarySchema, stepsSchema,
} from '../shared-schema.js';
import type {ProbeQuestion} from './types.js';

const askedRule = named('askedRule', fields({
	chain: text,
	number: count,
	role: about('Null for a rule that no sidecar writes.', orNull(text)),
	text,
	purpose: orNull(text),
	does: text,
	matched: flag,
	decided: flag,
	failed: about('The first condition that failed, with the packet\'s own value.', orNull(fields({match: text, packet: text}))),
	notUnderstood: orNull(text),
}));

const askedChain = named('askedChain', fields({...chainShape, rules: listOf(askedRule)}));

const contradiction = named('contradiction', fields({
	leg: about('The leg, counted from 0.', count),
	kind: oneOf(['hit-fails', 'match-without-hit', 'out-of-way']),
	rule: fields({...ruleReferenceSchema.shape, number: orNull(count), text: orNull(text)}),
	message: text,
}));

/** The answer to one question. */
export const probeSchema = fields({
	version: z.literal(jsonVersion),
	environment: environmentSchema,
	rules: rulesSummarySchema,
	probe: fields({
		from: text,
		credentials: credentialsSchema,
		asked: about('The destination as the user named it.', text),
		to: endpointSchema,
		source: about('Null if the route chose it.', orNull(text)),
		family: familySchema,
		protocol: protocolSchema,
		mark: orNull(count),
		bindDevice: orNull(text),
	} satisfies Readonly<Record<keyof ProbeQuestion, unknown>>),
	actors: mapOf(credentialsSchema),
	outcome: oneOf(['answered', 'inconclusive']),
	stops: stepsSchema,
	path: stepsSchema,
	loop: flag,
	firstLegOnly: flag,
	legs: listOf(fields({...legShape, asked: about('Every rule that the kernel tested, in order.', listOf(askedChain))})),
	contradictions: about('Where the model of the rules and the kernel disagree.', listOf(contradiction)),
	gaps: listOf(gapSchema),
	hints: listOf(text),
	durationMs: durationSchema,
});

/** One line of the answers to a batch. */
export const batchAnswerSchema = fields({
	id: maybe(about('As in the line of the question.', anything)),
	path: stepsSchema,
	stops: stepsSchema,
	outcome: oneOf(['delivered', 'closed', 'refused', 'dropped', 'unreachable', 'nowhere', 'lost', 'answer-dropped', 'unknown', 'loop', 'inconclusive']),
	unsendable: maybe(about('Present if the kernel sent no packet.', fields({errno: text, message: text}))),
	gaps: about('If there are any, the outcome is inconclusive, and the path is what was seen of it.', listOf(gapSchema)),
});

/** The document for one answer. */
export type ProbeDocument = DocumentOf<typeof probeSchema>;

/** A rule in it. */
export type AskedRuleDocument = DocumentOf<typeof askedRule>;

/** A base chain in it. */
export type AskedChainDocument = DocumentOf<typeof askedChain>;

/** The rule of a contradiction in it. */
export type ContradictionRuleDocument = DocumentOf<typeof contradiction>['rule'];

/** The line for one answer of a batch. */
export type BatchAnswerDocument = DocumentOf<typeof batchAnswerSchema>;
