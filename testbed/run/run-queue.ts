/**
The order in which several workers do runs, when all runs with the same key can share one sandbox. Making a sandbox takes as long as several runs (its processes are most of the work of `testbed run scenarios/`), so the runs of a key belong to one worker, and another joins only where that pays.
*/

/** So many runs take about as long as making a sandbox for them (measured with the scenarios: 350 ms of processor time for a sandbox, 70 ms for a run). */
export const runsPerSandbox = 5;

/** A queue of runs. Each worker is known by a number. */
export class RunQueue<Run extends {readonly key: string}> {
	readonly #groups = new Map<string, Run[]>();
	/** The key of each worker's sandbox. */
	readonly #keys = new Map<number, string>();

	constructor(runs: readonly Run[]) {
		for (const run of runs) {
			const group = this.#groups.get(run.key);
			if (group === undefined) {
				this.#groups.set(run.key, [run]);
			} else {
				group.push(run);
			}
		}
	}

	/** The next run for a worker: one for the sandbox that it has; the first of a key that no other worker has; or one of the key where a further sandbox saves most. Undefined if the others are done before it could help. */
	take(worker: number): Run | undefined {
		const key = this.#keys.get(worker);
		const own = key === undefined ? undefined : this.#groups.get(key)!.shift();
		if (own !== undefined) {
			return own;
		}

		this.#keys.delete(worker);
		const next = this.#untouched() ?? this.#worthHelp();
		if (next === undefined) {
			return undefined;
		}

		this.#keys.set(worker, next);
		return this.#groups.get(next)!.shift();
	}

	#workersOn(key: string): number {
		return [...this.#keys.values()].filter(other => other === key).length;
	}

	#untouched(): string | undefined {
		return [...this.#groups].find(([key, {length}]) => length > 0 && this.#workersOn(key) === 0)?.[0];
	}

	/** With `w` workers the rest of a group takes `left / w` runs, with one more `(left + runsPerSandbox) / (w + 1)`, which is less for `left > w * runsPerSandbox`. */
	#worthHelp(): string | undefined {
		const [best] = [...this.#groups]
			.map(([key, {length}]) => ({key, saved: length - (this.#workersOn(key) * runsPerSandbox)}))
			.filter(({saved}) => saved > 0)
			.toSorted((one, other) => other.saved - one.saved);
		return best?.key;
	}
}
