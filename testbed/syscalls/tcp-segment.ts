/**
A TCP segment consisting of a header (RFC 9293) as bytes, and how to recognize the answer. For packets that no socket would send.
*/

/** Flags of the header's 14th byte. */
export const tcpFlags = {fin: 0x01, syn: 0x02, rst: 0x04, ack: 0x10} as const;

/**
Flags that no TCP implementation sends, so that the segment stands out and conntrack classifies it as INVALID (`tcp_valid_flags` in net/netfilter/nf_conntrack_proto_tcp.c). With ACK, a listener answers with RST, like a closed port; with only SYN and FIN a listener would stay silent (`tcp_rcv_state_process` in net/ipv4/tcp_input.c), which would look like a drop.
*/
export const invalidFlags = tcpFlags.syn | tcpFlags.fin | tcpFlags.ack;

const headerBytes = 20;
const tcpProtocol = 6;

/** One end of a segment: its address in network order, and its port. */
export type SegmentEnd = {readonly address: Uint8Array; readonly port: number};

/** The fields of a segment. */
export type Segment = {
	readonly source: SegmentEnd; readonly destination: SegmentEnd; readonly flags: number;
	readonly sequence: number; readonly acknowledgement: number;
};

/** The Internet checksum (RFC 1071) over an even number of bytes. */
function checksum(...parts: readonly Uint8Array[]): number {
	let sum = 0;
	for (const part of parts) {
		const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
		for (let offset = 0; offset < part.byteLength; offset += 2) {
			sum += view.getUint16(offset);
		}
	}

	while (sum > 0xFF_FF) {
		sum = (sum & 0xFF_FF) + (sum >>> 16);
	}

	return ~sum & 0xFF_FF;
}

/** The segment as bytes, with its checksum, which includes the pseudo-header of its family (RFC 9293, RFC 8200). */
export function segmentBytes({source, destination, flags, sequence, acknowledgement}: Segment): Uint8Array {
	const bytes = new Uint8Array(headerBytes);
	const view = new DataView(bytes.buffer);
	view.setUint16(0, source.port);
	view.setUint16(2, destination.port);
	view.setUint32(4, sequence);
	view.setUint32(8, acknowledgement);
	view.setUint8(12, (headerBytes / 4) << 4);
	view.setUint8(13, flags);
	view.setUint16(14, 0xFF_FF); // The window, which is never used.
	// In IPv6, zero, protocol and length are wider and in a different order; the sum is the same.
	view.setUint16(16, checksum(source.address, destination.address, Uint8Array.of(0, tcpProtocol, 0, headerBytes), bytes));
	return bytes;
}

/** Whether a segment refuses another one: an RST from its destination to its source, with the number that it acknowledged (RFC 9293, 3.10.7: for a closed port, and for a listener that receives an ACK). */
export function isRefusal(answer: Uint8Array, {source, destination, acknowledgement}: Segment): boolean {
	const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
	return view.byteLength >= headerBytes
		&& view.getUint16(0) === destination.port && view.getUint16(2) === source.port
		&& view.getUint32(4) === acknowledgement && (view.getUint8(13) & tcpFlags.rst) !== 0;
}
