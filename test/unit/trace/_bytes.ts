/**
Netlink messages and packets, byte by byte, for cases that no kernel sends.
*/

import {Buffer} from 'node:buffer';

/** Bytes in a row; a number is one byte. */
export function bytes(...parts: ReadonlyArray<number | Uint8Array>): Uint8Array {
	return Uint8Array.from(parts.flatMap(part => typeof part === 'number' ? [part] : [...part]));
}

/** A number in network order. */
export function uint16(value: number): Uint8Array {
	return bytes(value >>> 8, value & 0xFF);
}

/** A number in network order. */
export function uint32(value: number): Uint8Array {
	return bytes(uint16(value >>> 16), uint16(value & 0xFF_FF));
}

/** A number in network order. */
export function uint64(value: number): Uint8Array {
	return bytes(uint32(0), uint32(value));
}

/** A string as the kernel writes it: with a NUL behind it. */
export function text(value: string): Uint8Array {
	return bytes(...Buffer.from(value, 'latin1'), 0);
}

function little16(value: number): Uint8Array {
	return bytes(value & 0xFF, value >>> 8);
}

/** An attribute with its padding. `length` is what its header claims, if not the truth. */
export function attribute(type: number, payload: Uint8Array, {length = payload.length + 4}: {readonly length?: number} = {}): Uint8Array {
	return bytes(little16(length), little16(type), payload, new Uint8Array((4 - (payload.length % 4)) % 4));
}

/** A message. `length` is what its header claims, if not the truth. */
export function message(type: number, body: Uint8Array, {length = body.length + 16, flags = 0}: {readonly length?: number; readonly flags?: number} = {}): Uint8Array {
	return bytes(little16(length & 0xFF_FF), little16(length >>> 16), little16(type), little16(flags), new Uint8Array(8), body);
}

/** `struct nfgenmsg`. */
export function general(family: number): Uint8Array {
	return bytes(family, 0, 0, 0);
}

type Ports = {readonly sourcePort?: number; readonly destinationPort?: number};

/** A TCP header. */
export function tcp({sourcePort = 40_000, destinationPort = 8080, sequence = 1, acknowledged = 0, flags = 2}: Ports & {
	readonly sequence?: number; readonly acknowledged?: number; readonly flags?: number;
} = {}): Uint8Array {
	return bytes(uint16(sourcePort), uint16(destinationPort), uint32(sequence), uint32(acknowledged), 0x50, flags, uint16(1000), uint32(0));
}

/** A UDP header. */
export function udp({sourcePort = 40_000, destinationPort = 53}: Ports = {}): Uint8Array {
	return bytes(uint16(sourcePort), uint16(destinationPort), uint16(8), uint16(0));
}

/** An IPv4 packet from 10.0.0.1 to 10.0.0.2. Options are a multiple of four bytes. */
export function ipv4(protocol: number, transport: Uint8Array, {options = new Uint8Array(), identification = 7}: {readonly options?: Uint8Array; readonly identification?: number} = {}): Uint8Array {
	const length = 20 + options.length;
	const addresses = bytes(10, 0, 0, 1, 10, 0, 0, 2);
	return bytes(0x40 + (length / 4), 0, uint16(length + transport.length), uint16(identification), uint16(0), 64, protocol, uint16(0), addresses, options, transport);
}

/** An IPv6 packet from 2001:db8::1 to 2001:db8::2. */
export function ipv6(protocol: number, transport: Uint8Array, {flowLabel = 0}: {readonly flowLabel?: number} = {}): Uint8Array {
	const prefix = bytes(0x20, 0x01, 0x0D, 0xB8, new Uint8Array(11));
	return bytes(0x60, flowLabel >> 16, uint16(flowLabel & 0xFF_FF), uint16(transport.length), protocol, 64, prefix, 1, prefix, 2, transport);
}

/** A view of bytes that do not begin where their buffer does, as in a datagram. */
export function view(content: Uint8Array): DataView {
	const buffer = bytes(0xFF, 0xFF, 0xFF, content, 0xFF);
	return new DataView(buffer.buffer, 3, content.length);
}

/** A datagram as the recordings write it. */
export function fromBase64(value: string): Uint8Array {
	return new Uint8Array(Buffer.from(value, 'base64'));
}
