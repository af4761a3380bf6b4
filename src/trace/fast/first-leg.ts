/**
The result of one probe: the leg of its first packet, and why it may not be trusted. Nothing accepts what the prober sends, so the last chain that a packet passed shows where it was delivered, and under TPROXY the rule that assigned it to a socket.
*/

import {isLoopback} from '../../netfilter/address.js';
import {
	printEndpoint, type Endpoint, type Leg, type LegEnd, type LostEnd, type Traversal,
} from '../../netfilter/path.js';
import type {AddressFamily, RuleSet} from '../../netfilter/types.js';
import type {Gap} from '../gap.js';
import {
	deliveredBy, givenSocketOf, type GivenSocket, type Listening,
} from '../tproxy-socket.js';
import {lostEndOf, type IsSomewhere} from '../lost-end.js';
import {packetEvidence} from '../packet-evidence.js';
import type {TracedPacket} from '../packets.js';

/** What happened to the socket that sent a probe. `quiet`: no answer in time. */
export type ProbeEnd =
	| {readonly kind: 'connected' | 'refused' | 'quiet'}
	| {readonly kind: 'unreachable'; readonly reason: string};

/** A probe that was sent. */
export type SentProbe = {
	/** The sender, for the leg and messages. */
	readonly actor: string;
	readonly family: AddressFamily;
	readonly protocol: 'tcp' | 'udp';
	readonly from: Endpoint;
	readonly to: Endpoint;
	/** The requested credentials, and those that the kernel recorded when the socket was created. */
	readonly asked: {readonly uid: number; readonly gid: number};
	readonly made: {readonly uid: number; readonly gid: number};
	/** Whether the socket is in the traced namespace, so that rules can match its owner. */
	readonly isLocal: boolean;
	/** Whether the answer returns to the socket: not if its source is another host's address. */
	readonly hearsAnswer: boolean;
	/** Present if one packet was sent that conntrack should consider invalid. */
	readonly packet?: 'invalid' | undefined;
	/** The device that the socket is bound to, if any. */
	readonly device?: string | undefined;
	readonly end: ProbeEnd;
};

/** Where a packet left netfilter: see `arrivalOf`. */
export type Arrival = {readonly hook: 'input' | 'postrouting'; readonly destination: Endpoint};

/** A leg, and where its packet was delivered: this shows the target of a redirection, and under TPROXY the socket's port. `arrivedBy` says whether that is in the traced namespace (`input`) or outside of it. Both are undefined if it was not delivered. */
export type DeliveredLeg = Leg & {readonly deliveredTo: Endpoint | undefined; readonly arrivedBy: Arrival['hook'] | undefined};

/** The leg of a probe. `attempts` are the packets with its addresses, `arrival` is that of the first; `answer` is its end if its answer is known to have been dropped; `listening` are all sockets that TPROXY can find. */
export function firstLeg({probe, attempts, arrival, answer, ruleSet, listening, isSomewhere = () => true}: {
	readonly probe: SentProbe;
	readonly attempts: readonly TracedPacket[];
	readonly arrival: Arrival | undefined;
	readonly answer?: LostEnd | undefined;
	readonly ruleSet: RuleSet;
	readonly listening: readonly Listening[];
	readonly isSomewhere?: IsSomewhere | undefined;
}): {readonly leg: DeliveredLeg; readonly gaps: readonly Gap[]} {
	const {actor, family, protocol, from, to, made, isLocal} = probe;
	const name = `${actor} ${printEndpoint(from)} → ${printEndpoint(to)}`;
	const [packet] = attempts;
	const evidence = packetEvidence({
		name, attempts, family, ruleSet, wanted: probe.packet,
	});
	const gaps: Gap[] = [...evidence.gaps, ...credentialGaps(probe, {name, logged: packet?.owner})];
	const given = givenSocketOf(evidence.traversals, ruleSet);
	const end = endOf(probe, {
		packet, traversals: evidence.traversals, arrival, answer, given, listening, ruleSet, isSomewhere,
	});
	if (end === undefined) {
		gaps.push({kind: 'no-end', message: `Nobody accepted, refused or dropped ${name}: no answer came in time.`});
	}

	const isDelivered = end !== undefined && !undelivered.has(end.kind);
	if (isDelivered || end?.kind === 'answer-dropped') {
		gaps.push(...evidence.missedOnArrival());
	}

	if (isDelivered) {
		if (arrival === undefined) {
			gaps.push({kind: 'not-traced', message: `The first packet of ${name} arrived, but the trace does not show where.`});
		}

		if (given !== undefined && given.port === undefined) {
			gaps.push({kind: 'not-understood', message: `The rule \`${given.hit.text}\` assigned ${name} to a socket, but it is not understood to which.`});
		}
	}

	return {
		leg: {
			actor,
			family,
			protocol,
			from,
			to,
			socket: isLocal ? made : undefined,
			traversals: evidence.traversals,
			end: end ?? {kind: 'unknown', reason: 'no answer came in time'},
			deliveredTo: isDelivered ? deliveredBy(given, arrival) : undefined,
			arrivedBy: isDelivered ? arrival?.hook : undefined,
		},
		gaps,
	};
}

function credentialGaps({asked, made}: SentProbe, {name, logged}: {readonly name: string; readonly logged: TracedPacket['owner']}): readonly Gap[] {
	return [
		...(asked.uid === made.uid && asked.gid === made.gid ? [] : [{kind: 'credentials', message: `The socket of ${name} was created as ${made.uid}:${made.gid}, not as ${asked.uid}:${asked.gid}.`} satisfies Gap]),
		...(logged === undefined || (logged.uid === made.uid && logged.gid === made.gid) ? [] : [{kind: 'credentials', message: `For ${name} the socket says ${made.uid}:${made.gid} and NFLOG ${logged.uid}:${logged.gid}.`} satisfies Gap]),
	];
}

/** Ends of a packet that reached no socket, or for whose sender it is as if it had not. */
const undelivered: ReadonlySet<LegEnd['kind']> = new Set(['dropped', 'unreachable', 'nowhere', 'lost', 'answer-dropped']);

/** The first packet of a probe, as far as it was found. */
type FoundPacket = {
	readonly packet: TracedPacket | undefined;
	readonly traversals: readonly Traversal[];
	readonly arrival: Arrival | undefined;
	readonly answer: LostEnd | undefined;
	readonly given: GivenSocket | undefined;
	readonly listening: readonly Listening[];
	readonly ruleSet: RuleSet;
	readonly isSomewhere: IsSomewhere;
};

/** Undefined if it is not known. */
function endOf(probe: SentProbe, found: FoundPacket): LegEnd | undefined {
	const {packet, arrival, answer, given, listening} = found;
	const {end, protocol} = probe;
	if (end.kind === 'connected') {
		return {kind: 'accepted', stop: arrival === undefined ? 'unknown' : printEndpoint(arrival.destination)};
	}

	const last = packet?.traversals.at(-1);
	if (last !== undefined && last.end.by !== 'open' && last.end.verdict === 'drop') {
		return {kind: 'dropped', by: last.end.by === 'rule' ? last.hits.at(-1) : undefined};
	}

	if (isGivenToNobody({given, arrival, protocol}, listening)) {
		return {kind: 'dropped', by: given!.hit};
	}

	if (end.kind === 'refused') {
		return {kind: 'refused'};
	}

	return answer ?? lostIn(probe, found) ?? (end.kind === 'unreachable' ? end : quietEndOf(probe, found));
}

/** A packet that came back into the pod, or into any of its sockets, is not lost. */
export function lostIn({to, device}: SentProbe, {arrival, traversals, ruleSet, isSomewhere}: Pick<FoundPacket, 'arrival' | 'traversals' | 'ruleSet' | 'isSomewhere'>): LostEnd | undefined {
	return arrival?.hook === 'input'
		? undefined
		: lostEndOf({
			to, at: arrival?.destination, isStuck: arrival === undefined, traversals, device, ruleSet, isSomewhere,
		});
}

/** The end of a packet without an answer. */
function quietEndOf(probe: SentProbe, {arrival}: Pick<FoundPacket, 'arrival'>): LegEnd | undefined {
	const {protocol, hearsAnswer, packet: wanted} = probe;
	// A packet that passed netfilter and expects no answer has no other end.
	if (arrival !== undefined && (protocol === 'udp' || !hearsAnswer)) {
		return {kind: 'unknown', reason: protocol === 'udp' ? 'a received datagram has no answer' : 'the answer goes to an address that is not the sender\'s'};
	}

	if (arrival?.hook === 'input' && isResetLost(probe, arrival.destination)) {
		return {kind: 'unknown', reason: 'the reset of a closed port does not reach ::1'};
	}

	if (arrival !== undefined && wanted === 'invalid') {
		return {kind: 'unknown', reason: 'the answer to an invalid packet is invalid as well, so a rule may drop it'};
	}

	return undefined;
}

/** Whether TCP from `::1` reached another address of the pod without a listener: its reset would have to leave by the device that owns that address, since a loopback address is bound to one (`tcp_v6_send_response`, `rt6_need_strict`), and from there no route leads to `::1`. Measured on Linux 6.18. */
export function isResetLost({family, protocol, from}: Pick<SentProbe, 'family' | 'protocol' | 'from'>, destination: Endpoint): boolean {
	return family === 'ipv6' && protocol === 'tcp' && from.address === '::1' && !isLoopback(destination.address);
}

/** Whether TPROXY found no socket and dropped the packet. Only nft's trace shows that by itself; that of ip_tables names the rule, and shows nothing after it. */
export function isGivenToNobody({given, arrival, protocol}: {
	readonly given: GivenSocket | undefined; readonly arrival: Arrival | undefined; readonly protocol: 'tcp' | 'udp';
}, listening: readonly Listening[]): boolean {
	return given?.port !== undefined && given.isLast && arrival?.hook !== 'input'
		&& listening.every(socket => socket.protocol !== protocol || socket.port !== given.port);
}
