/**
The long part of a command, the same for all of them: it can be interrupted, and says on standard error what it is doing.
*/

import {tell} from '../system/streams.js';
import {Progress} from './output/progress.js';
import {untilSignal} from './signals.js';

/** What the long part gets: a signal that interrupts it, and somewhere to say what it is doing. */
export type Supervision = {readonly signal: AbortSignal; readonly onProgress: (step: string) => void};

/**
Does the long part of a command. Progress is shown until it is done.

@throws {TestbedError} INTERRUPTED after a signal; whatever `act` throws otherwise.
*/
export async function supervise<T>(act: (supervision: Supervision) => Promise<T>): Promise<T> {
	return untilSignal(async signal => {
		using progress = new Progress(tell);
		const result = await act({
			signal,
			onProgress(step) {
				progress.step(step);
			},
		});
		return result;
	});
}
