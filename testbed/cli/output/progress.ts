/**
Progress on stderr, only for runs that take longer than a second: on a terminal one line that is rewritten, elsewhere a line for each new step and one every ten seconds within a step.
*/

import {performance} from 'node:perf_hooks';
import {visibleForeign} from '../../../src/parsing/visible-text.js';
import type {Progressed} from '../../system/on-progress.js';

const tickMs = 1000;
/** How long to stay silent about an unchanged step when lines cannot be rewritten. */
const quietMs = 10_000;
/** The share of the work that must be done before the time left is estimated. */
const knownShare = 0.02;

/** `write` writes a line that stays. `terminal` rewrites the last line, in at most so many columns. */
export type ProgressOptions = {
	readonly write: (text: string) => void; readonly terminal?: {readonly columns: number; readonly rewrite: (text: string) => void} | undefined; readonly now?: () => number;
};

/** Shows where the run is. Dispose ends it and erases the line on a terminal. */
export class Progress implements Disposable {
	#step = '';
	#progressed: Progressed | undefined;
	/** When the step began, and how much was already done by then. */
	#since = 0;
	#before = 0;
	#said = '';
	#saidStep = '';
	#saidAt = Number.NEGATIVE_INFINITY;
	readonly #timer: NodeJS.Timeout;
	readonly #write: (text: string) => void;
	readonly #terminal: ProgressOptions['terminal'];
	readonly #now: () => number;

	constructor({write, terminal, now = () => performance.now()}: ProgressOptions) {
		this.#write = write;
		this.#terminal = terminal;
		this.#now = now;
		this.#timer = setInterval(() => {
			this.say();
		}, tickMs);
		this.#timer.unref();
	}

	/** Sets the current step. */
	step(step: string, progressed?: Progressed): void {
		if (step !== this.#step) {
			this.#step = step;
			this.#since = this.#now();
			this.#before = progressed?.done ?? 0;
		}

		this.#progressed = progressed;
	}

	/** Writes the current step, if it is news. */
	say(): void {
		const line = `testbed: ${visibleForeign(this.#step)}${this.#numbers()} …`;
		// On a terminal, other text may have taken the line's place.
		if (this.#step === '' || (line === this.#said && this.#terminal === undefined)) {
			return;
		}

		if (this.#terminal !== undefined) {
			const {columns, rewrite} = this.#terminal;
			rewrite(line.length < columns ? line : `${line.slice(0, columns - 2)}…`);
		} else if (this.#step !== this.#saidStep || this.#now() - this.#saidAt >= quietMs) {
			this.#write(`${line}\n`);
		} else {
			return;
		}

		[this.#said, this.#saidStep, this.#saidAt] = [line, this.#step, this.#now()];
	}

	[Symbol.dispose](): void {
		clearInterval(this.#timer);
		if (this.#said !== '') {
			this.#terminal?.rewrite('');
		}
	}

	#numbers(): string {
		if (this.#progressed === undefined) {
			return '';
		}

		const {done, total, unit} = this.#progressed;
		const count = `${done}${total === undefined ? '' : ` of ${total}`}${unit === undefined ? '' : ` ${unit}`}`;
		const passed = this.#now() - this.#since;
		const gained = done - this.#before;
		if (total === undefined || gained <= 0 || gained < total * knownShare || passed < tickMs) {
			return `: ${count}`;
		}

		return `: ${count}, ${printLeft(Math.max(0, total - done) * passed / gained)} left`;
	}
}

function printLeft(ms: number): string {
	const seconds = Math.ceil(ms / 1000);
	return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
