/**
A loop's path, told once. How many rounds of a loop are seen depends on who watches it: a proxy cuts a flow after a number of stops, the prober after the second round (`model/loop.ts`), and baselines of older versions have up to nine legs. The rounds themselves are the same.
*/

/** Where each leg arrived, with `loop` at the end, and the rules of each leg. */
type Path = {readonly arrivals: readonly string[]; readonly roles: ReadonlyArray<readonly string[]>};

/** The path of a loop up to the end of its first round, if a second one is the same; any other path unchanged. */
export function onceAround<Each extends Path>(path: Each): Each {
	const {arrivals, roles} = path;
	const count = roles.length;
	if (arrivals.at(-1) !== 'loop' || arrivals.length !== count + 1) {
		return path;
	}

	const legs = roles.map((names, index) => JSON.stringify([arrivals[index], names]));
	for (let end = 1; end < count; end++) {
		for (let period = 1; period <= Math.min(end, count - end); period++) {
			if (legs.every((leg, index) => index < end || leg === legs[index - period])) {
				return {...path, arrivals: [...arrivals.slice(0, end), 'loop'], roles: roles.slice(0, end)};
			}
		}
	}

	return path;
}
