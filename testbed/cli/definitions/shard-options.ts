/**
The options of commands whose work can be cut for several machines.
*/

import {InvalidArgumentError, type Command} from 'commander';
import {parseShard, shardsMax, type Shard} from '../../../src/sharding/shard.js';

function readShard(text: string): Shard {
	const shard = parseShard(text);
	if (shard === undefined) {
		throw new InvalidArgumentError(`it must be a number, a slash and the number of shards, such as 3/16 (from 1/16 to 16/16; at most ${shardsMax} shards).`);
	}

	return shard;
}

/** Adds `--shard`, `--shard-output` and `--shard-times` to a command. `pieces` is what is cut. */
export function addShardOptions(command: Command, pieces: string): Command {
	return command
		.option('--shard <n/count>', `do only one part of the work, such as 3/16 (cut between ${pieces}); testbed merge makes one report of all parts`, readShard)
		.option('--shard-output <file>', 'write the results of the shard to this file, or into this folder; without --shard, Kubernetes or GitLab says which shard it is')
		.option('--shard-times <file>', 'cut the work by these times, which testbed merge --times wrote (the same file for all shards)');
}
