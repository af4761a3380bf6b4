/**
Cached traversals: the few sequences of events that thousands of packets repeat. Each is computed once, by the reference itself (`assemblePackets`), so a packet that repeats it costs one lookup per event and has exactly the same result.
*/

import type {Traversal} from '../../netfilter/path.js';
import type {TraceEvent} from '../decode/event.js';
import {assemblePackets, type Lookup} from '../packets.js';
import type {Token} from './known-messages.js';

/** What a packet has met in a base chain so far. The addresses of `traversal` are those of the first packet of its kind. */
export type Shape = {
	readonly id: number;
	readonly traversal: Traversal;
	/** Events that cannot follow those before them. */
	readonly orphans: number;
	readonly events: readonly TraceEvent[];
	readonly next: Map<number, Shape>;
};

/** All cached traversals of one rule set, kept across batches. */
export class ShapeTrie {
	readonly #lookup: Lookup;
	readonly #first = new Map<number, Shape | undefined>();
	readonly #shapes: Shape[] = [];

	constructor(lookup: Lookup) {
		this.#lookup = lookup;
	}

	/** How many there are. Their ids count from 0. */
	get size(): number {
		return this.#shapes.length;
	}

	/** The one with an id. */
	at(id: number): Shape {
		return this.#shapes[id]!;
	}

	/** Those from an id on. */
	since(id: number): readonly Shape[] {
		return this.#shapes.slice(id);
	}

	/** The entry for the first event; undefined if its chain is not a base chain of the loaded set. */
	begin({id, event}: Token): Shape | undefined {
		if (!this.#first.has(id)) {
			this.#first.set(id, this.#work([event]));
		}

		return this.#first.get(id);
	}

	/** The entry after one more event. */
	follow(shape: Shape, {id, event}: Token): Shape {
		let next = shape.next.get(id);
		if (next === undefined) {
			// It cannot be undefined: the events before it already make a traversal.
			next = this.#work([...shape.events, event])!;
			shape.next.set(id, next);
		}

		return next;
	}

	#work(events: readonly TraceEvent[]): Shape | undefined {
		// One packet's events, whichever packets they were taken from.
		const {packets, orphans} = assemblePackets(events.map(event => event.source === 'nft' ? {...event, traceId: 0} : {...event, packet: (events[0] as typeof event).packet}), this.#lookup);
		const traversal = packets[0]?.traversals[0];
		if (traversal === undefined) {
			return undefined;
		}

		const shape: Shape = {
			id: this.#shapes.length, traversal, orphans, events, next: new Map(),
		};
		this.#shapes.push(shape);
		return shape;
	}
}
