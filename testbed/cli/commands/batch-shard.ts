/**
One shard of `testbed probe --batch`: a block of the lines, and a file with their answers.
*/

import {createHash} from 'node:crypto';
import {TestbedError} from '../../errors.js';
import {readLines} from '../../inputs/read-text.js';
import type {RuleInput} from '../../inputs/types.js';
import type {BatchAnswer} from '../../probe/answers.js';
import {cutWork, type CutWork} from '../../shards/work.js';
import type {ShardRequest} from '../../shards/request.js';
import {version} from '../version.js';
import {askedOptions} from './shard-flags.js';

/** A block of lines as the merged answers show it if its shard is missing: how many probes it has. */
export type BlockAbout = {readonly probes: number};

/** The block of a shard: its first probe and the one after its last, counted from 0 over the lines that are not empty. */
export type Block = {readonly first: number; readonly end: number};

/** The part of a batch that a shard does. */
export type BatchShard = {readonly block: Block; readonly write: (answers: readonly BatchAnswer[], durationMs: number) => Promise<void>};

/**
Cuts a batch into as many blocks of lines as there are shards. The file is read once for that, so that every machine finds the same blocks and notices another file.

@throws {TestbedError} USAGE for standard input and for times, INPUT as `readLines`, and for a file without probes.
*/
export async function cutBatch({file, rules, flags, signal}: {
	readonly file: string; readonly rules: RuleInput; readonly flags: Readonly<Record<string, unknown>>; readonly signal: AbortSignal;
}, request: ShardRequest): Promise<BatchShard> {
	if (file === '-') {
		throw new TestbedError('USAGE', {message: 'A batch on standard input cannot be cut, because it is read twice.', state: 'Nothing was run.', hint: 'Save it to a file.'});
	}

	if (request.times !== undefined) {
		throw new TestbedError('USAGE', {message: '--shard-times cannot be used with --batch: the lines take about the same time.', state: 'Nothing was run.', hint: 'Omit --shard-times.'});
	}

	const {probes, sha256} = await scan(file, signal);
	const {count} = request.shard;
	const bounds = Array.from({length: count + 1}, (_, place) => Math.floor(probes * place / count));
	const blocks = bounds.slice(1).map((end, place): Block => ({first: bounds[place]!, end})).filter(({first, end}) => end > first);
	const {source, release, mesh, backend, ruleSet, routing, intent} = rules;
	const work: CutWork = cutWork({
		program: version,
		command: 'probe',
		operands: [],
		options: askedOptions(flags),
		pieces: blocks.map(({first, end}) => ({name: `probes ${first + 1} to ${end}`, about: {probes: end - first} satisfies BlockAbout})),
		read: [source, release, mesh, backend, ruleSet, routing, intent, sha256],
	}, request);
	const [own] = work.own;
	return {
		block: own === undefined ? {first: 0, end: 0} : blocks[own]!,
		async write(answers, durationMs) {
			await work.write({frame: null, durationMs, results: own === undefined ? [] : [{ms: durationMs, result: answers}]});
		},
	};
}

/** How many probes a file has, and the checksum of their lines. */
async function scan(file: string, signal: AbortSignal): Promise<{readonly probes: number; readonly sha256: string}> {
	const hash = createHash('sha256');
	let probes = 0;
	for await (const line of readLines({file, what: 'The batch', option: '--batch', signal})) {
		if (line.trim() !== '') {
			probes++;
			hash.update(`${line}\n`);
		}
	}

	signal.throwIfAborted();
	if (probes === 0) {
		throw new TestbedError('INPUT', {message: `${file} contains no probes.`, hint: 'Write one JSON object per line, for example: {"from": "app", "to": "10.96.0.1:443"}.'});
	}

	return {probes, sha256: hash.digest('hex')};
}
