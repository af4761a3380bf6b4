/**
Random numbers that a seed decides, so that a campaign can be repeated.

@param {number} seed a whole number from 0
@returns {{next: () => number, below: (limit: number) => number, pick: <T>(items: readonly T[]) => T}} `next` is in [0, 1)
*/
export function createRandom(seed) {
	// The minimal standard generator of Park and Miller (1988), which needs no more than the whole numbers that a double holds.
	const modulus = 2_147_483_647;
	let state = (seed % (modulus - 1)) + 1;
	const next = () => {
		state = (state * 48_271) % modulus;
		return (state - 1) / (modulus - 1);
	};

	const below = limit => Math.floor(next() * limit);
	return {next, below, pick: items => items[below(items.length)]};
}
