import test from 'ava';
import {isAnswer, parsePacket, type PacketHeader} from '../../../../src/trace/decode/packet.js';
import {
	bytes, ipv4, ipv6, tcp, udp, uint32, view,
} from '../_bytes.js';

const ends = {source: {address: '10.0.0.1', port: 40_000}, destination: {address: '10.0.0.2', port: 8080}};
const ends6 = {source: {address: '2001:db8::1', port: 40_000}, destination: {address: '2001:db8::2', port: 8080}};

type Row = {readonly title: string; readonly network: Uint8Array; readonly transport?: Uint8Array; readonly header: PacketHeader | undefined};

const rows: readonly Row[] = [
	{
		title: 'TCP over IPv4', network: ipv4(6, tcp({sequence: 0xFE_DC_BA_98})), header: {
			family: 'ipv4', protocol: 6, ...ends, sequence: 0xFE_DC_BA_98, identification: 7, tcpFlags: 2,
		},
	},
	{
		title: 'TCP over IPv4 with options', network: ipv4(6, tcp({flags: 0x12}), {options: bytes(uint32(0x01_01_01_01), uint32(0))}), header: {
			family: 'ipv4', protocol: 6, ...ends, sequence: 1, identification: 7, tcpFlags: 0x12,
		},
	},
	...([['a reset without a number of its own goes by what it acknowledges', 0, 0x14, 99], ['a reset with one', 5, 0x14, 5], ['a reset that acknowledges nothing', 0, 0x04, 0], ['a first packet with number 0', 0, 0x02, 0]] as const).map(([title, number, flags, sequence]): Row => ({
		title, network: ipv4(6, tcp({sequence: number, acknowledged: 99, flags})), header: {
			family: 'ipv4', protocol: 6, ...ends, sequence, identification: 7, tcpFlags: flags,
		},
	})),
	{
		title: 'IPv4 with options that the trace cut off, and the transport header apart', network: ipv4(6, bytes(), {options: uint32(0)}).subarray(0, 20), transport: tcp(), header: {
			family: 'ipv4', protocol: 6, ...ends, sequence: 1, identification: 7, tcpFlags: 2,
		},
	},
	{
		title: 'UDP over IPv4', network: ipv4(17, udp({destinationPort: 8080})), header: {
			family: 'ipv4', protocol: 17, ...ends, sequence: undefined, identification: 7, tcpFlags: undefined,
		},
	},
	{
		title: 'ICMP, which has no ports', network: ipv4(1, bytes(8, 0, 0, 0, 1, 2, 3, 4)), header: {
			family: 'ipv4', protocol: 1, source: {...ends.source, port: 0}, destination: {...ends.destination, port: 0}, sequence: undefined, identification: 7, tcpFlags: undefined,
		},
	},
	{
		title: 'TCP over IPv6', network: ipv6(6, tcp()), header: {
			family: 'ipv6', protocol: 6, ...ends6, sequence: 1, identification: 0, tcpFlags: 2,
		},
	},
	{
		title: 'TCP over IPv6, the transport header apart', network: ipv6(6, bytes()), transport: tcp(), header: {
			family: 'ipv6', protocol: 6, ...ends6, sequence: 1, identification: 0, tcpFlags: 2,
		},
	},
	{
		title: 'UDP over IPv6', network: ipv6(17, udp({destinationPort: 8080})), header: {
			family: 'ipv6', protocol: 17, ...ends6, sequence: undefined, identification: 0, tcpFlags: undefined,
		},
	},
	{
		title: 'a flow label is an identification, the traffic class beside it is not', network: bytes(0x6F, 0xFA, 0xBC, 0xDE, ipv6(17, udp({destinationPort: 8080})).subarray(4)), header: {
			family: 'ipv6', protocol: 17, ...ends6, sequence: undefined, identification: 0xA_BC_DE, tcpFlags: undefined,
		},
	},
	{
		title: 'ICMPv6', network: ipv6(58, bytes(143, 0, 0, 0)), header: {
			family: 'ipv6', protocol: 58, source: {...ends6.source, port: 0}, destination: {...ends6.destination, port: 0}, sequence: undefined, identification: 0, tcpFlags: undefined,
		},
	},
	{
		title: 'an IPv6 extension header stands where the protocol is asked', network: ipv6(0, tcp()), header: {
			family: 'ipv6', protocol: 0, source: {...ends6.source, port: 0}, destination: {...ends6.destination, port: 0}, sequence: undefined, identification: 0, tcpFlags: undefined,
		},
	},
	{title: 'nothing', network: bytes(), header: undefined},
	{title: 'neither version', network: bytes(0x55, ipv4(6, tcp()).subarray(1)), header: undefined},
	{title: 'IPv4 that is too short', network: ipv4(6, tcp()).subarray(0, 19), header: undefined},
	{title: 'IPv4 that claims a header of 16 bytes', network: bytes(0x44, ipv4(6, tcp()).subarray(1)), header: undefined},
	{title: 'IPv4 without the whole of TCP\'s ports, number and flags', network: ipv4(6, tcp()).subarray(0, 33), header: undefined},
	{title: 'IPv4 whose options leave no room for TCP', network: bytes(0x4F, ipv4(6, tcp()).subarray(1)), header: undefined},
	{title: 'IPv4 without UDP\'s ports', network: ipv4(17, udp()).subarray(0, 23), header: undefined},
	{title: 'IPv6 that is too short', network: ipv6(6, tcp()).subarray(0, 39), header: undefined},
	{title: 'IPv6 without TCP', network: ipv6(6, bytes()), header: undefined},
	{
		title: 'a transport header apart that is too short, although the packet goes on', network: ipv4(6, tcp()), transport: tcp().subarray(0, 13), header: undefined,
	},
];

for (const {title, network, transport, header} of rows) {
	test(`${header === undefined ? 'no ' : ''}packet header: ${title}`, t => {
		t.deepEqual(parsePacket(view(network), transport === undefined ? undefined : view(transport)), header);
	});
}

test('every prefix of a packet is too short, or has the same header', t => {
	for (const packet of [ipv4(6, tcp()), ipv4(17, udp()), ipv6(6, tcp()), ipv6(17, udp())]) {
		const whole = parsePacket(view(packet));
		for (let length = 0; length < packet.length; length++) {
			const header = parsePacket(view(packet.subarray(0, length)));
			if (header !== undefined) {
				t.deepEqual(header, whole, `${length} bytes`);
			}
		}
	}
});

test('the answer to a first packet of TCP: SYN with ACK, or a reset', t => {
	const flags = {
		none: undefined, syn: 0x02, 'syn, ack': 0x12, rst: 0x04, 'rst, ack': 0x14, ack: 0x10, 'fin, syn, ack': 0x13,
	};
	t.deepEqual(Object.entries(flags).filter(([, tcpFlags]) => isAnswer({tcpFlags})).map(([name]) => name), ['syn, ack', 'rst', 'rst, ack']);
});
