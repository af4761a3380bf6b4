/**
What the commands whose work can be cut have in common: the options that belong to the question, and those that do not.
*/

import {mkdirSync} from 'node:fs';
import process from 'node:process';
import {optionOf} from '../../../src/scenario/probe-spec.js';
import {otherProxies} from '../../actors/proxy.js';
import {TestbedError} from '../../errors.js';
import {cannotWrite} from '../../outputs/write.js';
import {reasonOf} from '../../system/streams.js';
import {shardRequestOf, type ShardFlags, type ShardRequest} from '../../shards/request.js';
import type {CheckedInput, CheckedOutput} from '../../outputs/check.js';

/** Options that change what is printed, where it goes, or how it is done, but no result. Where the program of a proxy is differs from machine to machine; the evidence has its version. */
const notAsked: ReadonlySet<string> = new Set(['shard', 'shardOutput', 'shardTimes', 'format', 'output', 'verbose', 'jobs', 'record', 'list', 'json', 'quiet', 'color', ...otherProxies]);

/** The options that can change a result, by their names on the command line. */
export function askedOptions(flags: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
	return Object.fromEntries(Object.entries(flags).filter(([key]) => !notAsked.has(key)).map(([key, value]) => [optionOf(key), value]));
}

/**
The requested shard; undefined if the work is not cut. A folder in `--shard-output` that ends in a slash is created.

@throws {TestbedError} USAGE as {@link shardRequestOf}, and for an option in `excluded` that is given with a shard; INPUT if the folder cannot be created.
*/
export function shardOf(flags: ShardFlags & Readonly<Record<string, unknown>>, excluded: readonly string[] = []): ShardRequest | undefined {
	const request = shardRequestOf(flags, process.env);
	const wrong = request === undefined ? undefined : excluded.find(key => flags[key] !== undefined && flags[key] !== false);
	if (wrong !== undefined) {
		throw new TestbedError('USAGE', {message: `${optionOf(wrong)} cannot be used with a shard.`, state: 'Nothing was run.', hint: `Omit ${optionOf(wrong)}, or do all of the work here: omit --shard-output.`});
	}

	if (request !== undefined && flags.shardOutput?.endsWith('/') === true) {
		try {
			mkdirSync(flags.shardOutput, {recursive: true});
		} catch (error) {
			throw cannotWrite(request.file, reasonOf(error), {what: 'The shard file', state: 'Nothing was run.', cause: error});
		}
	}

	return request;
}

/** The file of a shard as an output to check before the run, and the file of times as an input. */
export function shardFiles(request: ShardRequest | undefined): {readonly outputs: readonly CheckedOutput[]; readonly inputs: readonly CheckedInput[]} {
	return request === undefined
		? {outputs: [], inputs: []}
		: {
			outputs: [{name: '--shard-output', what: 'The shard file', file: request.file}],
			inputs: request.times === undefined ? [] : [{name: '--shard-times', file: request.times}],
		};
}
