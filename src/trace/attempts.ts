/**
One packet that was sent more than once: attempts in the order in which they were seen, joined by links.
*/

/** An attempt. `isAhead`: NFLOG alone has shown it so far, for its socket may have been read further than that of nft. */
export type LinkedAttempt<T> = {readonly isAhead: boolean; readonly first: T | undefined; readonly next: T | undefined};

/** Of all attempts of a packet, by the newest one, the last that nft has shown, as far as its socket has been read. */
export function newestMet<T extends LinkedAttempt<T>>(newest: T | undefined): T | undefined {
	if (newest?.isAhead !== true) {
		return newest;
	}

	let met = newest.first!;
	for (let {next} = met; next?.isAhead === false; {next} = next) {
		met = next;
	}

	return met;
}
