/**
The file of a shard: a header that says what was asked, the plan of the whole work, and the result of each piece that the shard did.
*/

import {printComplaint, validate} from '../../src/parsing/validate.js';
import type {ShardFile} from '../../src/sharding/gather.js';
import {
	shardFileVersion, shardFormat, shardHeaderSchema, shardPieceSchema, shardPlanSchema, type PieceResult, type PlannedPiece, type ShardHeader,
} from '../../src/sharding/schema.js';
import {TestbedError} from '../errors.js';
import {
	damaged, decompressed, headerOf, jsonOfLine, sealLines, unsealed, type SealedWords,
} from '../recording/sealed-lines.js';
import {commandLine} from '../system/program-name.js';

/** What a shard writes. */
export type ShardResults = ShardHeader & {readonly pieces: readonly PieceResult[]};

/** Plans that were read from other files, by question. With a thousand shards of thousands of pieces, reading the same plan from every file would take most of the time and memory. */
export type KnownPlans = Map<string, readonly PlannedPiece[]>;

/** How messages name the file of a shard. */
export function wordsOfShardFile(name: string): SealedWords {
	return {
		kind: 'shard file', name, state: 'Nothing was merged.', again: 'run that shard again',
	};
}

/** The bytes of a shard's file. */
export function printShardFile({pieces, plan, ...header}: ShardResults): Uint8Array {
	return sealLines([{format: shardFormat, version: shardFileVersion, ...header}, {plan}, ...pieces]);
}

/**
Parses the bytes of a shard's file; `name` is the file's, for errors. Whether it belongs to other files is told by `gather`. The plan of a question in `known` is not read again: the question is a checksum of the plan, too.

@throws {TestbedError} INPUT if it is not the file of a shard, has another version, is truncated, damaged or too large.
*/
export function parseShardFile(bytes: Uint8Array, name: string, known: KnownPlans = new Map()): ShardFile {
	const words = wordsOfShardFile(name);
	const text = decompressed(bytes, words);
	const head = headerOf(text) as {readonly format?: unknown; readonly version?: unknown} | null | undefined;
	if (head?.format !== shardFormat) {
		const isRecording = head?.format === 'testbed-recording';
		throw new TestbedError('INPUT', {
			message: `${name} is not the file of a shard${isRecording ? ', but a recording' : ''}.`, state: words.state,
			hint: isRecording ? `Judge a recording with ${commandLine('replay')}.` : `Create one: ${commandLine('run … --shard 1/4 --shard-output FILE')}`,
		});
	}

	if (head.version !== shardFileVersion) {
		throw new TestbedError('INPUT', {message: `${name} is a shard file of version ${String(head.version)}; this testbed reads version ${shardFileVersion}.`, state: words.state, hint: 'Merge with the version of the testbed that ran the shards.'});
	}

	const {lines, sha256} = unsealed(text, words);
	const checked = validate(shardHeaderSchema, head);
	if (!('value' in checked)) {
		throw damaged(words, printComplaint(checked.complaints[0], 'header'));
	}

	const {value: {question, shard, ...rest}} = checked;
	const plan = known.get(question) ?? readPlan(lines[1], words);
	known.set(question, plan);
	const pieces = lines.slice(2).map(line => {
		const piece = validate(shardPieceSchema, jsonOfLine(line, words));
		if (!('value' in piece)) {
			throw damaged(words, printComplaint(piece.complaints[0], 'piece'));
		}

		return piece.value;
	});
	const {index, count} = shard;
	if (index > count || plan.some(piece => piece.shard > count)) {
		throw damaged(words, 'its plan names a shard that does not exist');
	}

	return {
		name, sha256, pieces, header: {
			...rest, question, shard, plan,
		},
	};
}

function readPlan(line: string | undefined, words: SealedWords): readonly PlannedPiece[] {
	const checked = validate(shardPlanSchema, line === undefined ? {} : jsonOfLine(line, words));
	if (!('value' in checked)) {
		throw damaged(words, printComplaint(checked.complaints[0], 'the plan'));
	}

	const {plan} = checked.value;
	if (new Set(plan.map(({id}) => id)).size < plan.length) {
		throw damaged(words, 'its plan names a piece twice');
	}

	return plan;
}
