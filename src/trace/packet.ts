/**
The headers of a traced packet: the first bytes of IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293) and UDP (RFC 768).
*/

import type {Endpoint} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';
import {printAddress} from '../netfilter/address.js';

/** What the testbed needs to know of a packet. Ports are 0 for a protocol that has none. */
export type PacketHeader = {
	readonly family: AddressFamily;
	readonly protocol: number;
	readonly source: Endpoint;
	readonly destination: Endpoint;
	/** TCP's initial sequence number: NAT leaves it alone, so it names a packet across its hooks. Undefined for others. */
	readonly sequence: number | undefined;
	/** IPv4's identification; undefined in IPv6. */
	readonly identification: number | undefined;
	/** TCP's flag byte; undefined for others. */
	readonly tcpFlags: number | undefined;
};

/** Protocol numbers (IANA). */
export const protocolNumbers = {icmp: 1, tcp: 6, udp: 17, icmp6: 58} as const;

function addressOf(view: DataView, offset: number, bytes: number): bigint {
	let value = 0n;
	for (let index = 0; index < bytes; index++) {
		value = (value << 8n) | BigInt(view.getUint8(offset + index));
	}

	return value;
}

function transportOf(protocol: number, view: DataView): {sourcePort: number; destinationPort: number; sequence: number | undefined; tcpFlags: number | undefined} {
	const hasPorts = (protocol === protocolNumbers.tcp || protocol === protocolNumbers.udp) && view.byteLength >= 4;
	const isTcp = protocol === protocolNumbers.tcp && view.byteLength >= 14;
	return {
		sourcePort: hasPorts ? view.getUint16(0) : 0,
		destinationPort: hasPorts ? view.getUint16(2) : 0,
		sequence: isTcp ? view.getUint32(4) : undefined,
		tcpFlags: isTcp ? view.getUint8(13) : undefined,
	};
}

/**
The header of a packet from its network header and, where the trace gives it apart, its transport header. Undefined when the bytes are too short or no IP: the caller makes that a gap.
*/
export function parsePacket(network: DataView, transport?: DataView): PacketHeader | undefined {
	const version = network.byteLength > 0 ? network.getUint8(0) >> 4 : 0;
	if (version === 4 && network.byteLength >= 20) {
		const headerBytes = (network.getUint8(0) & 0xF) * 4;
		const protocol = network.getUint8(9);
		const {sourcePort, destinationPort, ...rest} = transportOf(protocol, transport ?? tail(network, headerBytes));
		return {
			family: 'ipv4',
			protocol,
			source: {address: printAddress({family: 'ipv4', value: addressOf(network, 12, 4)}), port: sourcePort},
			destination: {address: printAddress({family: 'ipv4', value: addressOf(network, 16, 4)}), port: destinationPort},
			identification: network.getUint16(4),
			...rest,
		};
	}

	if (version === 6 && network.byteLength >= 40) {
		const protocol = network.getUint8(6); // Extension headers are not walked: what the actors send has none.
		const {sourcePort, destinationPort, ...rest} = transportOf(protocol, transport ?? tail(network, 40));
		return {
			family: 'ipv6',
			protocol,
			source: {address: printAddress({family: 'ipv6', value: addressOf(network, 8, 16)}), port: sourcePort},
			destination: {address: printAddress({family: 'ipv6', value: addressOf(network, 24, 16)}), port: destinationPort},
			identification: undefined,
			...rest,
		};
	}

	return undefined;
}

function tail(view: DataView, offset: number): DataView {
	const start = Math.min(offset, view.byteLength);
	return new DataView(view.buffer, view.byteOffset + start, view.byteLength - start);
}
