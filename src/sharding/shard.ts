/**
One shard of work that is cut for several machines: the third of sixteen is `3/16`.
*/

/** Which part of the work a machine does. `index` is counted from 1 to `count`. */
export type Shard = {readonly index: number; readonly count: number};

/** The largest number of shards. A file of a shard names every piece of the work, so many more would be mostly names. */
export const shardsMax = 100_000;

/** Parses `3/16`; undefined for anything else, such as `0/16`, `17/16` or `3/0`. */
export function parseShard(text: string): Shard | undefined {
	const {index, count} = /^(?<index>[1-9]\d{0,5})\/(?<count>[1-9]\d{0,5})$/u.exec(text)?.groups ?? {};
	const shard = {index: Number(index), count: Number(count)};
	return shard.index <= shard.count && shard.count <= shardsMax ? shard : undefined;
}

/** `3/16`. */
export function printShard({index, count}: Shard): string {
	return `${index}/${count}`;
}

/** A list of shard numbers in which neighbors are joined: `2, 5-9, 12`. They must be sorted and each named once. */
export function printShardNumbers(numbers: readonly number[]): string {
	const runs: Array<{readonly first: number; last: number}> = [];
	for (const number of numbers) {
		const run = runs.at(-1);
		if (run !== undefined && run.last + 1 === number) {
			run.last = number;
		} else {
			runs.push({first: number, last: number});
		}
	}

	return runs.map(({first, last}) => first === last ? String(first) : `${first}-${last}`).join(', ');
}
