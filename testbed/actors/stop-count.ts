/**
Counts the stops of a flow when it reaches a proxy, to cut loops. A connection that a proxy opens comes back to it with the same two ends, however it was redirected: the opener's address, and the original destination.
*/

import type {Endpoint} from '../../src/netfilter/path.js';

/** A connection, identified by both ends as seen by its opener. One end would be ambiguous: a port can have connections to two destinations. */
export type Ends = {readonly from: Endpoint; readonly to: Endpoint};

/** The counts of one actor, for the connections of one round: ports come back after some thousand connections, and one with the ends of an earlier one would pass for its return. */
export class StopCount {
	readonly #ofOpened = new Map<string, number>();
	readonly #ofAccepted = new Map<string, number>();

	/** Forgets all connections, when they are over. */
	forget(): void {
		this.#ofOpened.clear();
		this.#ofAccepted.clear();
	}

	/** Records a connection that forwards the accepted one with the id `parent`. */
	opened(ends: Ends, parent: string | undefined): void {
		this.#ofOpened.set(keyOfEnds(ends), parent === undefined ? 0 : this.#ofAccepted.get(parent) ?? 0);
	}

	/** Records an accepted connection, and returns the number of stops of its flow, including this one. `ends.to` is its original destination. */
	accepted(id: string, ends: Ends): number {
		const stops = (this.#ofOpened.get(keyOfEnds(ends)) ?? 0) + 1;
		this.#ofAccepted.set(id, stops);
		return stops;
	}
}

/** Two ends as text, the same for the opener and the accepter of a connection. */
export function keyOfEnds({from, to}: Ends): string {
	return [from, to].map(({address, port}) => `${address} ${port}`).join(' ');
}
