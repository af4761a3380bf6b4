/**
The lines of a shard's file, and the file of times. A shard's file is JSON lines: a header, the plan of the whole work, a line for each piece that the shard did, and a line with the checksum of all lines before it.
*/

import * as z from 'zod/mini';
import {
	about, anything, atLeast, count, fields, listOf, mapOf, named, number, oneOf, someText, text, textOf, whole, type DocumentOf,
} from '../parsing/schema.js';
import {shardsMax} from './shard.js';

/** The version of the format that this testbed writes, and the only one that it reads. */
export const shardFileVersion = 1;

/** What the header calls the format. */
export const shardFormat = 'testbed-shard';

/** The commands whose work can be cut. */
export const shardedCommands = ['run', 'diff', 'mutate', 'probe'] as const;

/** One of them. */
export type ShardedCommand = typeof shardedCommands[number];

const sha256 = textOf(/^[\da-f]{64}$/u, 'a SHA-256 in hexadecimal');
const shardNumber = whole(1, shardsMax);

const plannedPiece = named('plannedPiece', atLeast({
	id: about('The name of the piece, unique in the plan.', someText),
	shard: about('The shard that does it.', shardNumber),
	about: about('What a report says about the piece if its shard is missing.', anything),
}));

/** The header. */
export const shardHeaderSchema = named('header', atLeast({
	format: z.literal(shardFormat, {error: `"${shardFormat}"`}),
	version: z.literal(shardFileVersion, {error: `version ${shardFileVersion}`}),
	program: about('The version of the testbed.', text),
	command: oneOf(shardedCommands),
	operands: about('The arguments of the command.', listOf(text)),
	options: about('The options that can change a result, by their names.', mapOf(anything)),
	question: about('A checksum of the plan and of everything that was read: rules, scenarios, probes.', sha256),
	shard: atLeast({index: shardNumber, count: shardNumber}),
	frame: about('What the report says apart from the pieces; null if the shard has no pieces.', anything),
	durationMs: about('How long the shard took.', number),
}));

/** The line of the plan. It is the same in all files of one question, so it is read once only. */
export const shardPlanSchema = named('plan', atLeast({plan: about('All pieces of the work, in the order of the report.', listOf(plannedPiece))}));

/** A line for one piece. */
export const shardPieceSchema = named('piece', atLeast({
	piece: about('The id of the piece in the plan.', someText),
	ms: about('How long it took.', number),
	result: about('What came of it; its form depends on the command.', anything),
}));

/** Any line. */
export const shardLineSchema = z.union([shardHeaderSchema, shardPlanSchema, shardPieceSchema, named('seal', atLeast({sha256}))]);

/** A header with the plan. */
export type ShardHeader = Pick<DocumentOf<typeof shardHeaderSchema>, 'program' | 'command' | 'operands' | 'options' | 'question' | 'shard' | 'frame' | 'durationMs'> & {readonly plan: readonly PlannedPiece[]};

/** A piece of the plan. */
export type PlannedPiece = {readonly id: string; readonly shard: number; readonly about: unknown};

/** The result of a piece, as JSON. */
export type PieceResult = {readonly piece: string; readonly ms: number; readonly result: unknown};

/** A file of times: how long each piece took in an earlier run. */
export const shardTimesSchema = fields({
	version: z.literal(1, {error: 'version 1'}),
	command: oneOf(shardedCommands),
	times: about('Milliseconds by the id of a piece.', mapOf(count)),
});

/** See {@link shardTimesSchema}. */
export type ShardTimes = DocumentOf<typeof shardTimesSchema>;
