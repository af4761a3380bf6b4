/** Segments made by hand, and which answer belongs to one. */

import test from 'ava';
import {addressBytes} from '../../../../src/netfilter/address.js';
import {parsePacket} from '../../../../src/trace/decode/packet.js';
import {
	invalidFlags, isRefusal, segmentBytes, tcpFlags, type Segment,
} from '../../../../testbed/syscalls/tcp-segment.js';

const segment: Segment = {
	source: {address: addressBytes('10.244.1.20'), port: 40_000}, destination: {address: addressBytes('10.244.1.10'), port: 8080}, flags: invalidFlags, sequence: 0xFE_DC_BA_98, acknowledgement: 0x12_34_56_78,
};
const overIpv6: Segment = {...segment, source: {address: addressBytes('2001:db8:1::20'), port: 40_000}, destination: {address: addressBytes('2001:db8:1::10'), port: 8080}};

/** The one's complement sum over 16-bit words. */
function sumOf(bytes: Uint8Array): number {
	let sum = 0;
	for (let index = 0; index < bytes.length; index += 2) {
		sum += (bytes[index]! << 8) + bytes[index + 1]!;
		sum = (sum & 0xFF_FF) + (sum >>> 16);
	}

	return sum;
}

for (const [family, given] of [['IPv4', segment], ['IPv6', overIpv6]] as const) {
	test(`a receiver of ${family} finds the checksum right, and wrong when one bit differs`, t => {
		const bytes = segmentBytes(given);
		// With IPv6's 40 bytes of pseudo-header and with IPv4's 12: what a receiver adds up comes to all ones.
		const [source, destination] = [given.source.address, given.destination.address];
		const pseudo = source.length === 4 ? [0, 6, 0, bytes.length] : [0, 0, 0, bytes.length, 0, 0, 0, 6];
		t.is(sumOf(Uint8Array.from([...source, ...destination, ...pseudo, ...bytes])), 0xFF_FF);
		bytes[13]! ^= tcpFlags.rst;
		t.not(sumOf(Uint8Array.from([...source, ...destination, ...pseudo, ...bytes])), 0xFF_FF);
	});
}

test('the trace\'s own reader reads what was put in', t => {
	const network = new Uint8Array(20);
	network.set([0x45]);
	network[9] = 6;
	network.set(segment.source.address, 12);
	network.set(segment.destination.address, 16);
	t.like(parsePacket(new DataView(network.buffer), new DataView(segmentBytes(segment).buffer)), {
		source: {address: '10.244.1.20', port: 40_000}, destination: {address: '10.244.1.10', port: 8080}, sequence: segment.sequence, tcpFlags: 0x13,
	});
});

const refusal: Segment = {
	source: segment.destination, destination: segment.source, flags: tcpFlags.rst, sequence: segment.acknowledgement, acknowledgement: 0,
};

for (const [title, answer, is] of [
	['an RST with the number that was acknowledged', segmentBytes(refusal), true],
	['the same with an ACK', segmentBytes({...refusal, flags: tcpFlags.rst | tcpFlags.ack}), true],
	['no RST', segmentBytes({...refusal, flags: tcpFlags.ack}), false],
	['another number', segmentBytes({...refusal, sequence: 1}), false],
	['to another port', segmentBytes({...refusal, destination: {...refusal.destination, port: 40_001}}), false],
	['from another port', segmentBytes({...refusal, source: {...refusal.source, port: 15_006}}), false],
	['cut short', segmentBytes(refusal).subarray(0, 19), false],
	['nothing', new Uint8Array(), false],
] as const) {
	test(`whether it refuses the segment: ${title}`, t => {
		t.is(isRefusal(answer, segment), is);
	});
}
