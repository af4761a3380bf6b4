/**
The entries of conntrack → flows: which zone a connection is in, and whether its answer came back in it.
*/

import {shortAddress} from '../netfilter/address.js';
import type {Endpoint} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';

/** One entry: the connection as it was sent, the zone that it is in, and whether an answer was seen that belongs to it. */
export type Flow = {
	readonly family: AddressFamily;
	readonly protocol: 'tcp' | 'udp';
	readonly source: Endpoint;
	readonly destination: Endpoint;
	readonly zone: number;
	readonly isReplied: boolean;
};

/** What a text came to. Entries of other protocols are none of these flows; a line that is no entry at all is not understood. */
export type ParsedFlows = {readonly flows: readonly Flow[]; readonly notUnderstood: readonly string[]};

/** The original tuple stands first (`ct_seq_show` in net/netfilter/nf_conntrack_standalone.c); what follows it may have gaps between. */
const entry = /^ipv(?<version>[46])\s+\d+\s+(?<protocol>\S+)\s+\d+\s.*?src=(?<source>\S+) dst=(?<destination>\S+)(?: sport=(?<sourcePort>\d+) dport=(?<destinationPort>\d+))?/u;

/** Reads `/proc/net/nf_conntrack`. */
export function parseFlows(text: string): ParsedFlows {
	const flows: Flow[] = [];
	const notUnderstood: string[] = [];
	for (const line of text.split('\n').filter(one => one.trim() !== '')) {
		const {version, protocol, source = '', destination = '', sourcePort, destinationPort} = entry.exec(line)?.groups ?? {};
		if (version === undefined) {
			notUnderstood.push(line.trim());
		} else if ((protocol === 'tcp' || protocol === 'udp') && sourcePort !== undefined && destinationPort !== undefined) {
			flows.push({
				family: version === '4' ? 'ipv4' : 'ipv6',
				protocol,
				// The kernel writes all zeros of an IPv6 address out.
				source: {address: shortAddress(source) ?? source, port: Number(sourcePort)},
				destination: {address: shortAddress(destination) ?? destination, port: Number(destinationPort)},
				zone: Number(/ zone(?:-orig)?=(?<zone>\d+)/u.exec(line)?.groups?.['zone'] ?? 0),
				isReplied: !line.includes('[UNREPLIED]'),
			});
		}
	}

	return {flows, notUnderstood};
}
