/**
A map that is asked for the same key several times in a row: most messages belong to the same packet as the one before.
*/

/** It holds the entry that was used last apart, and writes it into the map when another is used. */
export class RecentMap<Key, Value> {
	readonly #rest = new Map<Key, Value>();
	#key: Key | undefined;
	#value: Value | undefined;
	#isChanged = false;

	get(key: Key): Value | undefined {
		this.#turnTo(key);
		return this.#value;
	}

	set(key: Key, value: Value): void {
		this.#turnTo(key);
		this.#value = value;
		this.#isChanged = true;
	}

	delete(key: Key): void {
		this.#turnTo(key);
		this.#value = undefined;
		this.#isChanged = true;
	}

	#turnTo(key: Key): void {
		if (key === this.#key) {
			return;
		}

		if (this.#isChanged) {
			if (this.#value === undefined) {
				this.#rest.delete(this.#key!);
			} else {
				this.#rest.set(this.#key!, this.#value);
			}
		}

		this.#key = key;
		this.#value = this.#rest.get(key);
		this.#isChanged = false;
	}
}
