/**
Which shard of the work a command is to do: by `--shard`, or by what a job engine says in the environment.
*/

import {statSync} from 'node:fs';
import path from 'node:path';
import {parseShard, printShard, type Shard} from '../../src/sharding/shard.js';
import {TestbedError} from '../errors.js';

/** The options of a command whose work can be cut. */
export type ShardFlags = {readonly shard?: Shard; readonly shardOutput?: string; readonly shardTimes?: string};

/** What they ask for. `file` is where the results go, `times` the file of times. */
export type ShardRequest = {readonly shard: Shard; readonly file: string; readonly times: string | undefined};

type Environment = Readonly<Record<string, string | undefined>>;

/** Kubernetes counts the pods of an Indexed Job from 0, and does not say how many there are: the manifest does. */
const kubernetes = {index: 'JOB_COMPLETION_INDEX', count: 'JOB_COMPLETIONS'};

/** GitLab counts the jobs of `parallel` from 1. */
const gitlab = {index: 'CI_NODE_INDEX', count: 'CI_NODE_TOTAL'};

const hint = 'Say which shard this is, for example: --shard 3/16.';

/**
The shard of a command; undefined if its work is not cut. The environment is read only with `--shard-output`, so that no job engine makes a command do less than it was asked for.

@throws {TestbedError} USAGE for one option without the other, or an environment that names no shard, half of one, or two.
*/
export function shardRequestOf({shard: given, shardOutput, shardTimes}: ShardFlags, environment: Environment): ShardRequest | undefined {
	if (shardOutput === undefined) {
		const [option] = [...(given === undefined ? [] : ['--shard']), ...(shardTimes === undefined ? [] : ['--shard-times'])];
		if (option !== undefined) {
			throw new TestbedError('USAGE', {message: `${option} needs --shard-output: a part of the work is worth nothing before it is merged with the others.`, state: 'Nothing was run.', hint: 'Add --shard-output FILE, and merge the files of all shards: testbed merge FILES'});
		}

		return undefined;
	}

	if (shardOutput === '') {
		throw new TestbedError('USAGE', {message: '--shard-output is empty (an unset variable?).', state: 'Nothing was run.'});
	}

	const shard = given ?? shardOfEnvironment(environment);
	return {shard, file: fileOf(shardOutput, shard), times: shardTimes};
}

function shardOfEnvironment(environment: Environment): Shard {
	const found = [shardBy(kubernetes, environment, 0), shardBy(gitlab, environment, 1)].filter(shard => shard !== undefined);
	const [shard, other] = found;
	if (shard === undefined) {
		throw new TestbedError('USAGE', {message: `--shard-output needs --shard, because the environment does not say which shard this is: neither ${kubernetes.index} (Kubernetes) nor ${gitlab.index} (GitLab) is set.`, state: 'Nothing was run.', hint});
	}

	if (other !== undefined) {
		throw new TestbedError('USAGE', {message: `The environment names two shards: ${printShard(shard)} by ${kubernetes.index} (Kubernetes) and ${printShard(other)} by ${gitlab.index} (GitLab).`, state: 'Nothing was run.', hint});
	}

	return shard;
}

function shardBy(names: {readonly index: string; readonly count: string}, environment: Environment, first: number): Shard | undefined {
	const [index, count] = [environment[names.index] ?? '', environment[names.count] ?? ''];
	if (index === '') {
		return undefined;
	}

	if (count === '') {
		throw new TestbedError('USAGE', {message: `${names.index} is ${index}, but ${names.count}, the number of shards, is not set.`, state: 'Nothing was run.', hint: names === kubernetes ? `Set ${names.count} in the manifest to the value of "completions", or pass --shard.` : hint});
	}

	const shard = /^\d{1,6}$/u.test(index) ? parseShard(`${Number(index) + 1 - first}/${count}`) : undefined;
	if (shard === undefined) {
		throw new TestbedError('USAGE', {message: `${names.index}=${index} and ${names.count}=${count} are not a shard: expected whole numbers, the first from ${first} to ${first === 0 ? `${names.count} − 1` : names.count}.`, state: 'Nothing was run.', hint});
	}

	return shard;
}

/** How the file of a shard is named in a folder. Numbers have the same width, so that names sort as shards do. */
export const shardSuffix = '.shard';

function fileOf(output: string, {index, count}: Shard): string {
	const isFolder = output.endsWith('/') || statSync(output, {throwIfNoEntry: false})?.isDirectory() === true;
	return isFolder ? path.join(output, `shard-${String(index).padStart(String(count).length, '0')}-of-${count}${shardSuffix}`) : output;
}
