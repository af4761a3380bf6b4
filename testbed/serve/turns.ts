/**
One thing after the other: what asks the kernel has it for itself. One more can wait; who comes then is told so.
*/

import type {Action} from '../../src/workshop/protocol.js';
import {TestbedError} from '../errors.js';
import {OneByOne} from '../system/one-by-one.js';

/** What takes the kernel's time, in a word for who waits. */
const busyWords = {
	send: 'sending', rules: 'loading the rules', edit: 'changing the rules', undo: 'changing the rules', redo: 'changing the rules', family: 'loading the other family', guess: 'sending', restore: 'loading the link', lesson: 'asking the kernel', answer: 'asking the kernel', next: 'asking the kernel',
} as const satisfies Partial<Record<Action['kind'], string>>;

/** What is being done while an action is, in a word for who waits; undefined where it takes no time of the kernel. */
export function busyWordsOf(kind: Action['kind']): string | undefined {
	return Object.hasOwn(busyWords, kind) ? busyWords[kind as keyof typeof busyWords] : undefined;
}

/** A queue of two places. */
export class Turns {
	readonly #onChange: () => void;
	readonly #calls = new OneByOne();
	#waiting = 0;
	#busy: string | null = null;

	constructor(onChange: () => void) {
		this.#onChange = onChange;
	}

	/** What is being done, in a word; null where nothing is. */
	get busy(): string | null {
		return this.#busy;
	}

	/**
	Does something when what was asked before is done.

	@throws {TestbedError} USAGE where something waits already. What `act` throws.
	*/
	async take(busy: string, act: () => Promise<void>): Promise<void> {
		if (this.#waiting > 1) {
			throw new TestbedError('USAGE', {message: 'The server is busy with what was asked before.', hint: 'Wait a moment.'});
		}

		this.#waiting++;
		return this.#calls.run(async () => this.#act(busy, act));
	}

	/** Resolves when nothing is being done any more. */
	async ended(): Promise<void> {
		await this.#calls.ended();
	}

	async #act(busy: string, act: () => Promise<void>): Promise<void> {
		this.#busy = busy;
		this.#onChange();
		try {
			await act();
		} finally {
			this.#busy = null;
			this.#waiting--;
			this.#onChange();
		}
	}
}
