/**
A packet that was sent more than once: its attempts in the order in which they were seen, as a linked list.
*/

/** An attempt. `isAhead`: only NFLOG has shown it so far, because its socket may have been read further than nft's. */
export type LinkedAttempt<T> = {readonly isAhead: boolean; readonly first: T | undefined; readonly next: T | undefined};

/** Given the newest attempt of a packet: the last one that nft has shown, as far as its socket has been read. */
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
