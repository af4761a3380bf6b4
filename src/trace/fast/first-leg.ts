/**
What came of one probe: the leg that its first packet walked, and why it may not be trusted. Nobody accepts what the prober sends, so where a packet was delivered is told by the last chain that it passed, and under TPROXY by the rule that gave it to a socket.
*/

import {isLoopback} from '../../netfilter/address.js';
import {
	printEndpoint, type Endpoint, type Leg, type LegEnd,
} from '../../netfilter/path.js';
import type {AddressFamily, RuleSet} from '../../netfilter/types.js';
import type {Gap} from '../gap.js';
import {
	deliveredBy, givenSocketOf, type GivenSocket, type Listening,
} from '../tproxy-socket.js';
import {packetEvidence} from '../packet-evidence.js';
import type {TracedPacket} from '../packets.js';

/** What the socket that sent a probe came to. `quiet`: nothing came back in time. */
export type ProbeEnd =
	| {readonly kind: 'connected' | 'refused' | 'quiet'}
	| {readonly kind: 'unreachable'; readonly reason: string};

/** A probe that was sent. */
export type SentProbe = {
	/** Who sent it, for the leg and messages. */
	readonly actor: string;
	readonly family: AddressFamily;
	readonly protocol: 'tcp' | 'udp';
	readonly from: Endpoint;
	readonly to: Endpoint;
	/** What the probe asked for, and what the kernel wrote down when the socket was made. */
	readonly asked: {readonly uid: number; readonly gid: number};
	readonly made: {readonly uid: number; readonly gid: number};
	/** Whether the socket is in the traced namespace, so that rules can ask for its owner. */
	readonly isLocal: boolean;
	/** Whether the answer comes back to the socket: not when its source is somebody else's address. */
	readonly hearsAnswer: boolean;
	/** There where one packet was sent that conntrack is to call invalid. */
	readonly packet?: 'invalid' | undefined;
	readonly end: ProbeEnd;
};

/** Where a packet left netfilter: see `arrivalOf`. */
export type Arrival = {readonly hook: 'input' | 'postrouting'; readonly destination: Endpoint};

/** A leg, and where its packet was delivered: the target of a redirection shows here, and the socket's port under TPROXY. `arrivedBy` tells whether that is in the traced namespace (`input`) or behind it. Both are undefined where it was not delivered. */
export type DeliveredLeg = Leg & {readonly deliveredTo: Endpoint | undefined; readonly arrivedBy: Arrival['hook'] | undefined};

/** The leg of a probe. `attempts` are the packets with its addresses, `arrival` is that of the first; `listening` are all sockets that TPROXY can find. */
export function firstLeg({probe, attempts, arrival, ruleSet, listening}: {
	readonly probe: SentProbe; readonly attempts: readonly TracedPacket[]; readonly arrival: Arrival | undefined; readonly ruleSet: RuleSet; readonly listening: readonly Listening[];
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
		packet, arrival, given, listening,
	});
	if (end === undefined) {
		gaps.push({kind: 'no-end', message: `Nobody accepted, refused or dropped ${name}: nothing came back in time.`});
	}

	const isDelivered = end !== undefined && end.kind !== 'dropped' && end.kind !== 'unreachable';
	if (isDelivered) {
		gaps.push(...evidence.missedOnArrival());
		if (arrival === undefined) {
			gaps.push({kind: 'not-traced', message: `The first packet of ${name} arrived, but the trace does not show where.`});
		}

		if (given !== undefined && given.port === undefined) {
			gaps.push({kind: 'not-understood', message: `To which socket the rule \`${given.hit.text}\` gave ${name} is not understood.`});
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
			end: end ?? {kind: 'unknown', reason: 'nothing came back in time'},
			deliveredTo: isDelivered ? deliveredBy(given, arrival) : undefined,
			arrivedBy: isDelivered ? arrival?.hook : undefined,
		},
		gaps,
	};
}

function credentialGaps({asked, made}: SentProbe, {name, logged}: {readonly name: string; readonly logged: TracedPacket['owner']}): readonly Gap[] {
	return [
		...(asked.uid === made.uid && asked.gid === made.gid ? [] : [{kind: 'credentials', message: `The socket of ${name} was made as ${made.uid}:${made.gid}, not as ${asked.uid}:${asked.gid}.`} satisfies Gap]),
		...(logged === undefined || (logged.uid === made.uid && logged.gid === made.gid) ? [] : [{kind: 'credentials', message: `For ${name} the socket says ${made.uid}:${made.gid} and NFLOG ${logged.uid}:${logged.gid}.`} satisfies Gap]),
	];
}

/** Undefined where nobody knows. */
function endOf(probe: SentProbe, {packet, arrival, given, listening}: {
	readonly packet: TracedPacket | undefined; readonly arrival: Arrival | undefined; readonly given: GivenSocket | undefined; readonly listening: readonly Listening[];
}): LegEnd | undefined {
	const {end, protocol, hearsAnswer, packet: wanted} = probe;
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

	if (end.kind === 'unreachable') {
		return end;
	}

	// What netfilter has let through to its end, and where no answer is due, has no other end.
	if (arrival !== undefined && (protocol === 'udp' || !hearsAnswer)) {
		return {kind: 'unknown', reason: protocol === 'udp' ? 'a datagram that somebody takes has no answer' : 'the answer goes to an address that is not the sender\'s'};
	}

	if (arrival?.hook === 'input' && isResetLost(probe, arrival.destination)) {
		return {kind: 'unknown', reason: 'the reset of a closed port does not find back to ::1'};
	}

	if (arrival !== undefined && wanted === 'invalid') {
		return {kind: 'unknown', reason: 'the answer to an invalid packet is invalid as well, so that a rule may drop it'};
	}

	return undefined;
}

/** Whether TCP from `::1` came to another address of the pod, where nobody listens: its reset should go out by the device that owns that address, since a loopback address is bound to one (`tcp_v6_send_response`, `rt6_need_strict`), and from there no way leads to `::1`. Measured on Linux 6.18. */
export function isResetLost({family, protocol, from}: Pick<SentProbe, 'family' | 'protocol' | 'from'>, destination: Endpoint): boolean {
	return family === 'ipv6' && protocol === 'tcp' && from.address === '::1' && !isLoopback(destination.address);
}

/** Whether TPROXY found no socket, and dropped the packet. Only nft's trace tells that by itself; that of ip_tables names the rule, and shows nothing behind it. */
export function isGivenToNobody({given, arrival, protocol}: {
	readonly given: GivenSocket | undefined; readonly arrival: Arrival | undefined; readonly protocol: 'tcp' | 'udp';
}, listening: readonly Listening[]): boolean {
	return given?.port !== undefined && given.isLast && arrival?.hook !== 'input'
		&& listening.every(socket => socket.protocol !== protocol || socket.port !== given.port);
}
