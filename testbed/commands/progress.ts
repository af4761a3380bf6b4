/**
Progress on stderr, only for a run that takes longer than a second.
*/

const quietMs = 1000;

/** Tells stages once a second has passed. Dispose ends it. */
export class Progress implements Disposable {
	#stage = '';
	#speaks = false;
	readonly #timer: NodeJS.Timeout;
	readonly #write: (text: string) => void;

	constructor(write: (text: string) => void) {
		this.#write = write;
		this.#timer = setTimeout(() => {
			this.#speaks = true;
			this.#say();
		}, quietMs);
		this.#timer.unref();
	}

	/** Notes what the run is doing now. */
	stage(stage: string): void {
		this.#stage = stage;
		if (this.#speaks) {
			this.#say();
		}
	}

	[Symbol.dispose](): void {
		clearTimeout(this.#timer);
	}

	#say(): void {
		this.#write(`testbed: ${this.#stage} …\n`);
	}
}
