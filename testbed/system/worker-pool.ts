/**
Runs work in several jobs at once, each of which reuses something expensive (a sandbox) from item to item.
*/

import os from 'node:os';

/** How many jobs are worth it if each keeps a processor busy, as sending probes through a sandbox does; the main thread has enough to do with the results of two. */
export const busyJobs = Math.min(2, os.availableParallelism());

/** Gives one item after the other to whichever worker asks. */
export function inOrder<Item>(items: readonly Item[]): () => Item | undefined {
	let next = 0;
	return () => items[next++];
}

/**
Starts the jobs, each with a function that takes the next item, and resolves when all are done. If one fails, no job gets another item, and the first error is thrown once all have ended.

@param next Gives the next item to a worker, which is named by its number from 0; undefined when there is no more work for it.
@throws whatever a job throws.
*/
export async function withWorkers<Item>(next: (worker: number) => Item | undefined, jobs: number, worker: (take: () => Item | undefined) => Promise<void>): Promise<void> {
	const failures: unknown[] = [];
	await Promise.all(Array.from({length: jobs}, async (_, number) => {
		try {
			await worker(() => failures.length > 0 ? undefined : next(number));
		} catch (error) {
			failures.push(error);
		}
	}));
	if (failures.length > 0) {
		throw failures[0] as Error;
	}
}
