/**
Runs the long part of any command: it can be interrupted, and it shows progress on standard error.
*/

import type {OnProgress} from '../system/on-progress.js';
import {rewriteLine, tell, terminalColumns} from '../system/streams.js';
import {Progress} from './output/progress.js';
import {isQuiet} from './output/terminal.js';
import {untilSignal} from './signals.js';

/** What the long part gets: a signal that interrupts it, and a callback for progress. */
export type Supervision = {readonly signal: AbortSignal; readonly onProgress: OnProgress};

/**
Runs the long part of a command and shows its progress.

@throws {TestbedError} INTERRUPTED after a signal; whatever `act` throws otherwise.
*/
export async function supervise<T>(act: (supervision: Supervision) => Promise<T>): Promise<T> {
	return untilSignal(async signal => {
		const columns = terminalColumns();
		using progress = new Progress({write: isQuiet() ? () => undefined : tell, terminal: columns === undefined || isQuiet() ? undefined : {columns, rewrite: rewriteLine}});
		const result = await act({
			signal,
			onProgress(step, progressed) {
				progress.step(step, progressed);
			},
		});
		return result;
	});
}
