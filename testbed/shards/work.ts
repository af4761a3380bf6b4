/**
The work of a command, cut: what all pieces are, which of them this shard does, and the file that it writes.
*/

import {createHash} from 'node:crypto';
import {cutInto, weightsOf} from '../../src/sharding/cut.js';
import {printShard, type Shard} from '../../src/sharding/shard.js';
import type {PieceResult, PlannedPiece, ShardedCommand} from '../../src/sharding/schema.js';
import {TableWriter} from '../../src/sharding/value-table.js';
import {writeOutput} from '../outputs/write.js';
import {tell} from '../system/streams.js';
import {printShardFile} from './file.js';
import {nameOfMesh} from './mesh-names.js';
import type {ShardRequest} from './request.js';
import {loadTimes} from './times.js';

/** Work that can be cut. */
export type Work = {
	/** The version of the testbed. */
	readonly program: string;
	readonly command: ShardedCommand;
	readonly operands: readonly string[];
	/** The options that can change a result, by the names of the command line. */
	readonly options: Readonly<Record<string, unknown>>;
	/** All pieces, in the order of the report. Names that occur twice get a number. `about` is what a report says of a piece whose shard is missing. */
	readonly pieces: ReadonlyArray<{readonly name: string; readonly about: unknown}>;
	/** The places of the pieces in an order in which those that share something costly are neighbors; the order of the report by default. */
	readonly order?: readonly number[];
	/** Everything that the command read and that decides its results. */
	readonly read: unknown;
};

/** What a shard came to. `results` are in the order of `own`. */
export type ShardOutcome = {readonly frame: unknown; readonly durationMs: number; readonly results: ReadonlyArray<Omit<PieceResult, 'piece'>>};

/** The part of the work that this shard does. */
export type CutWork = {
	/** The places of its pieces, in the order of the report. */
	readonly own: readonly number[];
	/**
	Writes the file, and says so on standard error.

	@throws {TestbedError} INPUT if it cannot be written.
	*/
	readonly write: (outcome: ShardOutcome) => Promise<void>;
};

/**
Cuts work. Every machine that is given the same work, number of shards and times gets the same cut.

@throws {TestbedError} INPUT for a file of times that cannot be used.
*/
export function cutWork({program, command, operands, options, pieces, order = [...pieces.keys()], read}: Work, {shard, file, times}: ShardRequest): CutWork {
	const ids = uniqueNames(pieces.map(({name}) => name));
	const known = times === undefined ? new Map<string, number>() : loadTimes(times, command);
	const shards = cutInto(shard.count, weightsOf(order.map(place => ids[place]!), known));
	const shardOf = new Map(order.map((place, position) => [place, shards[position]!]));
	const plan = pieces.map(({about}, place): PlannedPiece => ({id: ids[place]!, shard: shardOf.get(place)!, about}));
	const own = [...plan.keys()].filter(place => plan[place]!.shard === shard.index);
	return {
		own,
		async write({frame, durationMs, results}) {
			const bytes = printShardFile({
				program,
				command,
				operands,
				options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined).toSorted(([one], [other]) => one < other ? -1 : 1)),
				question: fingerprintOf({count: shard.count, plan, read}),
				shard,
				plan,
				frame,
				durationMs,
				pieces: own.map((place, position) => ({piece: ids[place]!, ...results[position]!})),
			});
			await writeOutput(file, bytes, {what: 'The shard file', state: 'The work of this shard is lost.'});
			tell(`testbed: ${describeShard(shard, own.length, plan.length)}, in ${file}\n`);
		},
	};
}

/** `shard 3/16: 5 of 78 pieces`. */
function describeShard(shard: Shard, own: number, all: number): string {
	return `shard ${printShard(shard)}: ${own} of ${all} ${all === 1 ? 'piece' : 'pieces'}`;
}

function uniqueNames(names: readonly string[]): readonly string[] {
	const seen = new Map<string, number>();
	return names.map(name => {
		const times = (seen.get(name) ?? 0) + 1;
		seen.set(name, times);
		return times === 1 ? name : `${name} #${times}`;
	});
}

/** A checksum of values, with everything in them but functions. */
export function fingerprintOf(value: unknown): string {
	return createHash('sha256').update(JSON.stringify(new TableWriter(nameOfMesh).write(value))).digest('hex');
}
