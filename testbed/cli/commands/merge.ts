/**
`testbed merge`: the files of all shards → the one report that the command would have printed without them.
*/

import {readdirSync, statSync} from 'node:fs';
import path from 'node:path';
import {
	describeMissing, gather, type Gathered, type ShardFile,
} from '../../../src/sharding/gather.js';
import type {ShardedCommand} from '../../../src/sharding/schema.js';
import {TestbedError} from '../../errors.js';
import {readBytes} from '../../inputs/read-text.js';
import {writeOutput} from '../../outputs/write.js';
import {sealedBytesMax} from '../../recording/sealed-lines.js';
import {parseShardFile, type KnownPlans} from '../../shards/file.js';
import {shardSuffix} from '../../shards/request.js';
import {printTimes} from '../../shards/times.js';
import {decodedFile} from '../../shards/values.js';
import {commandLine} from '../../system/program-name.js';
import {tell} from '../../system/streams.js';
import {drawsOne} from '../output/draw-one.js';
import {checkOutputFlags} from '../output/output-files.js';
import {wantedReports, type PrintFlags} from '../output/destinations.js';
import {version} from '../version.js';
import {keyOfAnswers, mergeAnswers} from './merge-batch.js';
import {keyOfComparison, mergeComparisons} from './merge-diff.js';
import {keyOfMutant, mergeMutants} from './merge-mutate.js';
import {judgedFile, keyOfRun, mergeRuns} from './merge-run.js';

/** The options as the command line gives them. */
export type MergeFlags = PrintFlags & {readonly record?: string; readonly times?: string};

/** What a command does with its gathered shards: print, and return the exit status. */
type Merger = {
	/** The file with its results as values. */
	readonly decode: (file: ShardFile) => ShardFile;
	/** The text of a result without what differs from run to run. */
	readonly keyOf: (result: unknown) => string;
	readonly merge: (gathered: Gathered, flags: MergeFlags) => Promise<number>;
};

const mergers: Readonly<Record<ShardedCommand, Merger>> = {
	run: {decode: judgedFile, keyOf: keyOfRun, merge: mergeRuns},
	diff: {decode: decodedFile, keyOf: keyOfComparison, merge: mergeComparisons},
	mutate: {decode: decodedFile, keyOf: keyOfMutant, merge: mergeMutants},
	probe: {decode: file => file, keyOf: keyOfAnswers, merge: mergeAnswers},
};

/**
Merges files, and prints as the command would have; returns the exit status that it would have had. Pieces without a file are inconclusive in the report, and named on standard error.

@throws {TestbedError} INPUT for a file that cannot be used or does not belong to the others, USAGE for options that the command's report does not have.
*/
export async function mergeCommand(words: readonly string[], flags: MergeFlags): Promise<number> {
	const names = words.flatMap(word => filesOf(word));
	checkOutputFlags(flags, names.map(file => ({name: 'a shard', file})), flags.times === undefined ? [] : [{name: '--times', what: 'The file of times', file: flags.times}]);
	const plans: KnownPlans = new Map();
	const files = names.map(name => parseShardFile(readBytes({file: name, what: 'The shard file', bytesMax: sealedBytesMax}), name === '-' ? 'standard input' : name, plans));
	const {command, program} = files[0]!.header;
	refuseFlags(command, flags);
	const {decode, keyOf, merge} = mergers[command];
	const foreign = files.find(file => file.header.program !== version);
	if (foreign?.header.program === program) {
		throw new TestbedError('INPUT', {message: `${foreign.name} was written by version ${program} of the testbed; this is version ${version}.`, state: 'Nothing was merged.', hint: 'Merge with the version that ran the shards.'});
	}

	const gathering = gather(files.map(file => file.header.command === command ? decode(file) : file), keyOf);
	if ('complaint' in gathering) {
		throw new TestbedError('INPUT', {message: gathering.complaint, state: 'Nothing was merged.', hint: 'Merge the files of one command, each shard once.'});
	}

	const {gathered} = gathering;
	const remarks = [...gathered.notes, ...describeMissing(gathered)];
	tell(remarks.map(text => `testbed: ${text}\n`).join(''));
	const status = await merge(gathered, flags);
	if (flags.times !== undefined) {
		await writeOutput(flags.times, printTimes(command, [...gathered.results.values()]), {what: 'The file of times', state: 'The report is printed.'});
	}

	return status;
}

/** A folder stands for all shard files in it. */
function filesOf(word: string): readonly string[] {
	if (word === '-' || statSync(word, {throwIfNoEntry: false})?.isDirectory() !== true) {
		return [word];
	}

	const files = readdirSync(word).filter(name => name.endsWith(shardSuffix)).toSorted();
	if (files.length === 0) {
		throw new TestbedError('INPUT', {message: `The folder ${word} has no shard files (*${shardSuffix}).`, state: 'Nothing was merged.', hint: `Write them there: ${commandLine(`run … --shard 1/4 --shard-output ${word}/`)}`});
	}

	return files.map(name => path.join(word, name));
}

/** @throws {TestbedError} USAGE for options that the report of a command does not have. */
function refuseFlags(command: ShardedCommand, {record, ...flags}: MergeFlags): void {
	if (record !== undefined && command !== 'run') {
		throw new TestbedError('USAGE', {message: `--record is for shards of testbed run; these are of testbed ${command}, which records nothing.`, state: 'Nothing was merged.'});
	}

	const drawing = wantedReports(flags).find(({format}) => drawsOne(format));
	if (drawing !== undefined && command !== 'run') {
		throw new TestbedError('USAGE', {message: `${drawing.format} is a format for shards of testbed run; these are of testbed ${command}.`, state: 'Nothing was merged.'});
	}
}
