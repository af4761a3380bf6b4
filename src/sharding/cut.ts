/**
The cut: which shard does which piece of a list. Every machine cuts for itself, so the result depends on nothing but the list, its weights and the number of shards.

Each shard gets neighbors in the list, because neighbors share costly things (a sandbox with its actors, the classes of a series, the probes of the original rules). Among all cuts of that kind, this one has the shortest longest shard.
*/

/** A weight for pieces whose time nobody knows. */
const unknownWeight = 1;

/**
The weights of pieces: their times, and the mean of the known times for a piece without one. Whole numbers of at least 1, so that sums are exact and no piece is free.
*/
export function weightsOf(ids: readonly string[], times: ReadonlyMap<string, number>): readonly number[] {
	const known = ids.flatMap(id => times.get(id) ?? []);
	const mean = known.length === 0 ? unknownWeight : known.reduce((sum, time) => sum + time, 0) / known.length;
	return ids.map(id => Math.max(1, Math.round(times.get(id) ?? mean)));
}

/**
Cuts a list into neighbors: the number of the shard of each piece, counted from 1 and never falling. The heaviest shard is as light as any such cut allows, and the others are kept close to the mean.

@throws {RangeError} for a number of shards that is not a whole number from 1.
*/
export function cutInto(count: number, weights: readonly number[]): readonly number[] {
	if (!Number.isInteger(count) || count < 1) {
		throw new RangeError(`${count} is not a number of shards`);
	}

	const heaviest = lightestBound(count, weights);
	const needed = shardsNeeded(weights, heaviest);
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	const shards: number[] = [];
	let [shard, load, done] = [1, 0, 0];
	for (const [place, weight] of weights.entries()) {
		// The rest must fit into the shards after this one, so a shard closes at its share of the total only if it may.
		const isFull = load + weight > heaviest;
		const hasShare = load > 0 && done + (weight / 2) > total * shard / count && needed[place]! <= count - shard;
		if (isFull || hasShare) {
			shard++;
			load = 0;
		}

		shards.push(shard);
		load += weight;
		done += weight;
	}

	return shards;
}

/** The smallest load that no shard has to exceed, found by halving: the heaviest piece is too little, or all of them are enough. */
function lightestBound(count: number, weights: readonly number[]): number {
	let [low, high] = [0, 0];
	for (const weight of weights) {
		low = Math.max(low, weight);
		high += weight;
	}

	while (low < high) {
		const middle = Math.floor((low + high) / 2);
		if ((shardsNeeded(weights, middle)[0] ?? 0) <= count) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}

	return low;
}

/** For each place, how many shards the pieces from there to the end need if none has more than a load. Filled greedily, which needs the fewest. */
function shardsNeeded(weights: readonly number[], bound: number): readonly number[] {
	const needed: number[] = [];
	// The end of the shard that begins at a place moves back with the place.
	let [end, load] = [weights.length, 0];
	for (let place = weights.length - 1; place >= 0; place--) {
		load += weights[place]!;
		while (load > bound) {
			load -= weights[--end]!;
		}

		needed[place] = 1 + (needed[end] ?? 0);
	}

	return needed;
}

/** The total weight of each shard, from the first to the last; 0 for a shard without pieces. */
export function loadsOf(count: number, shards: readonly number[], weights: readonly number[]): readonly number[] {
	const loads = Array.from({length: count}, () => 0);
	for (const [place, shard] of shards.entries()) {
		loads[shard - 1]! += weights[place]!;
	}

	return loads;
}
