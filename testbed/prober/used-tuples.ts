/**
The five-tuples of a batch. A packet with the tuple of an earlier one would not be the first of a connection.
*/

import {kinds, probeWords, resultWords} from './protocol.js';

/** Records the tuples of the probes of one batch. */
export class UsedTuples {
	readonly #used = new Set<number>();
	readonly #sources = new Map<number | string, number>();

	/** Records the tuple of a probe, whose socket has its address and port in the results; returns whether it was used before. `probe` and `row` are the places of its words. */
	isUsed({probes, probe, results, row}: {readonly probes: Int32Array; readonly probe: number; readonly results: Int32Array; readonly row: number}): boolean {
		const before = this.#used.size;
		const kind = probes[probe + probeWords.kind]!;
		const at = row + resultWords.address;
		const address = (kind & kinds.ipv6) === 0 ? results[at]! : results.subarray(at, at + 4).join(' ');
		let source = this.#sources.get(address);
		if (source === undefined) {
			source = this.#sources.size;
			this.#sources.set(address, source);
		}

		// No overflow: 65,536 ports, two protocols, and at most as many sources and destinations as a batch has probes.
		this.#used.add((((((probes[probe + probeWords.to]! * 65_536) + source) * 2) + Number((kind & kinds.udp) !== 0)) * 65_536) + results[row + resultWords.port]!);
		return this.#used.size === before;
	}
}
