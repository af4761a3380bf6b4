/**
A codec that carries results from one machine to another without loss: JSON has no Map, Set, bigint, bytes or undefined, and repeats what is shared.

Values become a table of nodes. Equal parts are one node, because the results of a shard repeat themselves: a mutant has the rules of the original, but for one. A slot in a node is a plain JSON value, or `[n]`, the node at index n of the table.
*/

/** A place for a value: a string, a number, true, false or null as it is, or the index of a node. */
export type Slot = string | number | boolean | null | readonly [index: number];

/** A value with parts, or one that JSON cannot write. `x` stands for an object that both sides know by name. */
export type ValueNode =
	| {readonly o: Readonly<Record<string, Slot>>}
	| {readonly a: readonly Slot[]}
	| {readonly m: ReadonlyArray<readonly [Slot, Slot]>}
	| {readonly s: readonly Slot[]}
	| {readonly n: string}
	| {readonly b: string}
	| {readonly u: 0}
	| {readonly d: 'NaN' | 'Infinity' | '-Infinity' | '-0'}
	| {readonly x: string};

/** The objects that are never written out, because they have functions: their name, or undefined for all others. */
export type NameOf = (value: object) => string | undefined;

/** Writes values into one table. What one value shares with another is written once. */
export class TableWriter {
	readonly #nameOf: NameOf;
	readonly #indices = new Map<string, number>();
	/** The slot of an object that was already written; undefined while its parts are being written. */
	readonly #slots = new Map<object, Slot | undefined>();
	#fresh: ValueNode[] = [];

	constructor(nameOf: NameOf = () => undefined) {
		this.#nameOf = nameOf;
	}

	/**
	Writes a value: its slot, and the nodes that the table did not have yet, in the order of the table.

	@throws {RangeError} for a function, a symbol, an object of a class, an object that contains itself, or one that is a key of a map or a member of a set.
	*/
	write(value: unknown): {readonly slot: Slot; readonly nodes: readonly ValueNode[]} {
		const slot = this.#slotOf(value);
		const nodes = this.#fresh;
		this.#fresh = [];
		return {slot, nodes};
	}

	#slotOf(value: unknown): Slot {
		if (typeof value === 'object' && value !== null) {
			return this.#slotOfObject(value);
		}

		if (typeof value === 'string' || typeof value === 'boolean' || value === null) {
			return value;
		}

		if (typeof value === 'number') {
			return Number.isFinite(value) && !Object.is(value, -0) ? value : this.#add({d: wordOf(value)});
		}

		if (typeof value === 'bigint') {
			return this.#add({n: String(value)});
		}

		if (value === undefined) {
			return this.#add({u: 0});
		}

		throw new RangeError(`a ${typeof value} cannot be written`);
	}

	#slotOfObject(value: object): Slot {
		const known = this.#slots.get(value);
		if (known !== undefined) {
			return known;
		}

		if (this.#slots.has(value)) {
			throw new RangeError('an object that contains itself cannot be written');
		}

		this.#slots.set(value, undefined);
		const slot = this.#add(this.#nodeOf(value));
		this.#slots.set(value, slot);
		return slot;
	}

	#nodeOf(value: object): ValueNode {
		const name = this.#nameOf(value);
		if (name !== undefined) {
			return {x: name};
		}

		if (Array.isArray(value)) {
			return {a: value.map((part: unknown) => this.#slotOf(part))};
		}

		if (value instanceof Map) {
			return {m: [...value].map(([key, part]: [unknown, unknown]) => [this.#slotOfKey(key), this.#slotOf(part)])};
		}

		if (value instanceof Set) {
			return {s: [...value].map((part: unknown) => this.#slotOfKey(part))};
		}

		if (value instanceof Uint8Array) {
			return {b: [...value].map(byte => byte.toString(16).padStart(2, '0')).join('')};
		}

		const prototype: unknown = Object.getPrototypeOf(value);
		if (prototype !== Object.prototype && prototype !== null) {
			throw new RangeError('an object of a class cannot be written');
		}

		return {o: Object.fromEntries(Object.entries(value).map(([key, part]: [string, unknown]) => [key, this.#slotOf(part)]))};
	}

	/** A key of a map, or a member of a set. Equal objects become one, and would be one key then. */
	#slotOfKey(value: unknown): Slot {
		if (typeof value === 'object' && value !== null) {
			throw new RangeError('a map or a set of objects cannot be written');
		}

		return this.#slotOf(value);
	}

	#add(node: ValueNode): Slot {
		const key = JSON.stringify(node);
		let index = this.#indices.get(key);
		if (index === undefined) {
			index = this.#indices.size;
			this.#indices.set(key, index);
			this.#fresh.push(node);
		}

		return [index];
	}
}

function wordOf(value: number): 'NaN' | 'Infinity' | '-Infinity' | '-0' {
	if (Number.isNaN(value)) {
		return 'NaN';
	}

	return value === 0 ? '-0' : (value > 0 ? 'Infinity' : '-Infinity');
}

/** Reads what a {@link TableWriter} wrote, in the same order. Equal parts of the values become the same object, so nobody may change them. */
export class TableReader {
	readonly #named: (name: string) => object | undefined;
	readonly #values: unknown[] = [];

	constructor(named: (name: string) => object | undefined = () => undefined) {
		this.#named = named;
	}

	/**
	Reads a value after the nodes that came with it.

	@throws {RangeError} for a node of no known kind, an index that no node had before, or a name that nobody knows.
	*/
	read({slot, nodes}: {readonly slot: Slot; readonly nodes: readonly ValueNode[]}): unknown {
		for (const node of nodes) {
			this.#values.push(this.#valueOf(node));
		}

		return this.#at(slot);
	}

	#at(slot: Slot): unknown {
		if (typeof slot !== 'object' || slot === null) {
			return slot;
		}

		const [index] = slot;
		if (!Array.isArray(slot) || !Number.isInteger(index) || index < 0 || index >= this.#values.length) {
			throw new RangeError(`there is no node ${JSON.stringify(slot)}`);
		}

		return this.#values[index];
	}

	#valueOf(node: ValueNode): unknown {
		if ('o' in node) {
			return Object.fromEntries(Object.entries(node.o).map(([key, slot]) => [key, this.#at(slot)]));
		}

		if ('a' in node) {
			return node.a.map(slot => this.#at(slot));
		}

		if ('m' in node) {
			return new Map(node.m.map(([key, slot]) => [this.#at(key), this.#at(slot)]));
		}

		if ('s' in node) {
			return new Set(node.s.map(slot => this.#at(slot)));
		}

		if ('n' in node && /^-?\d+$/u.test(node.n)) {
			return BigInt(node.n);
		}

		if ('b' in node && /^(?:[\da-f]{2})*$/u.test(node.b)) {
			return Uint8Array.from({length: node.b.length / 2}, (_, index) => Number.parseInt(node.b.slice(2 * index, (2 * index) + 2), 16));
		}

		if ('u' in node) {
			return undefined;
		}

		if ('d' in node) {
			return Number(node.d);
		}

		const value = 'x' in node ? this.#named(node.x) : undefined;
		if (value === undefined) {
			throw new RangeError(`a node is of no known kind or name: ${JSON.stringify(node)}`);
		}

		return value;
	}
}
