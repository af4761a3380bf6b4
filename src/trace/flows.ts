/**
Reads flows from conntrack's entries: the zone of a connection, and whether its answer came back in it.
*/

import {shortAddress} from '../netfilter/address.js';
import type {Endpoint} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';

/** One entry: the connection as it was sent, its zone, and whether an answer was seen that belongs to it. */
export type Flow = {
	readonly family: AddressFamily;
	readonly protocol: 'tcp' | 'udp';
	readonly source: Endpoint;
	readonly destination: Endpoint;
	/** The answer as the kernel expects it: from the real destination, to the source as seen from there. */
	readonly reply: {readonly source: Endpoint; readonly destination: Endpoint};
	readonly zone: number;
	readonly isReplied: boolean;
};

/** The result for a text. Entries of other protocols are ignored; a line that is not an entry at all is not understood. */
export type ParsedFlows = {readonly flows: readonly Flow[]; readonly notUnderstood: readonly string[]};

/** The original tuple comes first, then that of the answer (`ct_seq_show` in net/netfilter/nf_conntrack_standalone.c); other fields may follow each. */
const entry = /^ipv(?<version>[46])\s+\d+\s+(?<protocol>\S+)\s+\d+\s.*?src=\S+ dst=\S+/u;
const tuples = /src=(?<source>\S+) dst=(?<destination>\S+) sport=(?<sourcePort>\d+) dport=(?<destinationPort>\d+)/gu;

/** The kernel writes all zeros of an IPv6 address. */
function tupleOf({groups}: RegExpMatchArray): {readonly source: Endpoint; readonly destination: Endpoint} {
	const {source = '', destination = '', sourcePort, destinationPort} = groups ?? {};
	return {source: {address: shortAddress(source) ?? source, port: Number(sourcePort)}, destination: {address: shortAddress(destination) ?? destination, port: Number(destinationPort)}};
}

const sourcePort = /sport=(?<port>\d+)/u;

/** Parses `/proc/net/nf_conntrack`. With `ports`, only connections that were sent from one of these; lines that are no entries are reported in any case. */
export function parseFlows(text: string, {ports}: {readonly ports?: ReadonlySet<number>} = {}): ParsedFlows {
	const flows: Flow[] = [];
	const notUnderstood: string[] = [];
	for (const line of text.split('\n').filter(one => one.trim() !== '')) {
		const {version, protocol} = entry.exec(line)?.groups ?? {};
		if (version !== undefined && ports !== undefined && !ports.has(Number(sourcePort.exec(line)?.groups?.['port']))) {
			continue;
		}

		const [original, reply] = [...line.matchAll(tuples)].map(tuple => tupleOf(tuple));
		if (version === undefined) {
			notUnderstood.push(line.trim());
		} else if ((protocol === 'tcp' || protocol === 'udp') && original !== undefined) {
			flows.push({
				family: version === '4' ? 'ipv4' : 'ipv6',
				protocol,
				...original,
				reply: reply ?? {source: original.destination, destination: original.source},
				zone: Number(/ zone(?:-orig)?=(?<zone>\d+)/u.exec(line)?.groups?.['zone'] ?? 0),
				isReplied: !line.includes('[UNREPLIED]'),
			});
		}
	}

	return {flows, notUnderstood};
}
