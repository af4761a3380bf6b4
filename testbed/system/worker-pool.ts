/**
Runs work in several jobs at once, each of which reuses something expensive (a sandbox) from item to item.
*/

/**
Starts the jobs, each with a function that takes the next item, and resolves when all are done. If one fails, no job gets another item, and the first error is thrown once all have ended.

@throws whatever a job throws.
*/
export async function withWorkers<Item>(items: readonly Item[], jobs: number, worker: (take: () => Item | undefined) => Promise<void>): Promise<void> {
	const failures: unknown[] = [];
	let next = 0;
	const take = (): Item | undefined => failures.length > 0 ? undefined : items[next++];
	await Promise.all(Array.from({length: Math.min(jobs, items.length)}, async () => {
		try {
			await worker(take);
		} catch (error) {
			failures.push(error);
		}
	}));
	if (failures.length > 0) {
		throw failures[0] as Error;
	}
}
