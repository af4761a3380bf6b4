/**
Remembers what a pure function made of a text. Each rule of a set is parsed again and again: as it was given, when it is checked, when it is brought into normal form, as the kernel lists it, and on both sides of a comparison. Parsing is most of what reading a large set costs.
*/

/** Results by text, for the texts that were asked for last: at least `size` of them, at most twice as many. Longer texts than `lengthMax` are not kept. */
export class TextMemo<Result> {
	readonly #compute: (text: string) => Result;
	readonly #size: number;
	#recent = new Map<string, Result>();
	#older = new Map<string, Result>();

	/** `compute` must return the same for the same text, and nothing that anyone changes later. What it throws is not remembered. */
	constructor(compute: (text: string) => Result, size: number) {
		this.#compute = compute;
		this.#size = size;
	}

	/** The result for a text, as `compute` returned it. */
	of(text: string): Result {
		const recent = this.#recent.get(text);
		if (recent !== undefined) {
			return recent;
		}

		const result = this.#older.get(text) ?? this.#compute(text);
		if (text.length <= lengthMax) {
			if (this.#recent.size >= this.#size) {
				this.#older = this.#recent;
				this.#recent = new Map();
			}

			this.#recent.set(text, result);
		}

		return result;
	}
}

const lengthMax = 1000;
