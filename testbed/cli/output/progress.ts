/**
Progress on stderr, only for a run that takes longer than a second, and then a line a second at most.
*/

import {visibleForeign} from '../../../src/parsing/visible-text.js';

const quietMs = 1000;

/** Tells where the run is, once a second, when that has changed. Dispose ends it. */
export class Progress implements Disposable {
	#step = '';
	#said = '';
	readonly #timer: NodeJS.Timeout;
	readonly #write: (text: string) => void;

	constructor(write: (text: string) => void) {
		this.#write = write;
		this.#timer = setInterval(() => {
			this.#say();
		}, quietMs);
		this.#timer.unref();
	}

	/** Notes what the run is doing now. */
	step(step: string): void {
		this.#step = step;
	}

	[Symbol.dispose](): void {
		clearInterval(this.#timer);
	}

	#say(): void {
		if (this.#step !== this.#said) {
			this.#said = this.#step;
			this.#write(`testbed: ${visibleForeign(this.#step)} …\n`);
		}
	}
}
