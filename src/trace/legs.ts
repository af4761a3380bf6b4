/**
Joins sockets and packets to legs, and legs to the path of a probe. A leg is joined by the addresses that its own socket and the listener reported; the packet is found by the same pair.
*/

import {unspecified} from '../netfilter/address.js';
import {
	printEndpoint, type Closing, type Endpoint, type Leg, type LegEnd, type Traversal,
} from '../netfilter/path.js';
import type {RuleSet} from '../netfilter/types.js';
import {claimPackets, type Claims} from './claims.js';
import type {Flow} from './flows.js';
import type {Gap} from './gap.js';
import type {Observation, ObservedPath} from './observation.js';
import {protocolNumbers} from './decode/packet.js';
import {droppedAnswer, lostEndOf, type IsSomewhere} from './lost-end.js';
import {packetEvidence} from './packet-evidence.js';
import type {TracedPacket} from './packets.js';
import {
	loopStops, ownersOf, type AcceptedSocket, type CutSocket, type EndedSocket, type OpenedSocket, type SocketOwner, type SocketRecord, type UnsentSocket,
} from './sockets.js';

/** Everything that was observed in one run, for all its probes. */
export type Evidence = {
	readonly sockets: readonly SocketRecord[];
	readonly packets: readonly TracedPacket[];
	readonly owners: readonly SocketOwner[];
	readonly ruleSet: RuleSet;
	readonly flows?: readonly Flow[] | undefined;
	/** Undefined in recordings from before it was recorded; then no address counts as nowhere. */
	readonly isSomewhere?: IsSomewhere | undefined;
};

function same(one: Endpoint, other: Endpoint): boolean {
	return one.port === other.port && one.address === other.address;
}

/** TCP if the record does not name its protocol. */
function protocolOf({protocol = 'tcp'}: {readonly protocol?: 'tcp' | 'udp'}): 'tcp' | 'udp' {
	return protocol;
}

/** Finds the legs of many probes in one run's evidence. */
export class Joiner {
	readonly #opened: readonly OpenedSocket[];
	readonly #accepted: readonly AcceptedSocket[];
	readonly #ended: ReadonlyMap<string, EndedSocket>;
	readonly #cut: ReadonlyMap<string, CutSocket>;
	readonly #unsent: readonly UnsentSocket[];
	readonly #evidence: Evidence;
	readonly #claims: Claims;
	readonly #packets = new Map<string, TracedPacket[]>();

	constructor(evidence: Evidence) {
		this.#evidence = evidence;
		this.#claims = claimPackets(evidence);
		const {sockets} = this.#claims;
		this.#opened = sockets.filter(record => record.kind === 'opened');
		this.#unsent = sockets.filter(record => record.kind === 'unsent');
		this.#accepted = sockets.filter(record => record.kind === 'accepted');
		this.#ended = new Map(sockets.flatMap(record => record.kind === 'ended' ? [[record.id, record] as const] : []));
		this.#cut = new Map(sockets.flatMap(record => record.kind === 'cut' ? [[record.id, record] as const] : []));
		for (const packet of evidence.packets) {
			const key = `${packet.header.protocol} ${printEndpoint(packet.header.source)} ${printEndpoint(packet.header.destination)}`;
			this.#packets.set(key, [...this.#packets.get(key) ?? [], packet]);
		}
	}

	/** The path of the probe whose first socket has this id. */
	join(firstId: string): Observation {
		const gaps: Gap[] = [...this.#claims.gaps];
		const legs: Leg[] = [];
		let loop = false;
		let opened = this.#opened.find(({id}) => id === firstId);
		const unsent = this.#unsent.find(({id}) => id === firstId);
		if (opened === undefined && unsent !== undefined) {
			legs.push(legNeverSent(unsent));
		} else if (opened === undefined) {
			gaps.push({kind: 'no-end', message: `No actor reported that it opened the connection ${firstId}.`});
		}

		while (opened !== undefined && legs.length <= loopStops) {
			const accepted = this.#acceptedOf(opened, gaps);
			const leg = this.#legOf(opened, accepted, gaps);
			const cut = this.#cutOf(opened, accepted);
			legs.push(cut === undefined || cut === 'loop' ? leg : closed(leg, cut));
			if (cut !== undefined) {
				loop = cut === 'loop';
				opened = undefined;
				break;
			}

			const next: readonly OpenedSocket[] = accepted === undefined ? [] : this.#opened.filter(({parent}) => parent === accepted.id);
			if (next.length > 1) {
				gaps.push({kind: 'ambiguous', message: `${accepted!.stop} opened ${next.length} connections for one that it accepted.`});
			}

			const unsent = accepted === undefined ? undefined : this.#unsent.find(({parent}) => parent === accepted.id);
			const unknown = accepted === undefined ? undefined : this.#claims.gapsByParent.get(accepted.id);
			if (unsent !== undefined) {
				legs.push(legNeverSent(unsent));
			} else if (unknown !== undefined) {
				gaps.push(unknown);
			} else if (accepted?.originalDestination !== undefined && next.length === 0) {
				gaps.push({kind: 'no-end', message: `${accepted.stop} accepted a connection to ${printEndpoint(accepted.originalDestination)} but did not open the next leg.`});
			}

			opened = next[0];
		}

		// The actor that should have cut it off did not.
		loop ||= opened !== undefined;
		return {path: {legs} as unknown as ObservedPath, loop, gaps};
	}

	/** Why the flow ends at a connection, according to the actor that opened or accepted it. */
	#cutOf({id}: OpenedSocket, accepted: AcceptedSocket | undefined): CutSocket['reason'] | undefined {
		return this.#cut.get(id)?.reason ?? (accepted === undefined ? undefined : this.#cut.get(accepted.id)?.reason);
	}

	#acceptedOf(opened: OpenedSocket, gaps: Gap[]): AcceptedSocket | undefined {
		// After a rule that changes the source of a connection, its listener sees the new one.
		const {source: to, destination: from} = this.#flowsOf(opened)[0]?.reply ?? {source: opened.to, destination: opened.from};
		const candidates = this.#accepted.filter(one => protocolOf(one) === protocolOf(opened) && (same(one.peer, opened.from) || (same(one.peer, from) && same(one.local, to))));
		const rivals = this.#opened.filter(other => other !== opened && protocolOf(other) === protocolOf(opened) && same(other.from, opened.from));
		if (candidates.length < 2 && rivals.length === 0) {
			return candidates[0];
		}

		// One source port can serve two destinations at once.
		const wantedBy = ({to}: OpenedSocket) => ({local, originalDestination, wanted = originalDestination ?? local}: AcceptedSocket): boolean => same(wanted, to);
		const exact = candidates.filter(candidate => wantedBy(opened)(candidate));
		if (exact.length === 1) {
			return exact[0];
		}

		// All of these belong to other connections: nobody accepted this one.
		if (candidates.every(candidate => rivals.some(rival => wantedBy(rival)(candidate)))) {
			return undefined;
		}

		gaps.push({kind: 'ambiguous', message: `${candidates.length} listeners accepted a connection from ${printEndpoint(opened.from)}.`});
		return undefined;
	}

	#legOf(opened: OpenedSocket, accepted: AcceptedSocket | undefined, gaps: Gap[]): Leg {
		const name = `${opened.actor} ${printEndpoint(opened.from)} → ${printEndpoint(opened.to)}`;
		const attempts = this.#packets.get(`${protocolNumbers[protocolOf(opened)]} ${printEndpoint(opened.from)} ${printEndpoint(opened.to)}`) ?? [];
		const [packet] = attempts;
		const evidence = packetEvidence({
			name, attempts, family: opened.family, ruleSet: this.#evidence.ruleSet, wanted: opened.packet,
		});
		const {traversals} = evidence;
		gaps.push(...evidence.gaps);
		const end = this.#endOf({
			opened, accepted, packet, traversals, name,
		}, gaps);
		if (end.kind === 'accepted' || end.kind === 'refused') {
			gaps.push(...evidence.missedOnArrival());
		}

		return {
			actor: opened.actor,
			family: opened.family,
			protocol: protocolOf(opened),
			from: opened.from,
			to: opened.to,
			// The trace table is the pod's own, so it knows nothing of a socket elsewhere. An entry with the same ports is of another connection: each namespace chooses source ports by itself.
			socket: packet?.entry === 'prerouting' ? undefined : this.#ownerOf({opened, name, logged: packet?.owner}, gaps),
			traversals,
			end,
			...this.#flowOf(opened),
		};
	}

	/** The conntrack entry for what was sent. If there is more than one, in several zones, it is ambiguous and left out. */
	#flowOf(opened: OpenedSocket): Pick<Leg, 'flow'> {
		const [flow, another] = this.#flowsOf(opened);
		return flow === undefined || another !== undefined ? {} : {flow: {zone: flow.zone, isReplied: flow.isReplied}};
	}

	#flowsOf(opened: OpenedSocket): readonly Flow[] {
		return this.#evidence.flows?.filter(one => one.protocol === protocolOf(opened) && same(one.source, opened.from) && same(one.destination, opened.to)) ?? [];
	}

	#lostEnd({to, device, ...opened}: OpenedSocket, traversals: readonly Traversal[]): LegEnd | undefined {
		const {ruleSet, isSomewhere = () => true} = this.#evidence;
		const at = this.#flowsOf({to, ...opened})[0]?.reply.source;
		return lostEndOf({
			to, at, isStuck: at === undefined && this.#evidence.flows !== undefined, traversals, device, ruleSet, isSomewhere,
		});
	}

	/** Whether the rules dropped the answer, as far as the trace shows answers: those of TCP are traced if a connection is sent once more because it had no end. */
	#droppedAnswer(opened: OpenedSocket): LegEnd | undefined {
		const {source: at, destination} = this.#flowsOf(opened)[0]?.reply ?? {source: opened.to, destination: opened.from};
		const answers = this.#packets.get(`${protocolNumbers[protocolOf(opened)]} ${printEndpoint(at)} ${printEndpoint(destination)}`) ?? [];
		const found = answers.map(({traversals}) => droppedAnswer({at, traversals}));
		// If any answer came through, the rules are not the cause.
		return found.every(each => each !== undefined) ? found[0] : undefined;
	}

	#ownerOf({opened, name, logged}: {opened: OpenedSocket; name: string; logged: TracedPacket['owner']}, gaps: Gap[]): Leg['socket'] {
		const owners = ownersOf(this.#evidence.owners, opened);
		const [owner] = owners;
		if (owners.length > 1) {
			gaps.push({kind: 'credentials', message: `The kernel names more than one user for ${name}: ${owners.map(({uid, gid}) => `${uid}:${gid}`).join(', ')}.`});
		}

		if (owner !== undefined && logged !== undefined && (owner.uid !== logged.uid || owner.gid !== logged.gid)) {
			gaps.push({kind: 'credentials', message: `For ${name} the socket match says ${owner.uid}:${owner.gid} and NFLOG ${logged.uid}:${logged.gid}.`});
		}

		return owner === undefined ? logged : {uid: owner.uid, gid: owner.gid};
	}

	#endOf({opened, accepted, packet, traversals, name}: {
		readonly opened: OpenedSocket; readonly accepted: AcceptedSocket | undefined; readonly packet: TracedPacket | undefined; readonly traversals: readonly Traversal[]; readonly name: string;
	}, gaps: Gap[]): LegEnd {
		const ended = this.#ended.get(opened.id);
		const isUnanswered = ended?.result === 'timeout' || ended?.result === 'unreachable';
		const answer = isUnanswered ? this.#droppedAnswer(opened) : undefined;
		if (answer !== undefined) {
			return answer;
		}

		if (accepted !== undefined) {
			return {kind: 'accepted', stop: accepted.stop, ...(accepted.handedTo === undefined ? {} : {handedTo: accepted.handedTo})};
		}

		const last = packet?.traversals.at(-1);
		if (last?.end.by !== 'open' && last?.end.verdict === 'drop') {
			return {kind: 'dropped', by: last.end.by === 'rule' ? last.hits.at(-1) : undefined};
		}

		if (ended?.result === 'refused') {
			return {kind: 'refused'};
		}

		const lost = isUnanswered ? this.#lostEnd(opened, traversals) : undefined;
		if (lost !== undefined) {
			return lost;
		}

		if (ended?.result === 'unreachable') {
			return {kind: 'unreachable', reason: ended.reason};
		}

		const reason = reasonOf(ended);
		gaps.push({kind: 'no-end', message: `Nobody accepted, refused or dropped ${name}: ${reason}.`});
		return {kind: 'unknown', reason};
	}
}

/** Why it is not known how a connection ended. */
function reasonOf(ended: EndedSocket | undefined): string {
	if (ended === undefined) {
		return 'its process reported nothing more about it';
	}

	return ended.result === 'connected' ? 'something answered it, but no listener of this topology has accepted it' : ended.reason;
}

/** A leg that the process that accepted or opened it closed; one that was not accepted has its end already. */
function closed(leg: Leg, closing: Closing): Leg {
	return leg.end.kind === 'accepted' ? {...leg, end: {...leg.end, closed: closing}} : leg;
}

/** A leg without any packet: the kernel told the actor why it sent none. */
function legNeverSent({actor, family, source, to, reason}: UnsentSocket): Leg {
	return {
		actor, family, protocol: 'tcp', from: {address: source ?? unspecified[family], port: 0}, to, socket: undefined, traversals: [], end: {kind: 'unreachable', reason},
	};
}
