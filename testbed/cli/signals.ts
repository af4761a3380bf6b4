/**
Signals of the terminal and the system. A command that builds something on the machine runs under {@link untilSignal}; all others leave signals to the kernel, which ends them at once.
*/

import {setMaxListeners} from 'node:events';
import process from 'node:process';
import {setImmediate as turn} from 'node:timers/promises';
import {exitStatusOf, printError} from '../errors.js';
import {interrupted} from '../run/run.js';
import {tell} from '../system/streams.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How long an interrupted command may clear up. Nothing that it made outlives its process, so ending it sooner leaves nothing behind; this is for its own order. */
const clearUpMs = 1000;

/** `npm run` passes on the SIGINT that the terminal has sent to everybody already, so one Ctrl-C comes twice. What comes later than this is a second one, which is left to the kernel: it ends the process whatever that is doing. */
const sameSignalMs = 500;

/**
Does something that a signal interrupts: `act` is told by an AbortSignal and clears up. If that takes longer than a second, the process ends there and then with the same status; a second signal ends it as it ends any program.

@throws {TestbedError} INTERRUPTED after a signal, whatever `act` made of it: a tool that the same Ctrl-C ended looks like a failure, and a result that came all the same was not waited for.
*/
export async function untilSignal<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const controller = new AbortController();
	// As many waits as there are connections on their way end by it.
	setMaxListeners(0, controller.signal);
	const timers: NodeJS.Timeout[] = [];
	const release = (): void => {
		for (const signal of signals) {
			process.off(signal, onSignal);
		}
	};

	const endNow = (): void => {
		tell(`${printError(controller.signal.reason)}\n`);
		process.exit(exitStatusOf.INTERRUPTED); // eslint-disable-line unicorn/no-process-exit -- What still runs here does not come to an end.
	};

	function onSignal(signal: NodeJS.Signals): void {
		if (!controller.signal.aborted) {
			controller.abort(interrupted(signal));
			timers.push(setTimeout(release, sameSignalMs), setTimeout(endNow, clearUpMs));
		}
	}

	for (const signal of signals) {
		process.on(signal, onSignal);
	}

	const [ended] = await Promise.allSettled([act(controller.signal)]);
	// What came while the thread was busy is told in the next turn of the event loop; two, because this one may be past the place where it looks.
	await turn();
	await turn();
	release();
	for (const timer of timers) {
		clearTimeout(timer);
	}

	controller.signal.throwIfAborted();
	if (ended.status === 'rejected') {
		throw ended.reason as Error;
	}

	return ended.value;
}
