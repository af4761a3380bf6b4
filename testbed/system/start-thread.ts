/**
Starts threads, and lets them load before the process ends. koffi aborts the whole process if its thread is ended while it loads, or while it calls a function of the C library (`napi_throw`; koffi 3.3, Node 20.20). A process can end at any moment: by an error that nobody expected, by a signal, or because a command was refused.
*/

import process from 'node:process';
import {Worker, workerData, type WorkerOptions} from 'node:worker_threads';

/** Of each thread that is still loading, one number, which it sets to 1 when it has. */
const loading = new Set<Int32Array>();

/** Longest wait for a thread at the end of the process, in milliseconds. A thread loads within some 50; one that has failed never does. */
const limitMs = 1000;

/** Blocks this thread until the others have loaded: the process is about to end, so nothing else may run. */
function untilLoaded(): void {
	for (const number of loading) {
		Atomics.wait(number, 0, 0, limitMs);
	}
}

/** Starts a thread whose program calls {@link threadHasLoaded}. */
export function startThread(program: URL, {workerData: input, ...options}: Omit<WorkerOptions, 'workerData'> & {readonly workerData: object}): Worker {
	if (!process.listeners('exit').includes(untilLoaded)) {
		process.on('exit', untilLoaded);
	}

	const number = new Int32Array(new SharedArrayBuffer(4));
	const worker = new Worker(program, {...options, workerData: {...input, loading: number}});
	loading.add(number);
	for (const event of ['message', 'exit']) {
		worker.once(event, () => {
			loading.delete(number);
		});
	}

	return worker;
}

/** A thread that the launcher has started (scripts/setup/early-thread.cjs). */
export type EarlyThread = {readonly worker: Worker; readonly failed: boolean};

let early: EarlyThread | undefined;

/** Keeps the launcher's thread for {@link takeEarlyThread}. */
export function keepEarlyThread(thread: EarlyThread | undefined): void {
	early = thread;
}

/** The launcher's thread, once; undefined if there is none, or it has failed already. */
export function takeEarlyThread(): Worker | undefined {
	const taken = early;
	early = undefined;
	return taken?.failed === false ? taken.worker : undefined;
}

/** To be called by a thread: it has loaded, so the process may end. */
export function threadHasLoaded(): void {
	const {loading: number} = workerData as {readonly loading: Int32Array};
	Atomics.store(number, 0, 1);
	Atomics.notify(number, 0);
}
