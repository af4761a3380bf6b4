/**
Ends waits for answers before their timeout.
*/

import {setMaxListeners} from 'node:events';

/** Ends all waits that have begun so far; later ones go on until the next time. */
export class WaitEnd {
	#controller = newController();

	/** Aborted, with the reason, when the waits that begin now are to end. */
	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	/** Ends them. */
	end(reason: string): void {
		const before = this.#controller;
		this.#controller = newController();
		before.abort(reason);
	}
}

function newController(): AbortController {
	const controller = new AbortController();
	// Every open connection listens to it, without a limit.
	setMaxListeners(0, controller.signal);
	return controller;
}
