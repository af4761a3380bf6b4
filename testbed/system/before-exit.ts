/**
What the process has to wait for before it ends. koffi aborts the process if a thread is ended while it calls a function of the C library, so a thread that was just started must be let through its start.
*/

const waits: Array<() => Promise<unknown>> = [];

/** Adds a wait. Its failure does not count. */
export function waitBeforeExit(wait: () => Promise<unknown>): void {
	waits.push(wait);
}

/** Resolves once all of them have. */
export async function untilExitIsSafe(): Promise<void> {
	await Promise.allSettled(waits.map(async wait => wait()));
}
