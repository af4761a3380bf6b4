/**
Merges the files of shards: whether they belong together, the result of each piece, and what is missing. The order of the files does not matter.
*/

import {printShard, printShardNumbers, type Shard} from './shard.js';
import type {PieceResult, PlannedPiece, ShardHeader} from './schema.js';

/** A file that was read. `name` is the file's, for messages; `sha256` is the checksum of its contents. */
export type ShardFile = {readonly name: string; readonly sha256: string; readonly header: ShardHeader; readonly pieces: readonly PieceResult[]};

/** A piece that no file has, with the reason as a sentence. */
export type MissingPiece = PlannedPiece & {readonly reason: string};

/** The results of all shards. */
export type Gathered = {
	/** What all headers have in common. */
	readonly question: Pick<ShardHeader, 'program' | 'command' | 'operands' | 'options' | 'plan'>;
	readonly count: number;
	/** One file for each existing shard, in their order. */
	readonly files: readonly ShardFile[];
	/** The results of the pieces, by id. */
	readonly results: ReadonlyMap<string, PieceResult>;
	/** In the order of the plan. */
	readonly missing: readonly MissingPiece[];
	/** Numbers of shards without a file. */
	readonly missingShards: readonly number[];
	/** Remarks, a sentence each. */
	readonly notes: readonly string[];
	/** How long the slowest shard took. */
	readonly durationMs: number;
};

/** What is wrong with the files, as a sentence, or everything they came to. */
export type Gathering = {readonly complaint: string} | {readonly gathered: Gathered};

/**
Brings the files together. `keyOf` is the text of a result without what differs from run to run, so that two files of one shard can be told to agree.
*/
export function gather(given: readonly ShardFile[], keyOf: (result: unknown) => string): Gathering {
	const files = given.toSorted((one, other) => one.header.shard.index - other.header.shard.index || (one.sha256 < other.sha256 ? -1 : Number(one.sha256 > other.sha256)));
	const first = typicalOf(files);
	if (first === undefined) {
		return {complaint: 'There is no file to merge.'};
	}

	const complaint = files.map(file => complaintAboutPair(first, file) ?? complaintAboutPieces(file)).find(text => text !== undefined);
	if (complaint !== undefined) {
		return {complaint};
	}

	const own = new Map<number, ShardFile>();
	const notes: string[] = [];
	for (const file of files) {
		const {index} = file.header.shard;
		const other = own.get(index);
		if (other === undefined) {
			own.set(index, file);
			continue;
		}

		const differing = other.sha256 === file.sha256 ? undefined : differingPiece(other, file, keyOf);
		if (differing !== undefined) {
			return {complaint: `${other.name} and ${file.name} are both shard ${printShard(file.header.shard)}, but contradict each other about "${differing}".`};
		}

		notes.push(`${file.name} is left out: ${other.name} is the same shard ${printShard(file.header.shard)}, with the same results.`);
	}

	return {gathered: gathered(first, [...own.values()], notes)};
}

function gathered({header: {program, command, operands, options, plan, shard: {count}}}: ShardFile, files: readonly ShardFile[], notes: readonly string[]): Gathered {
	const results = new Map(files.flatMap(({pieces}) => pieces.map(piece => [piece.piece, piece] as const)));
	const present = new Set(files.map(({header: {shard: {index}}}) => index));
	const missing = plan.filter(({id}) => !results.has(id)).map((piece): MissingPiece => {
		const shard = printShard({index: piece.shard, count});
		return {...piece, reason: present.has(piece.shard) ? `The file of shard ${shard} lacks this piece.` : `The file of shard ${shard} is missing.`};
	});
	return {
		question: {
			program, command, operands, options, plan,
		},
		count,
		files,
		results,
		missing,
		missingShards: Array.from({length: count}, (_, place) => place + 1).filter(index => !present.has(index)),
		notes,
		durationMs: files.map(({header: {durationMs}}) => durationMs).toSorted((one, other) => other - one)[0] ?? 0,
	};
}

/** The file that all others are compared with: the first of the largest group that belongs together, so that a complaint is about the odd file, whatever the checksums are. */
function typicalOf(files: readonly ShardFile[]): ShardFile | undefined {
	const groups = new Map<string, ShardFile[]>();
	for (const file of files) {
		const {program, command, operands, options, shard: {count}, question} = file.header;
		const key = JSON.stringify([program, command, operands, options, count, question]);
		const group = groups.get(key);
		if (group === undefined) {
			groups.set(key, [file]);
		} else {
			group.push(file);
		}
	}

	return [...groups.values()].toSorted((one, other) => other.length - one.length)[0]?.[0];
}

/** Why two files do not belong together. What people can act on comes first: the version, the command, its arguments. */
function complaintAboutPair({name: firstName, header: first}: ShardFile, {name, header}: ShardFile): string | undefined {
	const say = (what: string, [theirs, ours]: readonly [unknown, unknown]): string => `${name} does not belong to ${firstName}: ${what} is ${worded(theirs)} there and ${worded(ours)} here.`;
	if (first.program !== header.program) {
		return say('the version of the testbed', [first.program, header.program]);
	}

	if (first.command !== header.command) {
		return say('the command', [first.command, header.command]);
	}

	if (JSON.stringify(first.operands) !== JSON.stringify(header.operands)) {
		return say('what the command was given', [first.operands.join(' '), header.operands.join(' ')]);
	}

	const option = [...new Set([...Object.keys(first.options), ...Object.keys(header.options)])].toSorted().find(key => JSON.stringify(first.options[key]) !== JSON.stringify(header.options[key]));
	if (option !== undefined) {
		return say(option, [first.options[option], header.options[option]]);
	}

	if (first.shard.count !== header.shard.count) {
		return say('the number of shards', [first.shard.count, header.shard.count]);
	}

	if (first.question !== header.question) {
		return JSON.stringify(first.plan.map(({id}) => id)) === JSON.stringify(header.plan.map(({id}) => id)) && JSON.stringify(first.plan) !== JSON.stringify(header.plan)
			? `${name} does not belong to ${firstName}: their work was cut differently, by other times.`
			: `${name} does not belong to ${firstName}: their command lines are the same, but the files that they read (rules, scenarios, probes) are not.`;
	}

	return undefined;
}

function worded(value: unknown): string {
	return value === undefined ? 'not given' : JSON.stringify(value);
}

/** A file has only pieces of its own shard, each once. */
function complaintAboutPieces({name, header: {shard, plan}, pieces}: ShardFile): string | undefined {
	const own = new Set(plan.filter(piece => piece.shard === shard.index).map(({id}) => id));
	const foreign = pieces.find(({piece}) => !own.delete(piece));
	return foreign === undefined ? undefined : `${name} is shard ${printShard(shard)}, but "${foreign.piece}" is not a piece of that shard, or occurs twice.`;
}

function differingPiece(one: ShardFile, other: ShardFile, keyOf: (result: unknown) => string): string | undefined {
	const keys = new Map(one.pieces.map(({piece, result}) => [piece, keyOf(result)]));
	const added = other.pieces.find(({piece, result}) => keys.get(piece) !== keyOf(result));
	const theirs = new Set(other.pieces.map(({piece}) => piece));
	return added?.piece ?? one.pieces.find(({piece}) => !theirs.has(piece))?.piece;
}

/** What is missing, for people: the shards by number, and pieces that a file should have but lacks. Empty if nothing is. */
export function describeMissing({missing, missingShards, count, question: {plan}}: Gathered): readonly string[] {
	const lost = missing.filter(({shard}) => missingShards.includes(shard)).length;
	const lacking = missing.filter(({shard}) => !missingShards.includes(shard));
	return [
		...(missingShards.length === 0 ? [] : [`Missing: ${missingShards.length === 1 ? 'shard' : 'shards'} ${printShardNumbers(missingShards)} of ${count}, with ${lost} of ${plan.length} pieces${lost === 0 ? '' : '. They are inconclusive'}.`]),
		...lacking.map(({id, reason}) => `${reason} (${id}) It is inconclusive.`),
	];
}

/** The ids of the pieces that a shard does, in the order of the plan. */
export function piecesOfShard(plan: readonly PlannedPiece[], {index}: Shard): readonly string[] {
	return plan.filter(({shard}) => shard === index).map(({id}) => id);
}
