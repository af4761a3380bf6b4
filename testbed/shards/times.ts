/**
The file of times: how long each piece took in an earlier run, so that the next cut is even.
*/

import {placeInJson} from '../../src/parsing/json-place.js';
import {printComplaint, validate} from '../../src/parsing/validate.js';
import {shardTimesSchema, type PieceResult, type ShardedCommand, type ShardTimes} from '../../src/sharding/schema.js';
import {TestbedError} from '../errors.js';
import {readText} from '../inputs/read-text.js';
import {commandLine} from '../system/program-name.js';

/**
Reads the times of a command's pieces, in milliseconds by id.

@throws {TestbedError} INPUT if the file cannot be read, is not a file of times, or has the times of another command.
*/
export function loadTimes(file: string, command: ShardedCommand): ReadonlyMap<string, number> {
	const hint = `testbed merge writes one: ${commandLine('merge FILES --times FILE')}`;
	const text = readText({
		file, what: 'The file of times', option: '--shard-times', hint,
	});
	let data: unknown;
	try {
		data = JSON.parse(text);
	} catch (error) {
		throw new TestbedError('INPUT', {
			message: `${file} is not a file of times: it is not JSON${placeInJson(error, text)}.`, state: 'Nothing was run.', hint, cause: error,
		});
	}

	const checked = validate(shardTimesSchema, data);
	if (!('value' in checked)) {
		throw new TestbedError('INPUT', {message: `${file} is not a file of times: ${printComplaint(checked.complaints[0], 'the file')}.`, state: 'Nothing was run.', hint});
	}

	const {command: theirs, times} = checked.value;
	if (theirs !== command) {
		throw new TestbedError('INPUT', {message: `${file} has the times of testbed ${theirs}, not of testbed ${command}.`, state: 'Nothing was run.', hint});
	}

	return new Map(Object.entries(times));
}

/** The text of a file of times. */
export function printTimes(command: ShardedCommand, results: readonly PieceResult[]): string {
	const times: ShardTimes = {version: 1, command, times: Object.fromEntries(results.map(({piece, ms}) => [piece, Math.round(ms)]))};
	return `${JSON.stringify(times, undefined, '\t')}\n`;
}
