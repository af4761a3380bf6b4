/**
Packets whose connections stand in each other's way. Conntrack knows a connection by two tuples, that of its packets and that of its answers, and NAT must not give two connections the same one. So what happens to a packet can depend on which others were sent shortly before it:
- Rules lead it to where the answers would have a tuple that is taken: NAT then gives it another source port (`get_unique_tuple` in net/netfilter/nf_nat_core.c), and rules further on see that port.
- It has the tuple of the answers to another one that rules led elsewhere: it passes for an answer, so it begins no connection, and nat leaves it out.

Neither says what happens to that packet on its own. Zones are not known here, so some are suspected that did not meet.
*/

import {rulesOf} from '../../netfilter/lookup.js';
import type {RuleSet} from '../../netfilter/types.js';
import {
	facts, layout, protocolMask, rowWords,
} from './packed-packet.js';

/** Whether some rule may tell source ports apart. If none does, a packet that gets another one stays what it was: one from a port that the kernel chose. */
export function seesSourcePorts(ruleSet: RuleSet): boolean {
	return [...rulesOf(ruleSet)].some(({rule: {matches}}) => matches.some(({kind}) => kind === 'source-port' || kind === 'opaque'));
}

/** Finds them among the packets of a batch. Answers must not be among the rows. */
export class Clashes {
	readonly #rows: Int32Array;
	readonly #isPortSeen: boolean;
	readonly #all: number[] = [];
	/** The ports of packets that rules led elsewhere, after that: few other packets have both, so most need no closer look. */
	readonly #portsAfter = new Set<number>();
	#byTuple: ReadonlyMap<string, readonly Entry[]> | undefined;

	/** `isPortSeen`: see {@link seesSourcePorts}. */
	constructor(rows: Int32Array, {isPortSeen}: {readonly isPortSeen: boolean}) {
		this.#rows = rows;
		this.#isPortSeen = isPortSeen;
	}

	/** Adds the packet of a row. */
	add(row: number): void {
		this.#all.push(row);
		const ports = this.#rows[row + layout.ports]!;
		const after = portsAfter(this.#rows, row);
		if (after !== ports || !hasSameDestination(this.#rows, row)) {
			this.#portsAfter.add(pairOf(after));
		}
	}

	/** Whether the packet of a row may have met the connection of another one. */
	isClash(row: number): boolean {
		const rows = this.#rows;
		const [ports, after] = [rows[row + layout.ports]!, portsAfter(rows, row)];
		const isRenumbered = this.#isPortSeen && (after >>> 16) !== (ports >>> 16);
		if (!isRenumbered && !this.#portsAfter.has(pairOf(ports))) {
			return false;
		}

		this.#byTuple ??= entriesByTuple(rows, this.#all);
		const own = tupleBefore(rows, row);
		const isTaken = isRenumbered && this.#among(tupleAfter(rows, row, ports >>> 16)).some(({before}) => before !== own);
		return isTaken || this.#among(own).some(({before}) => before !== own);
	}

	#among(tuple: string): readonly Entry[] {
		return this.#byTuple!.get(tuple) ?? [];
	}
}

/** `before`: the tuple of the packet that has the entry, which retransmissions share. */
type Entry = {readonly before: string};

function entriesByTuple(rows: Int32Array, all: readonly number[]): ReadonlyMap<string, readonly Entry[]> {
	const byTuple = new Map<string, Entry[]>();
	for (const row of all) {
		const before = tupleBefore(rows, row);
		for (const tuple of new Set([before, tupleAfter(rows, row)])) {
			const known = byTuple.get(tuple);
			if (known === undefined) {
				byTuple.set(tuple, [{before}]);
			} else {
				known.push({before});
			}
		}
	}

	return byTuple;
}

/** Two ports in either order, as one number. */
function pairOf(ports: number): number {
	const [one, other] = [ports >>> 16, ports & 0xFF_FF];
	return one < other ? (one * 0x1_00_00) + other : (other * 0x1_00_00) + one;
}

/** Where the row says what the packet was at last: `arrival`, its last traversal, or undefined if nothing is known but what it was when it was sent. */
function lastTraversalOf(rows: Int32Array, row: number): number | undefined {
	const next = row + rowWords(rows, row);
	return rows[row + layout.count] === 0 ? undefined : next - layout.traversalWords;
}

function hasArrived(rows: Int32Array, row: number): boolean {
	return (rows[row]! & (facts.arrivedInput | facts.arrivedPostrouting)) !== 0;
}

/** Source and destination port at the end, as in the word `ports`. */
function portsAfter(rows: Int32Array, row: number): number {
	if (hasArrived(rows, row)) {
		return rows[row + layout.arrivalPorts]!;
	}

	const last = lastTraversalOf(rows, row);
	return rows[last === undefined ? row + layout.ports : last + layout.traversalPorts]!;
}

/** Where the words of the destination at the end begin. */
function destinationAfter(rows: Int32Array, row: number): number {
	if (hasArrived(rows, row)) {
		return row + layout.arrival;
	}

	const last = lastTraversalOf(rows, row);
	return last === undefined ? row + layout.destination : last + layout.traversalDestination;
}

function hasSameDestination(rows: Int32Array, row: number): boolean {
	const [before, after] = [row + layout.destination, destinationAfter(rows, row)];
	for (let word = 0; word < addressWords(rows, row); word++) {
		if (rows[before + word] !== rows[after + word]) {
			return false;
		}
	}

	return true;
}

function addressWords(rows: Int32Array, row: number): number {
	return (rows[row]! & facts.ipv6) === 0 ? 1 : 4;
}

/** The tuple with which a packet was sent, the same for both directions. */
function tupleBefore(rows: Int32Array, row: number): string {
	return tupleOf(rows, row, {ports: rows[row + layout.ports]!, source: row + layout.source, destination: row + layout.destination});
}

/** The tuple of its connection after NAT, or with another source port than NAT chose. */
function tupleAfter(rows: Int32Array, row: number, sourcePort?: number): string {
	const after = portsAfter(rows, row);
	const last = lastTraversalOf(rows, row);
	return tupleOf(rows, row, {
		ports: sourcePort === undefined ? after : (sourcePort << 16) | (after & 0xFF_FF),
		source: last === undefined ? row + layout.source : last + layout.traversalSource,
		destination: destinationAfter(rows, row),
	});
}

function tupleOf(rows: Int32Array, row: number, {ports, source, destination}: {readonly ports: number; readonly source: number; readonly destination: number}): string {
	const words = addressWords(rows, row);
	const ends = [`${rows.subarray(source, source + words).join('.')} ${ports >>> 16}`, `${rows.subarray(destination, destination + words).join('.')} ${ports & 0xFF_FF}`];
	return `${rows[row]! & (protocolMask | facts.ipv6)} ${ends.toSorted().join(' ')}`;
}
