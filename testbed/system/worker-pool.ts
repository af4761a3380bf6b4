/**
Work that goes on in several lanes at once, each of which keeps something costly (a stage) from one item to the next.
*/

/**
Gives each lane a way to take the next item, and resolves when all lanes are through. When one fails, no lane gets another item, and what failed first is thrown when the last has come to its end.

@throws whatever a lane throws.
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
