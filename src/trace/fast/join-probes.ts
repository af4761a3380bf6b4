/**
Probes and the rows of a batch → legs. A row whose like was judged before, by `firstLeg`, and found whole costs a look-up; every other goes through `firstLeg` itself.
*/

import {printEndpoint, type LegEnd, type Traversal} from '../../netfilter/path.js';
import type {RuleSet} from '../../netfilter/types.js';
import type {Gap} from '../gap.js';
import {deliveredBy, givenSocketOf, type Listening} from '../tproxy-socket.js';
import {ruleKey} from '../loaded-rules.js';
import {protocolNumbers} from '../decode/packet.js';
import {
	arrivalOf, facts, layout, rowWords, unpackPacket, unpackTraversals,
} from './packed-packet.js';
import {
	firstLeg, isGivenToNobody, isResetLost, type DeliveredLeg, type SentProbe,
} from './first-leg.js';

/** What a probe was, with its addresses as words: see `packed-packet.ts`. */
export type JoinedProbe = SentProbe & {readonly fromWords: Int32Array; readonly toWords: Int32Array};

/** What came of a probe, and the rows of the packets with its addresses. */
export type Joined = {readonly leg: DeliveredLeg; readonly gaps: readonly Gap[]; readonly rows: readonly number[]};

/** The gist of legs that were whole: which traversals belong to the path, and how it ended. */
type Like = {readonly kept: readonly boolean[]; readonly end: LegEnd; readonly isDelivered: boolean; readonly isGiven: boolean};

const likesMax = 65_536;

/** Joins batch after batch of one rule set. */
export class ProbeJoiner {
	readonly #ruleSet: RuleSet;
	readonly #listening: readonly Listening[];
	readonly #shapes: Traversal[] = [];
	readonly #likes = new Map<string, Like>();
	#rows: Int32Array = new Int32Array();
	#byPorts = new Map<number, number[]>();

	/** `listening` are all sockets that TPROXY can find. */
	constructor(ruleSet: RuleSet, listening: readonly Listening[] = []) {
		this.#ruleSet = ruleSet;
		this.#listening = listening;
	}

	/** Takes in shapes that are new. */
	learn(traversals: readonly Traversal[]): void {
		this.#shapes.push(...traversals);
	}

	/** Takes the rows of a batch in place of those of the batch before. How many packets there are, by where they began. */
	load(rows: Int32Array): {readonly hits: ReadonlyMap<string, number>; readonly sentPackets: number} {
		this.#rows = rows;
		this.#byPorts = new Map();
		const counts = new Uint32Array(this.#shapes.length);
		let sentPackets = 0;
		for (let row = 0; row < rows.length; row += rowWords(rows, row)) {
			const key = keyOf(rows[row]! & 0xFF, rows[row + layout.ports]!);
			const others = this.#byPorts.get(key);
			if (others === undefined) {
				this.#byPorts.set(key, [row]);
			} else {
				others.push(row);
			}

			sentPackets += Number((rows[row]! & facts.entryOutput) !== 0);
			for (let index = 0; index < rows[row + layout.count]!; index++) {
				counts[rows[row + layout.traversals + (index * layout.traversalWords)]!]!++;
			}
		}

		return {hits: this.#hits(counts), sentPackets};
	}

	/** Whether nothing will come back of a probe that is not known already: the rules dropped its packet, or it was delivered and the answer goes to somebody outside. */
	isOver(probe: JoinedProbe): boolean {
		const row = this.#find(probe)[0];
		if (row === undefined) {
			return false;
		}

		const arrival = arrivalOf(this.#rows, row);
		// In the pod a rule may lead the answer back to the sender all the same (ambient mode's connection mark), so that one is waited for.
		if (arrival !== undefined && ((!probe.hearsAnswer && !probe.isLocal) || (arrival.hook === 'input' && isResetLost(probe, arrival.destination)))) {
			return true;
		}

		// An answer that there is has come by now: the sender has waited until the kernel had taken up everything (testbed/prober/backlog.ts). None comes where a rule drops it, or drops the reset for an invalid packet, which is invalid as well.
		if (arrival !== undefined && (probe.protocol === 'udp' || probe.packet === 'invalid')) {
			return true;
		}

		const traversals = unpackTraversals(this.#rows, row, this.#shapes);
		const end = traversals.at(-1)?.end;
		return (end !== undefined && end.by !== 'open' && end.verdict === 'drop')
			|| isGivenToNobody({given: givenSocketOf(traversals, this.#ruleSet), arrival, protocol: probe.protocol}, this.#listening);
	}

	/** The leg of a probe. */
	join(probe: JoinedProbe): Joined {
		const found = this.#find(probe);
		const [row] = found;
		const likeKey = found.length === 1 ? this.#likeKey(probe, row!) : undefined;
		const like = likeKey === undefined ? undefined : this.#likes.get(likeKey);
		if (like !== undefined) {
			return {leg: this.#alike(probe, row!, like), gaps: [], rows: found};
		}

		const attempts = found.map(at => unpackPacket(this.#rows, at, this.#shapes));
		const {leg, gaps} = firstLeg({
			probe, attempts, arrival: row === undefined ? undefined : arrivalOf(this.#rows, row), ruleSet: this.#ruleSet, listening: this.#listening,
		});
		if (likeKey !== undefined && gaps.length === 0 && this.#likes.size < likesMax) {
			const {traversals} = attempts[0]!;
			const isGiven = givenSocketOf(leg.traversals, this.#ruleSet) !== undefined;
			this.#likes.set(likeKey, {kept: traversals.map(traversal => leg.traversals.includes(traversal)), end: leg.end, isDelivered: leg.deliveredTo !== undefined, isGiven});
		}

		return {leg, gaps, rows: found};
	}

	/** The rows with a probe's addresses, first attempt first. */
	#find({protocol, family, from, to, fromWords, toWords}: JoinedProbe): readonly number[] {
		const key = keyOf(protocolNumbers[protocol], (from.port << 16) | to.port);
		const rows = this.#rows;
		const isIpv6 = family === 'ipv6';
		return this.#byPorts.get(key)?.filter(row => {
			if (((rows[row]! & facts.ipv6) !== 0) !== isIpv6) {
				return false;
			}

			for (let word = 0; word < (isIpv6 ? 4 : 1); word++) {
				if (rows[row + layout.source + word] !== fromWords[word] || rows[row + layout.destination + word] !== toWords[word]) {
					return false;
				}
			}

			return true;
		}) ?? [];
	}

	/** Everything that decides a leg and its gaps but for its addresses; undefined where that is too much to say. */
	#likeKey({asked, made, isLocal, hearsAnswer, packet, end}: SentProbe, row: number): string | undefined {
		const rows = this.#rows;
		const known = rows[row]!;
		if (end.kind === 'unreachable' || asked.uid !== made.uid || asked.gid !== made.gid
			|| ((known & facts.owner) !== 0 && (rows[row + layout.uid]! >>> 0 !== made.uid || rows[row + layout.gid]! >>> 0 !== made.gid))) {
			return undefined;
		}

		let key = `${known} ${end.kind} ${isLocal} ${hearsAnswer} ${packet ?? ''}`;
		for (let index = 0, at = row + layout.traversals; index < rows[row + layout.count]!; index++, at += layout.traversalWords) {
			key += ` ${rows[at]}`;
		}

		return key;
	}

	#alike({actor, family, protocol, from, to, made, isLocal}: SentProbe, row: number, {kept, end, isDelivered, isGiven}: Like): DeliveredLeg {
		const arrival = arrivalOf(this.#rows, row);
		const traversals = unpackTraversals(this.#rows, row, this.#shapes).filter((_, index) => kept[index]!);
		const deliveredTo = isGiven ? deliveredBy(givenSocketOf(traversals, this.#ruleSet), arrival) : arrival?.destination;
		return {
			actor,
			family,
			protocol,
			from,
			to,
			socket: isLocal ? made : undefined,
			traversals,
			end: end.kind === 'accepted' && arrival !== undefined ? {kind: 'accepted', stop: printEndpoint(arrival.destination)} : end,
			deliveredTo: isDelivered ? deliveredTo : undefined,
			arrivedBy: isDelivered ? arrival?.hook : undefined,
		};
	}

	#hits(counts: Uint32Array): ReadonlyMap<string, number> {
		const hits = new Map<string, number>();
		for (const [id, count] of counts.entries()) {
			if (count > 0) {
				for (const hit of this.#shapes[id]!.hits) {
					if (hit.number !== undefined) {
						const key = ruleKey({...hit, number: hit.number});
						hits.set(key, (hits.get(key) ?? 0) + count);
					}
				}
			}
		}

		return hits;
	}
}

function keyOf(protocol: number, ports: number): number {
	return (protocol * 0x1_00_00_00_00) + (ports >>> 0);
}
