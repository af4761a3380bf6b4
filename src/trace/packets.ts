/**
Assembles trace events into packets. A packet is one attempt to cross one namespace: its traversals in the order in which the kernel made them.

nft: all events of a packet have its trace id, and each base chain begins with an event that shows the packet. NFLOG: every event shows the packet. Neither id is unique forever (nft hashes the address of the packet's buffer, which is reused), so packets are told apart by what NAT does not change: TCP's initial sequence number, or what DNAT does not change of others: identification or flow label, source port and source. If SNAT then changes the source of a datagram, nft's id shows that it is the same packet, from the trace table's message at OUTPUT to its next one.

A SYN without an answer is sent again after a second (TCP_TIMEOUT_INIT, include/net/tcp.h), with the same sequence number. That is a separate packet, which the kernel's counters count as well. It begins when a packet reaches a chain a second time, whether a chain of the rules or the one where the trace table meets each packet first; often that is all that it meets, because nat does not process it again.
*/

import type {RuleHit, Traversal} from '../netfilter/path.js';
import type {Family, Hook, Verdict} from '../netfilter/types.js';
import {newestMet} from './attempts.js';
import {ChainWalk, finalVerdicts} from './chain-walk.js';
import type {LogTraceEvent, NftTraceEvent, TraceEvent} from './decode/event.js';
import {protocolNumbers, type PacketHeader} from './decode/packet.js';

/** A rule of the loaded set: its place, its text, and the verdict with which its target ends a packet's path through the base chain (undefined if it does not). */
export type KnownRule = {
	readonly number: number;
	readonly text: string;
	readonly final: Verdict | undefined;
	/** The policy of a built-in chain, which legacy's trace numbers like a rule after the last one. */
	readonly isPolicy?: true;
};

/** Translates the kernel's names into those of the loaded rule set: the rule of an event, and the name of an interface. */
export type Lookup = {
	readonly ruleByHandle: (place: {readonly family: Family; readonly table: string; readonly chain: string; readonly handle: number}) => KnownRule | undefined;
	readonly ruleByNumber: (place: {readonly family: Family; readonly table: string; readonly chain: string; readonly number: number}) => KnownRule | undefined;
	/** The hook, type and priority of a base chain; undefined for a chain that is not a base chain of the loaded set. */
	readonly hookOf: (place: {readonly family: Family; readonly table: string; readonly chain: string}) => Hook | undefined;
	readonly interfaceName: (index: number) => string | undefined;
	/** The table that switches tracing on: its events prove that a packet was seen, and are not part of its path. */
	readonly traceTable: string;
};

/** One packet of the trace. `seen`: the trace table itself met it. */
export type TracedPacket = {
	/** The packet as the first event showed it, before any NAT. */
	readonly header: PacketHeader;
	readonly traversals: readonly Traversal[];
	readonly seen: boolean;
	/** The hook at which the trace table first met it: where it entered the namespace, or was sent. Undefined if that event is missing. */
	readonly entry: Hook | undefined;
	/** The owner of the socket that sent it, as NFLOG names it. */
	readonly owner: {readonly uid: number; readonly gid: number} | undefined;
	/** Present if the trace table saw that conntrack considers the packet invalid, so that nat does not process it. It only checks that if somebody sends such packets. */
	readonly isInvalid?: true;
};

/** Whether the socket of a packet at a hook is the one that sent it. On the incoming side it is the receiving one, once TPROXY has chosen it (measured: NFLOG then names the proxy). */
export function isSendersHook(hook: Hook): boolean {
	return hook === 'output' || hook === 'postrouting';
}

type OpenTraversal = Omit<Traversal, 'hits' | 'end'> & {hits: RuleHit[]; end: Traversal['end']};
type OpenPacket = {header: PacketHeader; traversals: OpenTraversal[]; seen: boolean; entry: Hook | undefined; owner: TracedPacket['owner']; isInvalid?: true};

/** A packet with what distinguishes it from the same one sent again. */
type Attempt = {
	readonly packet: OpenPacket;
	/** The hooks at which the trace table met it as it arrived or was sent. */
	readonly entered: Set<Hook>;
	/** The first of all attempts of this packet; the one after this. */
	readonly first: Attempt | undefined;
	next: Attempt | undefined;
	/** NFLOG has shown this attempt, but the trace table's messages about it have not been read yet. Such attempts are the last ones of a packet. */
	isAhead: boolean;
};

/** The two chains of the trace table, by their hooks. */
const entries: Readonly<Record<string, Hook>> = {prerouting: 'prerouting', output: 'output'};

/** What identifies a packet at all its hooks. */
function identityOf(packet: PacketHeader): string {
	return packet.protocol === protocolNumbers.tcp && packet.sequence !== undefined
		? `tcp ${packet.sequence}`
		: `${packet.protocol} ${packet.identification} ${packet.source.port} ${packet.source.address}`;
}

/** Whether a traversal continues with an event of NFLOG. */
function isOpenAt(traversal: Pick<Traversal, 'table' | 'hook' | 'end'> | undefined, {table, hook}: LogTraceEvent): boolean {
	return traversal?.table === table && traversal.hook === hook && traversal.end.by === 'open';
}

function hasSameEnds(one: PacketHeader, other: PacketHeader): boolean {
	return one.source.port === other.source.port && one.destination.port === other.destination.port
		&& one.source.address === other.source.address && one.destination.address === other.destination.address;
}

/** The chains of the trace table after conntrack, where a rule matches what conntrack considers invalid. */
export const invalidChains = {received: 'invalid-received', sent: 'invalid-sent'} as const;

const ofInvalid: ReadonlySet<string> = new Set(Object.values(invalidChains));

/** Whether an event of the trace table says that conntrack considers the packet invalid. */
export function saysInvalid({chain, kind}: Pick<NftTraceEvent, 'chain' | 'kind'>): boolean {
	return kind === 'rule' && ofInvalid.has(chain);
}

class Assembler {
	orphans = 0;
	readonly packets: OpenPacket[] = [];
	readonly #newest = new Map<string, Attempt>();
	/** By nft's trace id: the datagram that the trace table last saw being sent. */
	readonly #sent = new Map<number, Attempt>();
	readonly #current = new Map<number, {traversal: OpenTraversal; walk: ChainWalk}>();
	readonly #lookup: Lookup;

	constructor(lookup: Lookup) {
		this.#lookup = lookup;
	}

	addNft(event: NftTraceEvent): void {
		if (event.packet !== undefined) {
			const isSwitch = event.table === this.#lookup.traceTable;
			// The trace table comes before every other chain of a hook; at the hook where a packet enters or begins, it begins the attempt.
			const entry = isSwitch ? entries[event.chain] : undefined;
			const attempt = isSwitch ? this.#switchedOf(event.packet, {entry, traceId: event.traceId}) : this.#attemptAt(event.packet, event);
			const {packet, entered} = attempt;
			if (entry === 'output' && event.packet.protocol !== protocolNumbers.tcp) {
				this.#sent.set(event.traceId, attempt);
			}

			packet.seen ||= isSwitch;
			packet.entry ??= entry;
			if (entry !== undefined) {
				entered.add(entry);
			}

			if (isSwitch && saysInvalid(event)) {
				packet.isInvalid = true;
			}

			const hook = isSwitch ? undefined : this.#lookup.hookOf(event);
			if (hook === undefined) {
				// The first event cannot be in a chain that is not a base chain, so the one before it is lost; without its traversal the next line counts it.
				this.#current.delete(event.traceId);
			} else {
				this.#current.set(event.traceId, {traversal: this.#begin(packet, event, event.packet, hook), walk: new ChainWalk(event.chain)});
			}
		}

		if (event.table === this.#lookup.traceTable) {
			return;
		}

		const current = this.#current.get(event.traceId);
		if (current?.traversal.family !== event.family || current.traversal.table !== event.table || !current.walk.follows(event)) {
			this.orphans++;
			return;
		}

		this.#extend(current.traversal, event, event.handle === undefined ? undefined : this.#lookup.ruleByHandle({...event, handle: event.handle}));
	}

	addLog(logged: LogTraceEvent): void {
		const rule = this.#lookup.ruleByNumber(logged);
		// Legacy reports an unconditional rule with a plain verdict as the end of its chain (`get_chainname_rulenum` in net/ipv4/netfilter/ip_tables.c); its number shows that it is a rule.
		const event: LogTraceEvent = rule === undefined || rule.isPolicy === true ? logged : {...logged, kind: 'rule'};
		const attempt = this.#loggedOf(event);
		const last = attempt.packet.traversals.at(-1);
		const open = isOpenAt(last, event) ? last : undefined;
		const {packet} = open === undefined ? this.#freshAt(attempt, event) : attempt;
		const traversal = open ?? this.#begin(packet, event, event.packet, event.hook);
		if (event.uid !== undefined && event.gid !== undefined && isSendersHook(event.hook)) {
			packet.owner ??= {uid: event.uid, gid: event.gid};
		}

		this.#extend(traversal, event, rule);
	}

	/** The newest attempt with an identity, as far as nft's socket has been read: NFLOG's may have been read further. */
	#newestMet(header: PacketHeader): Attempt | undefined {
		return newestMet(this.#newest.get(identityOf(header)));
	}

	/** The packet that the trace table met: the newest with its identity that nft has shown, unless the trace table met that one there already (it was sent again), or this one is just being sent, with other addresses: among some thousand connections, two can have one sequence number. */
	#switchedOf(header: PacketHeader, {entry, traceId}: {readonly entry: Hook | undefined; readonly traceId: number}): Attempt {
		const known = this.#newestMet(header);
		if (known === undefined) {
			return (entry === undefined ? this.#renamed(header, traceId) : undefined) ?? this.#add(header);
		}

		const isSame = hasSameEnds(header, known.packet.header);
		const isAgain = entry !== undefined && known.entered.has(entry);
		if (!isAgain && (entry !== 'output' || isSame)) {
			return known;
		}

		// What NFLOG has already shown of the packet sent again is not a third packet.
		const ahead = isSame ? known.next : undefined;
		if (ahead === undefined) {
			return this.#add(header, isSame ? known : undefined);
		}

		ahead.isAhead = false;
		return ahead;
	}

	/** The packet whose source SNAT has changed since it was sent. From now on, it has the new identity as well: on the loopback interface, it comes back with it. */
	#renamed(header: PacketHeader, traceId: number): Attempt | undefined {
		const sent = this.#sent.get(traceId);
		if (sent?.packet.header.protocol !== header.protocol || sent.packet.header.identification !== header.identification) {
			return undefined;
		}

		this.#newest.set(identityOf(header), sent);
		return sent;
	}

	/** The packet that an nft event belongs to: the newest with its identity, or the same sent again. */
	#attemptAt(header: PacketHeader, event: TraceEvent): Attempt {
		const known = this.#newestMet(header);
		const attempt = known === undefined ? this.#add(header) : this.#freshAt(known, event);
		attempt.isAhead = false;
		return attempt;
	}

	/**
	The packet that an NFLOG event belongs to. These arrive on a separate socket, so the trace table may already have shown that the packet was sent again when the first one's are read: of all attempts, it belongs to the first until that one has been in the chain. Or NFLOG shows first that it was sent again: see `isAhead`.
	*/
	#loggedOf({packet: header}: LogTraceEvent): Attempt {
		const newest = this.#newest.get(identityOf(header));
		if (newest === undefined) {
			return this.#add(header);
		}

		let latest = newest.first ?? newest;
		for (let {next} = latest; next !== undefined && next.packet.traversals.length > 0; {next} = next) {
			latest = next;
		}

		return latest;
	}

	/** The given attempt, or the one after it if it has been in this chain already. */
	#freshAt(attempt: Attempt, {source, family, table, chain, packet: header}: TraceEvent): Attempt {
		const {packet, next} = attempt;
		if (packet.traversals.every(traversal => traversal.family !== family || traversal.table !== table || traversal.chain !== chain)) {
			return attempt;
		}

		if (next !== undefined) {
			return next;
		}

		// The trace table's event is missing: it began as the one before did. An nft event would have come before this event; if NFLOG was read first, it may still come.
		const again = this.#add(header!, attempt);
		again.packet.seen = packet.seen;
		again.packet.entry = packet.entry;
		if (source === 'nflog') {
			again.isAhead = true;
		} else if (packet.entry !== undefined) {
			again.entered.add(packet.entry);
		}

		return again;
	}

	/** A new packet; `before` is the previous attempt, if it is the same packet sent again. */
	#add(header: PacketHeader, before?: Attempt): Attempt {
		const packet: OpenPacket = {
			header, traversals: [], seen: false, entry: undefined, owner: undefined,
		};
		const attempt: Attempt = {
			packet, entered: new Set(), first: before === undefined ? undefined : before.first ?? before, next: undefined, isAhead: false,
		};
		if (before !== undefined) {
			before.next = attempt;
		}

		this.#newest.set(identityOf(header), attempt);
		this.packets.push(packet);
		return attempt;
	}

	#begin(packet: OpenPacket, event: TraceEvent, header: PacketHeader, hook: Hook): OpenTraversal {
		const baseChain = event.source === 'nflog' ? event.hook.toUpperCase() : event.chain;
		const traversal: OpenTraversal = {
			hook,
			family: event.family,
			table: event.table,
			chain: baseChain,
			hits: [],
			end: {by: 'open'},
			inInterface: this.#lookup.interfaceName(event.inInterface),
			outInterface: this.#lookup.interfaceName(event.outInterface),
			source: header.source,
			destination: header.destination,
		};
		packet.traversals.push(traversal);
		return traversal;
	}

	#extend(traversal: OpenTraversal, event: TraceEvent, rule: KnownRule | undefined): void {
		const verdict = event.source === 'nft' ? event.verdict : rule?.final;
		if (event.kind === 'rule') {
			traversal.hits.push({
				family: event.family,
				table: event.table,
				chain: event.chain,
				number: rule?.number ?? (event.source === 'nflog' ? event.number : undefined),
				handle: event.source === 'nft' ? event.handle : undefined,
				text: rule?.text,
				verdict,
			});
		}

		if (event.kind === 'policy') {
			traversal.end = {by: 'policy', verdict};
		} else if (event.kind === 'rule' && finalVerdicts.has(verdict)) {
			traversal.end = {by: 'rule', verdict};
		}
	}
}

/**
The packets of a trace, in the order in which the kernel first showed them. `orphans` counts events that cannot follow those before them, which only happens after lost events.
*/
export function assemblePackets(events: readonly TraceEvent[], lookup: Lookup): {readonly packets: readonly TracedPacket[]; readonly orphans: number} {
	const assembler = new Assembler(lookup);
	for (const event of events) {
		if (event.source === 'nft') {
			assembler.addNft(event);
		} else {
			assembler.addLog(event);
		}
	}

	return {packets: assembler.packets, orphans: assembler.orphans};
}
