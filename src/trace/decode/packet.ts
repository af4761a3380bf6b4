/**
The headers of a traced packet: the first bytes of IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293) and UDP (RFC 768).
*/

import type {Endpoint} from '../../netfilter/path.js';
import type {AddressFamily} from '../../netfilter/types.js';
import {printAddressBytes} from '../../netfilter/address.js';

/** What the testbed needs to know about a packet. Ports are 0 for a protocol without ports. */
export type PacketHeader = {
	readonly family: AddressFamily;
	readonly protocol: number;
	readonly source: Endpoint;
	readonly destination: Endpoint;
	/** TCP's initial sequence number, which NAT does not change, so it identifies a packet across its hooks. Of a reset without a number of its own, the number that it acknowledges: see {@link isNumberless}. Undefined for others. */
	readonly sequence: number | undefined;
	/** IPv4's identification, or IPv6's flow label, in which the kernel puts a hash of the flow (`ip6_make_flowlabel` in include/net/ipv6.h; the sandbox has `auto_flowlabels` on). NAT changes neither. */
	readonly identification: number;
	/** TCP's flag byte; undefined for others. */
	readonly tcpFlags: number | undefined;
};

/** Protocol numbers (IANA). */
export const protocolNumbers = {icmp: 1, tcp: 6, udp: 17, icmp6: 58} as const;

const tcpFlag = {
	fin: 1, syn: 2, rst: 4, ack: 16,
} as const;

/** Whether a packet answers a first packet of TCP: SYN with ACK, or a reset. */
export function isAnswer({tcpFlags = 0}: Pick<PacketHeader, 'tcpFlags'>): boolean {
	const {fin, syn, rst, ack} = tcpFlag;
	return (tcpFlags & rst) !== 0 || (tcpFlags & (fin | syn | ack)) === (syn | ack);
}

/** Whether a packet is the reset with which a closed port answers a SYN: its number is always 0, and it acknowledges the SYN's number plus one (RFC 9293, 3.5.2). */
export function isNumberless(tcpFlags: number, sequence: number): boolean {
	const {rst, ack} = tcpFlag;
	return sequence === 0 && (tcpFlags & (rst | ack)) === (rst | ack);
}

type Transport = {readonly sourcePort: number; readonly destinationPort: number; readonly sequence: number | undefined; readonly tcpFlags: number | undefined};

/** Undefined if TCP or UDP is too short to contain its ports. */
function transportOf(protocol: number, view: DataView): Transport | undefined {
	if (protocol === protocolNumbers.tcp) {
		if (view.byteLength < 14) {
			return undefined;
		}

		const [sequence, tcpFlags] = [view.getUint32(4), view.getUint8(13)];
		return {
			sourcePort: view.getUint16(0), destinationPort: view.getUint16(2), sequence: isNumberless(tcpFlags, sequence) ? view.getUint32(8) : sequence, tcpFlags,
		};
	}

	if (protocol === protocolNumbers.udp && view.byteLength < 4) {
		return undefined;
	}

	const hasPorts = protocol === protocolNumbers.udp;
	return {
		sourcePort: hasPorts ? view.getUint16(0) : 0, destinationPort: hasPorts ? view.getUint16(2) : 0, sequence: undefined, tcpFlags: undefined,
	};
}

/** The flow label in the first word of an IPv6 header (RFC 8200, 3). */
export const flowLabelMask = 0x0F_FF_FF;

/**
The header of a packet from its network header and, if the trace has it separately, its transport header. Undefined if the bytes are too short or not IP: the caller turns that into a gap.
*/
export function parsePacket(network: DataView, transport?: DataView): PacketHeader | undefined {
	const version = network.byteLength > 0 ? network.getUint8(0) >> 4 : 0;
	if (version === 4 && network.byteLength >= 20) {
		const headerBytes = (network.getUint8(0) & 0xF) * 4; // With options it is longer than 20.
		return headerBytes < 20
			? undefined
			: withTransport({
				family: 'ipv4', view: network, protocol: network.getUint8(9), addresses: {source: 12, destination: 16, bytes: 4}, identification: network.getUint16(4),
			}, transport ?? tail(network, headerBytes));
	}

	if (version === 6 && network.byteLength >= 40) {
		// Extension headers are not parsed: the actors send none.
		return withTransport({
			family: 'ipv6', view: network, protocol: network.getUint8(6), addresses: {source: 8, destination: 24, bytes: 16}, identification: network.getUint32(0) & flowLabelMask,
		}, transport ?? tail(network, 40));
	}

	return undefined;
}

/** Bytes of an Ethernet header, without tags. */
const ethernetBytes = 14;

/** The header of an Ethernet frame's packet, such as a packet socket receives it on veth and lo. Undefined as for {@link parsePacket}. */
export function parseFrame(frame: Uint8Array): PacketHeader | undefined {
	return frame.length > ethernetBytes ? parsePacket(new DataView(frame.buffer, frame.byteOffset + ethernetBytes, frame.length - ethernetBytes)) : undefined;
}

function withTransport({family, view, protocol, addresses, identification}: {
	family: AddressFamily; view: DataView; protocol: number; addresses: {source: number; destination: number; bytes: number}; identification: number;
}, transport: DataView): PacketHeader | undefined {
	const parsed = transportOf(protocol, transport);
	if (parsed === undefined) {
		return undefined;
	}

	const {sourcePort, destinationPort, ...rest} = parsed;
	const address = (offset: number): string => printAddressBytes(new Uint8Array(view.buffer, view.byteOffset + offset, addresses.bytes));
	return {
		family,
		protocol,
		source: {address: address(addresses.source), port: sourcePort},
		destination: {address: address(addresses.destination), port: destinationPort},
		identification,
		...rest,
	};
}

function tail(view: DataView, offset: number): DataView {
	const start = Math.min(offset, view.byteLength);
	return new DataView(view.buffer, view.byteOffset + start, view.byteLength - start);
}
