/**
Signals from the terminal and the system. A command that builds something on the machine runs under {@link untilSignal}; any other command keeps the default handling and ends at once.
*/

import {setMaxListeners} from 'node:events';
import process from 'node:process';
import {setImmediate as turn} from 'node:timers/promises';
import {exitStatusOf, printError} from '../errors.js';
import {interrupted} from '../run/run.js';
import {tell} from '../system/streams.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How long an interrupted command may take to clean up. Nothing it created outlives the process, so a forced exit leaves nothing behind. */
const clearUpMs = 800;

/** `npm run` forwards the SIGINT that the terminal has already sent to the whole process group, so one Ctrl-C arrives twice. A signal that arrives later than this is a second Ctrl-C; it gets the default handling and ends the process whatever it is doing. */
const sameSignalMs = 500;

/**
Runs `act` until it is done or a signal arrives. `act` gets an AbortSignal and cleans up when it fires. If that takes longer than 0.8 s, the process exits with the same status; a second signal ends the process at once.

@throws {TestbedError} INTERRUPTED after a signal, whatever `act` returned or threw: a tool that the same Ctrl-C ended looks like a failure, and a result that arrives anyway is no longer wanted.
*/
export async function untilSignal<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const controller = new AbortController();
	// Every pending connection listens for it.
	setMaxListeners(0, controller.signal);
	const timers: NodeJS.Timeout[] = [];
	const release = (): void => {
		for (const signal of signals) {
			process.off(signal, onSignal);
		}
	};

	const endNow = (): void => {
		tell(`${printError(controller.signal.reason)}\n`);
		process.exit(exitStatusOf.INTERRUPTED); // eslint-disable-line unicorn/no-process-exit -- Something here did not finish in time.
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
	// A signal that arrived while the thread was busy is delivered in the next turn of the event loop. Wait two turns: this one may already be past its poll phase.
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
