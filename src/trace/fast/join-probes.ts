/**
Joins probes and the rows of a batch to legs. A row like one that `firstLeg` has already judged as complete only costs a lookup; every other goes through `firstLeg` itself.
*/

import {rulesOf} from '../../netfilter/lookup.js';
import {
	printEndpoint, type LegEnd, type LostEnd, type Traversal,
} from '../../netfilter/path.js';
import type {RuleSet} from '../../netfilter/types.js';
import type {Gap} from '../gap.js';
import {droppedAnswer, type IsSomewhere} from '../lost-end.js';
import {deliveredBy, givenSocketOf, type Listening} from '../tproxy-socket.js';
import {ruleKey} from '../loaded-rules.js';
import {isAnswer, protocolNumbers} from '../decode/packet.js';
import {
	arrivalOf, facts, layout, protocolMask, rowWords, unpackPacket, unpackTraversals,
} from './packed-packet.js';
import {Clashes, seesSourcePorts} from './clashes.js';
import {
	firstLeg, isGivenToNobody, isResetLost, lostIn, type DeliveredLeg, type ProbeEnd, type SentProbe,
} from './first-leg.js';

/** A sent probe, with its addresses as words: see `packed-packet.ts`. The source begins at `fromAt`. */
export type JoinedProbe = SentProbe & {readonly fromWords: Int32Array; readonly fromAt: number; readonly toWords: Int32Array};

/** The result of a probe, and the rows of the packets with its addresses. `isClash`: what happened to it may be due to another packet of the batch: see `clashes.ts`. */
export type Joined = {readonly leg: DeliveredLeg; readonly gaps: readonly Gap[]; readonly rows: readonly number[]; readonly isClash: boolean};

/** What complete legs have in common: which traversals belong to the path, and how it ended. */
type Like = {readonly kept: readonly number[]; readonly end: LegEnd; readonly isDelivered: boolean; readonly isGiven: boolean};

/** Known legs by everything that determines them, one number after the other. A text as key would be the largest part of what a probe allocates (bench). */
type LikeNode = {next: Map<number, LikeNode> | undefined; like: Like | undefined};

const likesMax = 65_536;
const endNumbers: Readonly<Record<ProbeEnd['kind'], number>> = {
	connected: 0, refused: 1, quiet: 2, unreachable: 3,
};
/** Some rows: a set of them, or a map by them. */
type Rows = Pick<ReadonlySet<number>, 'has' | 'size'>;

const noGaps: readonly Gap[] = [];
const noRows: readonly number[] = [];
const noneLeftOut: Rows = new Set();

/** Joins batch after batch of one rule set. */
export class ProbeJoiner {
	readonly #ruleSet: RuleSet;
	readonly #listening: readonly Listening[];
	readonly #isSomewhere: IsSomewhere | undefined;
	/** Whether some rule tells a reset from other packets. */
	readonly #hasFlagRules: boolean;
	readonly #isPortSeen: boolean;
	readonly #shapes: Traversal[] = [];
	readonly #likes: LikeNode = {next: undefined, like: undefined};
	#likeNodes = 0;
	#rows: Int32Array = new Int32Array();
	#byPorts = new Map<number, number[]>();
	#clashes: Clashes;
	/** The rows of answers, by the sequence number of the SYN that they answer. There are none unless answers are traced. */
	#answers = new Map<number, number[]>();

	/** `listening` are all sockets that TPROXY can find. */
	constructor(ruleSet: RuleSet, listening: readonly Listening[] = [], isSomewhere?: IsSomewhere) {
		this.#ruleSet = ruleSet;
		this.#listening = listening;
		this.#isSomewhere = isSomewhere;
		this.#hasFlagRules = [...rulesOf(ruleSet)].some(({rule: {text}}) => /\btcp[ -]flags\b/u.test(text));
		this.#isPortSeen = seesSourcePorts(ruleSet);
		this.#clashes = new Clashes(this.#rows, {isPortSeen: this.#isPortSeen});
	}

	/** Adds new cached traversals. */
	learn(traversals: readonly Traversal[]): void {
		this.#shapes.push(...traversals);
	}

	/** Replaces the rows by those of the next batch. Returns how often each rule was met, and the number of packets that the pod sent, answers aside. */
	load(rows: Int32Array): {readonly hits: ReadonlyMap<string, number>; readonly sentPackets: number} {
		this.#rows = rows;
		this.#byPorts = new Map();
		this.#clashes = new Clashes(rows, {isPortSeen: this.#isPortSeen});
		this.#answers = new Map();
		const counts = new Uint32Array(this.#shapes.length);
		let sentPackets = 0;
		for (let row = 0; row < rows.length; row += rowWords(rows, row)) {
			if ((rows[row]! & facts.sequence) !== 0 && isAnswer({tcpFlags: rows[row + layout.tcpFlags]!})) {
				addTo(this.#answers, (rows[row + layout.sequence]! - 1) >>> 0, row);
			} else {
				addTo(this.#byPorts, keyOf(rows[row]! & protocolMask, rows[row + layout.ports]!), row);
				this.#clashes.add(row);
				sentPackets += Number((rows[row]! & facts.entryOutput) !== 0);
			}

			for (let index = 0; index < rows[row + layout.count]!; index++) {
				counts[rows[row + layout.traversals + (index * layout.traversalWords)]!]!++;
			}
		}

		return {hits: this.#hits(counts), sentPackets};
	}

	/** Whether no further answer to a probe can come: the rules dropped its packet or its answer, or it was delivered and the answer goes to another host, or it left the pod for a loopback address. */
	isOver(probe: JoinedProbe): boolean {
		const row = this.#find(probe)[0];
		if (row === undefined) {
			return false;
		}

		const arrival = arrivalOf(this.#rows, row);
		// In the pod, a rule may still lead the answer back to the sender (ambient mode's connection mark), so that one is waited for.
		if (arrival !== undefined && ((!probe.hearsAnswer && !probe.isLocal) || (arrival.hook === 'input' && isResetLost(probe, arrival.destination)))) {
			return true;
		}

		// An existing answer has arrived by now, because the sender has waited until the kernel had processed everything (testbed/prober/backlog.ts). There is none if a rule drops it, or drops the reset for an invalid packet, which is invalid as well.
		if (arrival !== undefined && (probe.protocol === 'udp' || probe.packet === 'invalid')) {
			return true;
		}

		const traversals = unpackTraversals(this.#rows, row, this.#shapes);
		if (probe.device !== undefined && lostIn(probe, {
			arrival, traversals, ruleSet: this.#ruleSet, isSomewhere: this.#isSomewhere ?? (() => true),
		})?.kind === 'lost') {
			return true;
		}

		const end = traversals.at(-1)?.end;
		return this.#droppedAnswer(probe, row) !== undefined || (end !== undefined && end.by !== 'open' && end.verdict === 'drop')
			|| isGivenToNobody({given: givenSocketOf(traversals, this.#ruleSet), arrival, protocol: probe.protocol}, this.#listening);
	}

	/** The rows of the second of two probes with the same five-tuple: of TCP, those whose sequence number is not the first one's; otherwise the last one. None if the trace shows only one packet. */
	rowsOfSecond(probe: JoinedProbe): readonly number[] {
		const found = this.#find(probe);
		const [first = 0] = found;
		const isNumbered = (this.#rows[first]! & facts.sequence) !== 0;
		return isNumbered ? found.filter(row => this.#rows[row + layout.sequence] !== this.#rows[first + layout.sequence]) : found.slice(1).slice(-1);
	}

	/** The leg of a probe. Rows in `except` are left out: see {@link rowsOfSecond}. */
	join(probe: JoinedProbe, except: Rows = noneLeftOut): Joined {
		const all = this.#find(probe);
		const found = except.size === 0 ? all : all.filter(row => !except.has(row));
		const [row] = found;
		const isClash = found.some(at => this.#clashes.isClash(at));
		const node = found.length === 1 ? this.#nodeOf(probe, row!) : undefined;
		if (node?.like !== undefined) {
			return {leg: this.#alike(probe, row!, node.like), gaps: noGaps, rows: found, isClash};
		}

		const attempts = found.map(at => unpackPacket(this.#rows, at, this.#shapes));
		const {leg, gaps} = firstLeg({
			probe,
			attempts,
			arrival: row === undefined ? undefined : arrivalOf(this.#rows, row),
			answer: row === undefined ? undefined : this.#droppedAnswer(probe, row),
			ruleSet: this.#ruleSet,
			listening: this.#listening,
			isSomewhere: this.#isSomewhere,
		});
		// The end of a lost packet includes its destination, so it is unlike any other.
		if (node !== undefined && gaps.length === 0 && !('at' in leg.end)) {
			const {traversals} = attempts[0]!;
			const isGiven = givenSocketOf(leg.traversals, this.#ruleSet) !== undefined;
			node.like = {
				kept: traversals.flatMap((traversal, index) => leg.traversals.includes(traversal) ? [index] : []), end: leg.end, isDelivered: leg.deliveredTo !== undefined, isGiven,
			};
		}

		return {leg, gaps, rows: found, isClash};
	}

	/** The end of a probe whose every answer was dropped, as far as answers were traced. Nothing listens, so the answer is a reset: where rules tell TCP's flags apart, it does not stand for the answer of a listener. */
	#droppedAnswer({protocol, family, packet, end}: SentProbe, row: number): LostEnd | undefined {
		const arrival = arrivalOf(this.#rows, row);
		const answers = this.#answers.get(this.#rows[row + layout.sequence]! >>> 0) ?? [];
		if (protocol !== 'tcp' || packet !== undefined || end.kind === 'refused' || end.kind === 'connected' || arrival === undefined || this.#hasFlagRules) {
			return undefined;
		}

		const isIpv6 = family === 'ipv6';
		const found = answers
			.filter(at => ((this.#rows[at]! & facts.ipv6) !== 0) === isIpv6)
			.map(at => droppedAnswer({at: arrival.destination, traversals: unpackTraversals(this.#rows, at, this.#shapes)}));
		// If any answer came through, the rules are not the cause.
		return found.every(each => each !== undefined) ? found[0] : undefined;
	}

	/** The rows with a probe's addresses, first attempt first. */
	#find({protocol, family, from, to, fromWords, fromAt, toWords}: JoinedProbe): readonly number[] {
		const key = keyOf(protocolNumbers[protocol], (from.port << 16) | to.port);
		const rows = this.#rows;
		const isIpv6 = family === 'ipv6';
		const isOwn = (row: number): boolean => {
			if (((rows[row]! & facts.ipv6) !== 0) !== isIpv6) {
				return false;
			}

			for (let word = 0; word < (isIpv6 ? 4 : 1); word++) {
				if (rows[row + layout.source + word] !== fromWords[fromAt + word] || rows[row + layout.destination + word] !== toWords[word]) {
					return false;
				}
			}

			return true;
		};

		const withPorts = this.#byPorts.get(key) ?? noRows;
		return withPorts.every(row => isOwn(row)) ? withPorts : withPorts.filter(row => isOwn(row));
	}

	/** The node of everything that determines a leg and its gaps except for its addresses; undefined if that is too much. */
	#nodeOf({asked, made, isLocal, hearsAnswer, packet, device, end}: SentProbe, row: number): LikeNode | undefined {
		const rows = this.#rows;
		const known = rows[row]!;
		// What left by its device for a loopback address is lost, which the rules on its path do not show.
		if (device !== undefined || end.kind === 'unreachable' || asked.uid !== made.uid || asked.gid !== made.gid
			|| ((known & facts.owner) !== 0 && (rows[row + layout.uid]! >>> 0 !== made.uid || rows[row + layout.gid]! >>> 0 !== made.gid))) {
			return undefined;
		}

		const said = (endNumbers[end.kind] << 3) | (Number(isLocal) << 2) | (Number(hearsAnswer) << 1) | Number(packet !== undefined);
		let node = this.#nodeAfter(this.#nodeAfter(this.#likes, known), said);
		for (let index = 0, at = row + layout.traversals; index < rows[row + layout.count]!; index++, at += layout.traversalWords) {
			node = this.#nodeAfter(node, rows[at]!);
		}

		return node;
	}

	/** Undefined if there are too many. */
	#nodeAfter(node: LikeNode | undefined, word: number): LikeNode | undefined {
		let next = node?.next?.get(word);
		if (node !== undefined && next === undefined && this.#likeNodes < likesMax) {
			next = {next: undefined, like: undefined};
			node.next ??= new Map();
			node.next.set(word, next);
			this.#likeNodes++;
		}

		return next;
	}

	#alike({actor, family, protocol, from, to, made, isLocal}: SentProbe, row: number, {kept, end, isDelivered, isGiven}: Like): DeliveredLeg {
		const arrival = arrivalOf(this.#rows, row);
		// The probe's own ends are those of the row, or it would not have been found.
		const all = unpackTraversals(this.#rows, row, this.#shapes, {source: from, destination: to});
		const traversals = kept.map(index => all[index]!); // Unlike `filter`, `map` makes an array without room for more.
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

function addTo(map: Map<number, number[]>, key: number, row: number): void {
	const others = map.get(key);
	if (others === undefined) {
		map.set(key, [row]);
	} else {
		others.push(row);
	}
}

function keyOf(protocol: number, ports: number): number {
	return (protocol * 0x1_00_00_00_00) + (ports >>> 0);
}
