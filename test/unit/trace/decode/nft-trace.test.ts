import test from 'ava';
import type {NftTraceEvent} from '../../../../src/trace/decode/event.js';
import {decodeNftTrace, nftTraceMessageType} from '../../../../src/trace/decode/nft-trace.js';
import {
	attribute, bytes, fromBase64, general, ipv4, message, tcp, text, uint32, uint64,
} from '../_bytes.js';

const nothing = {
	handle: undefined, target: undefined, packet: undefined, inInterface: 0, outInterface: 0,
};

/** Datagrams of Linux 6.18.44, iptables 1.8.9 (nf_tables), as they came. */
const recorded: ReadonlyArray<{readonly title: string; readonly base64: string; readonly event: NftTraceEvent}> = [
	{
		title: 'the first of a base chain, a jump, with the packet', base64: 'xAAAABEKAAAAAAAAAAAAAAIAAAAIAA8AAAAAAggABAAAAAADCAAGAJHANacLAAIAT1VUUFVUAAAIAAEAbmF0AAwAAwAAAAAAAAAACiAABQAIAAEA/////REAAgBJU1RJT19PVVRQVVQAAAAACAAMAAAAAAIGAA0AAAEAABgACABFAAA84htAAEAGQJsK9AEKCvQBFBgACQClMB+Qrux9nwAAAACgAvrwGDQAAAgAFQAAAAAIBQATAAAAAAAIABIAnP2S/A==', event: {
			...nothing,
			source: 'nft', kind: 'rule', family: 'ip', table: 'nat', chain: 'OUTPUT', traceId: 2_445_292_967, handle: 10, verdict: 'jump', target: 'ISTIO_OUTPUT', outInterface: 2,
			packet: {
				family: 'ipv4', protocol: 6, source: {address: '10.244.1.10', port: 42_288}, destination: {address: '10.244.1.20', port: 8080}, identification: 57_883, sequence: 2_934_734_239, tcpFlags: 2,
			},
		},
	},
	{
		title: 'a REDIRECT, which nft calls accept', base64: 'YAAAABEKAAAAAAAAAAAAAAIAAAAIAA8AAAAAAggABAAAAAADCAAGAJHANacTAAIASVNUSU9fUkVESVJFQ1QAAAgAAQBuYXQADAADAAAAAAAAAAAaDAAFAAgAAQAAAAAB', event: {
			...nothing, source: 'nft', kind: 'rule', family: 'ip', table: 'nat', chain: 'ISTIO_REDIRECT', traceId: 2_445_292_967, handle: 26, verdict: 'accept',
		},
	},
	{
		title: 'a RETURN rule', base64: 'YAAAABEKAAAAAAAAAAAAAAIAAAAIAA8AAAAAAggABAAAAAADCAAGAO6UMcARAAIASVNUSU9fT1VUUFVUAAAAAAgAAQBuYXQADAADAAAAAAAAAAAUDAAFAAgAAQD////7', event: {
			...nothing, source: 'nft', kind: 'rule', family: 'ip', table: 'nat', chain: 'ISTIO_OUTPUT', traceId: 4_002_689_472, handle: 20, verdict: 'return',
		},
	},
	{
		title: 'a rule that leads on', base64: 'XAAAABEKAAAAAAAAAAAAAAIAAAAIAA8AAAAAAggABAAAAAADCAAGAHhWIqAKAAIATUFSS1MAAAALAAEAbWFuZ2xlAAAMAAMAAAAAAAAAAAgMAAUACAABAP////8=', event: {
			...nothing, source: 'nft', kind: 'rule', family: 'ip', table: 'mangle', chain: 'MARKS', traceId: 2_018_910_880, handle: 8, verdict: 'continue',
		},
	},
	{
		title: 'a goto', base64: 'aAAAABEKAAAAAAAAAAAAAAIAAAAIAA8AAAAAAggABAAAAAADCAAGAHhWIqALAAIAT1VUUFVUAAALAAEAZmlsdGVyAAAMAAMAAAAAAAAAAAgYAAUACAABAP////wKAAIAQ0hFQ0sAAAA=', event: {
			...nothing, source: 'nft', kind: 'rule', family: 'ip', table: 'filter', chain: 'OUTPUT', traceId: 2_018_910_880, handle: 8, verdict: 'goto', target: 'CHECK',
		},
	},
	{
		title: 'a DROP', base64: 'XAAAABEKAAAAAAAAAAAAAAIAAAAIAA8AAAAAAggABAAAAAADCAAGAA3j/JcKAAIAQ0hFQ0sAAAALAAEAZmlsdGVyAAAMAAMAAAAAAAAAAAsMAAUACAABAAAAAAA=', event: {
			...nothing, source: 'nft', kind: 'rule', family: 'ip', table: 'filter', chain: 'CHECK', traceId: 233_045_143, handle: 11, verdict: 'drop',
		},
	},
	{
		title: 'a chain that ran out of rules: type rule, without a rule (Linux 6.18)', base64: 'TAAAABEKAAAAAAAAAAAAAAIAAAAIAA8AAAAAAggABAAAAAADCAAGAO6UMcALAAIAT1VUUFVUAAAIAAEAbmF0AAwABQAIAAEA/////w==', event: {
			...nothing, source: 'nft', kind: 'return', family: 'ip', table: 'nat', chain: 'OUTPUT', traceId: 4_002_689_472, verdict: 'continue',
		},
	},
	{
		title: 'the same as the first of its base chain, IPv6', base64: '1AAAABEKAAAAAAAAAAAAAAoAAAAIAA8AAAAACggABAAAAAADCAAGACzeJCAKAAIASU5QVVQAAAAIAAEAbmF0AAwABQAIAAEA/////wgACgAAAAACBgALAAABAAAsAAgAYA1o3AAoBkAgAQ24AAEAAAAAAAAAAAAiIAENuAABAAAAAAAAAAAAEBgACQCRGjqecivPYgAAAACgAv0gW9QAABIABwACAAr0ARACAAr0ASCG3QAACAAVAAAAAAgFABMAAAAAAAgAEgBERRP7CAAUAAAAASA=', event: {
			...nothing,
			source: 'nft', kind: 'return', family: 'ip6', table: 'nat', chain: 'INPUT', traceId: 752_755_744, verdict: 'continue', inInterface: 2,
			packet: {
				family: 'ipv6', protocol: 6, source: {address: '2001:db8:1::22', port: 37_146}, destination: {address: '2001:db8:1::10', port: 15_006}, identification: 0xD_68_DC, sequence: 1_915_473_762, tcpFlags: 2,
			},
		},
	},
	{
		title: 'a policy, IPv6', base64: 'SAAAABEKAAAAAAAAAAAAAAoAAAAIAA8AAAAACggABAAAAAABCAAGACzeJCAKAAIASU5QVVQAAAAIAAEAbmF0AAgAEAAAAAAB', event: {
			...nothing, source: 'nft', kind: 'policy', family: 'ip6', table: 'nat', chain: 'INPUT', traceId: 752_755_744, verdict: 'accept',
		},
	},
	{
		title: 'the switch\'s own, of family inet', base64: 'pAAAABEKAAAAAAAAAAAAAAEAAAAIAA8AAAAAAggABAAAAAADCAAGAJHANacLAAIAb3V0cHV0AAASAAEAdGVzdGJlZC10cmFjZQAAAAwAAwAAAAAAAAAABwwABQAIAAEA/////wgADAAAAAACBgANAAABAAAYAAgARQAAPOIbQABABkCbCvQBCgr0ARQYAAkApTAfkK7sfZ8AAAAAoAL68Bg0AAA=', event: {
			...nothing,
			source: 'nft', kind: 'rule', family: 'inet', table: 'testbed-trace', chain: 'output', traceId: 2_445_292_967, handle: 7, verdict: 'continue', outInterface: 2,
			packet: {
				family: 'ipv4', protocol: 6, source: {address: '10.244.1.10', port: 42_288}, destination: {address: '10.244.1.20', port: 8080}, identification: 57_883, sequence: 2_934_734_239, tcpFlags: 2,
			},
		},
	},
];

for (const {title, base64, event} of recorded) {
	test(`recorded: ${title}`, t => {
		t.deepEqual(decodeNftTrace(fromBase64(base64)), {events: [event], notUnderstood: []});
	});
}

const table = attribute(1, text('nat'));
const chain = attribute(2, text('OUTPUT'));
const id = attribute(6, uint32(5));
const rule = attribute(4, uint32(3));
const handle = attribute(3, uint64(9));
const verdict = (code: number): Uint8Array => attribute(5, attribute(1, uint32(code)));
const traced = (...attributes: readonly Uint8Array[]): Uint8Array => message(nftTraceMessageType, bytes(general(2), ...attributes));
const place = bytes(table, chain, id);
const decodedKind = (datagram: Uint8Array): string => {
	const {events, notUnderstood} = decodeNftTrace(datagram);
	const [event] = events as readonly NftTraceEvent[];
	return event === undefined ? `not understood ${notUnderstood.length}` : `${event.kind} ${event.verdict}`;
};

/** Types of `enum nft_trace_types`: 1 policy, 2 return, 3 rule. The kernel's codes of verdicts, as 32 bits. */
const written: ReadonlyArray<readonly [title: string, datagram: Uint8Array, kind: string]> = [
	['a rule', traced(place, rule, handle, verdict(1)), 'rule accept'],
	['a rule that was no verdict (NFT_BREAK)', traced(place, rule, handle, verdict(-2)), 'rule continue'],
	['a queue with its number', traced(place, rule, handle, verdict(0x00_07_00_03)), 'rule queue'],
	['a drop with its error number', traced(place, rule, handle, verdict(0x00_02_00_00)), 'rule drop'],
	['stolen', traced(place, rule, handle, verdict(2)), 'rule stolen'],
	['repeat', traced(place, rule, handle, verdict(4)), 'rule repeat'],
	['a RETURN rule of type return, as Linux 5.10 writes it', traced(place, attribute(4, uint32(2)), handle, verdict(-5)), 'rule return'],
	['an end of chain of type return, as Linux 5.10 writes it', traced(place, attribute(4, uint32(2)), verdict(-1)), 'return continue'],
	['a policy', traced(place, attribute(4, uint32(1)), attribute(16, uint32(0))), 'policy drop'],
	['an attribute twice: the last counts', traced(place, rule, handle, verdict(0), verdict(1)), 'rule accept'],
	['a verdict that does not exist', traced(place, rule, handle, verdict(-9)), 'not understood 1'],
	['a verdict that is too large', traced(place, rule, handle, verdict(5)), 'not understood 1'],
	['no verdict', traced(place, rule, handle), 'not understood 1'],
	['a verdict without a code', traced(place, rule, handle, attribute(5, bytes())), 'not understood 1'],
	['a verdict with a code of two bytes', traced(place, rule, handle, attribute(5, attribute(1, bytes(0, 1)))), 'not understood 1'],
	['a policy without its verdict', traced(place, attribute(4, uint32(1))), 'not understood 1'],
	['a type that does not exist', traced(place, attribute(4, uint32(4)), handle, verdict(1)), 'not understood 1'],
	['no type', traced(place, handle, verdict(1)), 'not understood 1'],
	['a type of two bytes', traced(place, attribute(4, bytes(0, 3)), handle, verdict(1)), 'not understood 1'],
	['a handle of four bytes', traced(place, rule, attribute(3, uint32(9)), verdict(1)), 'not understood 1'],
	['no table', traced(chain, id, rule, handle, verdict(1)), 'not understood 1'],
	['no chain', traced(table, id, rule, handle, verdict(1)), 'not understood 1'],
	['no trace id', traced(table, chain, rule, handle, verdict(1)), 'not understood 1'],
	['a packet that is too short', traced(place, rule, handle, verdict(1), attribute(8, ipv4(6, tcp()).subarray(0, 12))), 'not understood 1'],
	['a packet without its ports', traced(place, rule, handle, verdict(1), attribute(8, ipv4(6, bytes()))), 'not understood 1'],
	['a family that is neither ip, ip6 nor inet', message(nftTraceMessageType, bytes(general(7), place, rule, handle, verdict(1))), 'not understood 1'],
	['nothing but a header that is cut', message(nftTraceMessageType, bytes(2, 0, 0)), 'not understood 1'],
	['another type of message', message((10 << 8) | 3, bytes(general(2), place, rule, handle, verdict(1))), 'not understood 1'],
	['a control message', message(3, uint32(0)), 'not understood 1'],
];

for (const [title, datagram, kind] of written) {
	test(`written: ${title}`, t => {
		t.is(decodedKind(datagram), kind);
	});
}

test('an event that is not understood is named, and the rest of the datagram is read', t => {
	const datagram = bytes(message(99, bytes()), traced(place, rule, handle, verdict(1)), traced(id, rule), message(nftTraceMessageType, bytes(2)));
	const {events, notUnderstood} = decodeNftTrace(datagram);
	t.is(events.length, 1);
	t.deepEqual(notUnderstood, [
		'a netlink message of type 99 among nft\'s trace messages',
		'an nft trace message of family 2 with attributes 6, 4',
		'an nft trace message without its header',
	]);
});
