/**
Assigns captured packets to the connections and legs of a report, by the addresses that the first packet of each leg had on its path.
*/

import {
	printEndpoint, printLegEnd, stepsOfTraversal, type Endpoint, type Leg,
} from '../../netfilter/path.js';
import {parseFrame, protocolNumbers, type PacketHeader} from '../../trace/decode/packet.js';
import type {AnnotatedPacket, CapturedPacket} from './pcapng.js';

/** One connection of a report: `type 2 local-to-remote, ipv4`, with its legs. */
export type NamedConnection = {readonly name: string; readonly legs: readonly Leg[]};

const [syn, ack] = [0x02, 0x10];

type Owner = {readonly connection: NamedConnection; readonly index: number; readonly leg: Leg};

/** The packets, each with a comment that names its connection and leg. The comment on the first packet of a leg also lists the rules that it hit. Packets that belong to no connection (neighbor discovery, multicast reports) have no comment. */
export function annotate(packets: readonly CapturedPacket[], connections: readonly NamedConnection[]): readonly AnnotatedPacket[] {
	const owners = ownersByPair(connections);
	const begun = new Set<Leg>();
	return packets.map(packet => {
		const header = parseFrame(packet.bytes);
		const there = header === undefined ? undefined : owners.get(pairKey(header));
		if (header !== undefined && there !== undefined) {
			const isFirst = isOpening(header) && !begun.has(there.leg);
			begun.add(there.leg);
			return {...packet, comment: isFirst ? `${nameOf(there)}: ${pathText(there.leg)}` : nameOf(there)};
		}

		const back = header === undefined ? undefined : owners.get(pairKey({...header, source: header.destination, destination: header.source}));
		return back === undefined ? packet : {...packet, comment: `${nameOf(back)}, answer`};
	});
}

/** Indexes a leg by every pair of addresses that its packets can have: as sent, and as rules changed it at each hook. */
function ownersByPair(connections: readonly NamedConnection[]): ReadonlyMap<string, Owner> {
	return new Map(connections.flatMap(connection => connection.legs.flatMap((leg, index) => {
		const protocol = protocolNumbers[leg.protocol];
		const pairs = [
			{source: leg.from, destination: leg.to},
			...leg.traversals,
			// The effect of the last chain is visible only on the link: a REDIRECT in it leads to the stop that was reached.
			...redirectedPairs(leg),
		];
		return pairs.map(({source, destination}) => [pairKey({protocol, source, destination}), {connection, index, leg}] as const);
	})));
}

/** The listener's end of the leg, if the leg was accepted at a port of the pod: `proxy:15001` at the address that REDIRECT sets (loopback for what the pod sends, the pod's own otherwise). */
function redirectedPairs({family, from, to, end}: Leg): ReadonlyArray<{readonly source: Endpoint; readonly destination: Endpoint}> {
	const port = end.kind === 'accepted' ? Number(/:(?<port>\d+)$/u.exec(end.stop)?.groups?.['port']) : Number.NaN;
	if (Number.isNaN(port)) {
		return [];
	}

	return [family === 'ipv4' ? '127.0.0.1' : '::1', to.address, from.address].map(address => ({source: from, destination: {address, port}}));
}

function pairKey({protocol, source, destination}: Pick<PacketHeader, 'protocol' | 'source' | 'destination'>): string {
	return `${protocol} ${printEndpoint(source)} ${printEndpoint(destination)}`;
}

/** For TCP, a SYN without an ACK; for other protocols, any packet can be the first. */
function isOpening({protocol, tcpFlags}: PacketHeader): boolean {
	return protocol !== protocolNumbers.tcp || ((tcpFlags ?? 0) & (syn | ack)) === syn;
}

function nameOf({connection, index, leg}: Owner): string {
	return `${connection.name}, leg ${index + 1} of ${connection.legs.length}, ${leg.actor} > ${printLegEnd(leg.end)}`;
}

function pathText({traversals}: Leg): string {
	const steps = traversals.flatMap(traversal => stepsOfTraversal(traversal));
	const rules = traversals.flatMap(({hits}) => hits.map(({chain, number, text}) => `${chain}#${number ?? '?'} ${text ?? ''}`.trim()));
	return [steps.length === 0 ? 'no chain was consulted' : steps.join(' > '), ...rules].join('\n');
}
