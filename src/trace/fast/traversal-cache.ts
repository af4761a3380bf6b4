/**
Shapes of traversals: the few sequences of events that thousands of packets repeat. Each is worked out once, by the reference itself (`assemblePackets`), so a packet that repeats it costs a look-up per event and cannot come out otherwise.
*/

import type {Traversal} from '../../netfilter/path.js';
import type {TraceEvent} from '../decode/event.js';
import {assemblePackets, type Lookup} from '../packets.js';

/** A message without what differs from packet to packet: what the decoder made of the first one of its kind. */
export type Token = {
	readonly id: number;
	readonly event: TraceEvent;
	/** The token's bytes that count, to tell it from another of the same hash. */
	readonly words: Int32Array;
};

/** What a packet has met of a base chain so far. The addresses of `traversal` are those of the first packet of its kind. */
export type Shape = {
	readonly id: number;
	readonly traversal: Traversal;
	/** Events that cannot follow those before them. */
	readonly orphans: number;
	readonly events: readonly TraceEvent[];
	readonly next: Map<number, Shape>;
};

/** All shapes of one rule set. They are kept from batch to batch. */
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

	/** Those from an id on. */
	since(id: number): readonly Shape[] {
		return this.#shapes.slice(id);
	}

	/** The shape that an event begins; undefined when it begins none, because its chain is no base chain of the loaded set. */
	begin({id, event}: Token): Shape | undefined {
		if (!this.#first.has(id)) {
			this.#first.set(id, this.#work([event]));
		}

		return this.#first.get(id);
	}

	/** The shape after one more event. */
	follow(shape: Shape, {id, event}: Token): Shape {
		let next = shape.next.get(id);
		if (next === undefined) {
			// It cannot be undefined: the events before it make a traversal already.
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
