/**
Sockets and packets → legs → the path of a probe. A leg is joined by what its own socket and the listener said of their addresses; the packet is found by the same pair.
*/

import {
	printEndpoint, type Endpoint, type Leg, type LegEnd,
} from '../netfilter/path.js';
import type {RuleSet} from '../netfilter/types.js';
import type {Flow} from './flows.js';
import type {Gap} from './gap.js';
import type {Observation, ObservedPath} from './observation.js';
import {protocolNumbers} from './decode/packet.js';
import {packetEvidence} from './packet-evidence.js';
import type {TracedPacket} from './packets.js';
import {
	loopStops, type AcceptedSocket, type CutSocket, type EndedSocket, type OpenedSocket, type SocketRecord, type UnsentSocket,
} from './sockets.js';

/** The credentials of a socket, as the trace switch read them off the socket of the packet. */
export type SocketOwner = {readonly family: 'ipv4' | 'ipv6'; readonly protocol?: 'tcp' | 'udp'; readonly sourcePort: number; readonly destinationPort: number; readonly uid: number; readonly gid: number};

/** Everything that was observed in one run, for all its probes. */
export type Evidence = {
	readonly sockets: readonly SocketRecord[];
	readonly packets: readonly TracedPacket[];
	readonly owners: readonly SocketOwner[];
	readonly ruleSet: RuleSet;
	readonly flows?: readonly Flow[] | undefined;
};

function same(one: Endpoint, other: Endpoint): boolean {
	return one.port === other.port && one.address === other.address;
}

/** What does not say its protocol is of TCP. */
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
	readonly #packets = new Map<string, TracedPacket[]>();

	constructor(evidence: Evidence) {
		this.#evidence = evidence;
		this.#opened = evidence.sockets.filter(record => record.kind === 'opened');
		this.#unsent = evidence.sockets.filter(record => record.kind === 'unsent');
		this.#accepted = evidence.sockets.filter(record => record.kind === 'accepted');
		this.#ended = new Map(evidence.sockets.flatMap(record => record.kind === 'ended' ? [[record.id, record] as const] : []));
		this.#cut = new Map(evidence.sockets.flatMap(record => record.kind === 'cut' ? [[record.id, record] as const] : []));
		for (const packet of evidence.packets) {
			const key = `${packet.header.protocol} ${printEndpoint(packet.header.source)} ${printEndpoint(packet.header.destination)}`;
			this.#packets.set(key, [...this.#packets.get(key) ?? [], packet]);
		}
	}

	/** The path of the probe whose first socket has this id. */
	join(firstId: string): Observation {
		const gaps: Gap[] = [];
		const legs: Leg[] = [];
		let loop = false;
		let opened = this.#opened.find(({id}) => id === firstId);
		const unsent = this.#unsent.find(({id}) => id === firstId);
		if (opened === undefined && unsent !== undefined) {
			legs.push(legNeverSent(unsent));
		} else if (opened === undefined) {
			gaps.push({kind: 'no-end', message: `No actor said that it opened the connection ${firstId}.`});
		}

		while (opened !== undefined && legs.length <= loopStops) {
			const accepted = this.#acceptedOf(opened, gaps);
			legs.push(this.#legOf(opened, accepted, gaps));
			if (accepted !== undefined && this.#cut.has(accepted.id)) {
				loop = true;
				break;
			}

			const next: readonly OpenedSocket[] = accepted === undefined ? [] : this.#opened.filter(({parent}) => parent === accepted.id);
			if (next.length > 1) {
				gaps.push({kind: 'ambiguous', message: `${accepted!.stop} opened ${next.length} connections for one that it accepted.`});
			}

			const unsent = accepted === undefined ? undefined : this.#unsent.find(({parent}) => parent === accepted.id);
			if (unsent !== undefined) {
				legs.push(legNeverSent(unsent));
			} else if (accepted?.originalDestination !== undefined && next.length === 0) {
				gaps.push({kind: 'no-end', message: `${accepted.stop} accepted a connection to ${printEndpoint(accepted.originalDestination)} and did not carry it on.`});
			}

			opened = next[0];
		}

		// Somebody who should have cut it did not.
		loop ||= opened !== undefined;
		return {path: {legs} as unknown as ObservedPath, loop, gaps};
	}

	#acceptedOf(opened: OpenedSocket, gaps: Gap[]): AcceptedSocket | undefined {
		const candidates = this.#accepted.filter(one => protocolOf(one) === protocolOf(opened) && same(one.peer, opened.from));
		const rivals = this.#opened.filter(other => other !== opened && protocolOf(other) === protocolOf(opened) && same(other.from, opened.from));
		if (candidates.length < 2 && rivals.length === 0) {
			return candidates[0];
		}

		// One source port can serve two destinations at once.
		const wantedBy = ({to}: OpenedSocket) => ({local, originalDestination}: AcceptedSocket): boolean => same(originalDestination ?? local, to);
		const exact = candidates.filter(candidate => wantedBy(opened)(candidate));
		if (exact.length === 1) {
			return exact[0];
		}

		// All that there is belongs to the others: nobody accepted this one.
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
			opened, accepted, packet, name,
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
			socket: this.#ownerOf({opened, name, logged: packet?.owner}, gaps),
			traversals,
			end,
			...this.#flowOf(opened),
		};
	}

	/** The entry of conntrack for what was sent. More than one, in several zones, is none that could be named. */
	#flowOf(opened: OpenedSocket): Pick<Leg, 'flow'> {
		const [flow, another] = this.#evidence.flows?.filter(one => one.protocol === protocolOf(opened) && same(one.source, opened.from) && same(one.destination, opened.to)) ?? [];
		return flow === undefined || another !== undefined ? {} : {flow: {zone: flow.zone, isReplied: flow.isReplied}};
	}

	#ownerOf({opened, name, logged}: {opened: OpenedSocket; name: string; logged: TracedPacket['owner']}, gaps: Gap[]): Leg['socket'] {
		const {family, from, to} = opened;
		const isOf = (owner: SocketOwner): boolean => owner.family === family && owner.sourcePort === from.port && owner.destinationPort === to.port;
		const owners = this.#evidence.owners.filter(owner => protocolOf(owner) === protocolOf(opened) && isOf(owner));
		const [owner] = owners;
		if (owners.length > 1) {
			gaps.push({kind: 'credentials', message: `The kernel names ${owners.length} users for ${name}.`});
		}

		if (owner !== undefined && logged !== undefined && (owner.uid !== logged.uid || owner.gid !== logged.gid)) {
			gaps.push({kind: 'credentials', message: `For ${name} the socket match says ${owner.uid}:${owner.gid} and NFLOG ${logged.uid}:${logged.gid}.`});
		}

		return owner === undefined ? logged : {uid: owner.uid, gid: owner.gid};
	}

	#endOf({opened, accepted, packet, name}: {opened: OpenedSocket; accepted: AcceptedSocket | undefined; packet: TracedPacket | undefined; name: string}, gaps: Gap[]): LegEnd {
		if (accepted !== undefined) {
			return {kind: 'accepted', stop: accepted.stop};
		}

		const last = packet?.traversals.at(-1);
		if (last?.end.by !== 'open' && last?.end.verdict === 'drop') {
			return {kind: 'dropped', by: last.end.by === 'rule' ? last.hits.at(-1) : undefined};
		}

		const ended = this.#ended.get(opened.id);
		if (ended?.result === 'refused') {
			return {kind: 'refused'};
		}

		if (ended?.result === 'unreachable') {
			return {kind: 'unreachable', reason: ended.reason};
		}

		const reason = ended?.reason ?? 'its process said nothing more of it';
		gaps.push({kind: 'no-end', message: `Nobody accepted, refused or dropped ${name}: ${reason}.`});
		return {kind: 'unknown', reason};
	}
}

/** A leg of which no packet ever was: the kernel told the one who wanted it why. */
function legNeverSent({actor, family, source, to, reason}: UnsentSocket): Leg {
	return {
		actor, family, protocol: 'tcp', from: {address: source ?? (family === 'ipv4' ? '0.0.0.0' : '::'), port: 0}, to, socket: undefined, traversals: [], end: {kind: 'unreachable', reason},
	};
}
