import test from 'ava';
import type {LogTraceEvent} from '../../../../src/trace/decode/event.js';
import {decodeNflog, nflogMessageType} from '../../../../src/trace/decode/nflog.js';
import {
	attribute, bytes, fromBase64, general, ipv4, message, tcp, text, uint32,
} from '../_bytes.js';

/** Datagrams of Linux 6.18.44, iptables 1.8.9 (legacy), as they came. */
const recorded: ReadonlyArray<{readonly title: string; readonly base64: string; readonly event: LogTraceEvent}> = [
	{
		title: 'a rule, from outside, so without an owner', base64: '2AAAAAAEAAAAAAAAAAAAAAIAAAAIAAEACAAAACIACgBUUkFDRTogbmF0OlBSRVJPVVRJTkc6cnVsZToxIAAAAAgABAAAAAACEAAIAAAGAAACAAr0ASAAAAYADwAAAQAABgARAAAOAAASABAAAgAK9AEQAgAK9AEgCAAAABQAAwAAAAAAawTzBAAAAAAABtH6CAAMAAAAAABAAAkARQAAPDJgQABABvBWCvQBFAr0AQqaGh+QIdYKDgAAAACgAvrwGDQAAAIEBbQEAggKXBHHGwAAAAABAwMK', event: {
			source: 'nflog', kind: 'rule', family: 'ip', table: 'nat', chain: 'PREROUTING', number: 1, hook: 'prerouting', uid: undefined, gid: undefined, sequence: 0, inInterface: 2, outInterface: 0,
			packet: {
				family: 'ipv4', protocol: 6, source: {address: '10.244.1.20', port: 39_450}, destination: {address: '10.244.1.10', port: 8080}, identification: 12_896, sequence: 567_675_406, tcpFlags: 2,
			},
		},
	},
	{
		title: 'a policy, of a socket with an owner', base64: 'nAAAAAAEAAAAAAAAAAAAAAIAAAAIAAEACAADACAACgBUUkFDRTogbmF0Ok9VVFBVVDpwb2xpY3k6MiAACAAFAAAAAAEIAAsAAAAFOQgADgAAAAU5CAAMAAAAAAZAAAkARQAAPP1GQABABj9zfwAAAX8AAAG4EDryumzxVAAAAACgAv/X/jAAAAIE/9cEAggKHMNYIwAAAAABAwMK', event: {
			source: 'nflog', kind: 'policy', family: 'ip', table: 'nat', chain: 'OUTPUT', number: 2, hook: 'output', uid: 1337, gid: 1337, sequence: 6, inInterface: 0, outInterface: 1,
			packet: {
				family: 'ipv4', protocol: 6, source: {address: '127.0.0.1', port: 47_120}, destination: {address: '127.0.0.1', port: 15_090}, identification: 64_838, sequence: 3_127_701_844, tcpFlags: 2,
			},
		},
	},
	{
		title: 'a chain that ran out of rules', base64: 'oAAAAAAEAAAAAAAAAAAAAAIAAAAIAAEACAADACIACgBUUkFDRTogbWFuZ2xlOk1BUktTOnJldHVybjozIAAAAAgABQAAAAABCAALAAAABTkIAA4AAAAFOQgADAAAAAADQAAJAEUAADy5OEAAQAaDgX8AAAF/AAABuB468j0SfJcAAAAAoAL/1/4wAAACBP/XBAIICv58x/YAAAAAAQMDCg==', event: {
			source: 'nflog', kind: 'return', family: 'ip', table: 'mangle', chain: 'MARKS', number: 3, hook: 'output', uid: 1337, gid: 1337, sequence: 3, inInterface: 0, outInterface: 1,
			packet: {
				family: 'ipv4', protocol: 6, source: {address: '127.0.0.1', port: 47_134}, destination: {address: '127.0.0.1', port: 15_090}, identification: 47_416, sequence: 1_024_621_719, tcpFlags: 2,
			},
		},
	},
	{
		title: 'a rule, IPv6', base64: '7AAAAAAEAAAAAAAAAAAAAAoAAAAIAAEAht0AACIACgBUUkFDRTogbmF0OlBSRVJPVVRJTkc6cnVsZToxIAAAAAgABAAAAAACEAAIAAAGAAACAAr0ASAAAAYADwAAAQAABgARAAAOAAASABAAAgAK9AEQAgAK9AEght0AABQAAwAAAAAAawTzBgAAAAAACazfCAAMAAAAABBUAAkAYAYjhAAoBkAgAQ24AAEAAAAAAAAAAAAiIAENuAABAAAAAAAAAAAAEJEiH5DH0u9lAAAAAKAC/SBb1AAAAgQFoAQCCApcaTObAAAAAAEDAwo=', event: {
			source: 'nflog', kind: 'rule', family: 'ip6', table: 'nat', chain: 'PREROUTING', number: 1, hook: 'prerouting', uid: undefined, gid: undefined, sequence: 16, inInterface: 2, outInterface: 0,
			packet: {
				family: 'ipv6', protocol: 6, source: {address: '2001:db8:1::22', port: 37_154}, destination: {address: '2001:db8:1::10', port: 8080}, identification: 0x6_23_84, sequence: 3_352_489_829, tcpFlags: 2,
			},
		},
	},
	{
		title: 'a packet of the kernel\'s own, which has no socket (IPv6 hop-by-hop)', base64: 'qAAAAAAEAAAAAAAAAAAAAAoAAAAIAAEAht0DACIACgBUUkFDRTogbWFuZ2xlOk1BUktTOnJldHVybjozIAAAAAgABQAAAAACCAACAAAAANQIAAwAAAAArlAACQBgAAAAACQAAQAAAAAAAAAAAAAAAAAAAAD/AgAAAAAAAAAAAAAAAAAWOgAFAgAAAQCPAG96AAAAAQQAAAD/AgAAAAAAAAAAAAH/AAAQ', event: {
			source: 'nflog', kind: 'return', family: 'ip6', table: 'mangle', chain: 'MARKS', number: 3, hook: 'output', uid: undefined, gid: undefined, sequence: 174, inInterface: 0, outInterface: 2,
			packet: {
				family: 'ipv6', protocol: 0, source: {address: '::', port: 0}, destination: {address: 'ff02::16', port: 0}, identification: 0, sequence: undefined, tcpFlags: undefined,
			},
		},
	},
];

for (const {title, base64, event} of recorded) {
	test(`recorded: ${title}`, t => {
		t.deepEqual(decodeNflog(fromBase64(base64)), {events: [event], notUnderstood: []});
	});
}

const hook = (number: number): Uint8Array => attribute(1, bytes(8, 0, number, 0));
const prefix = (value: string): Uint8Array => attribute(10, text(value));
const packet = attribute(9, ipv4(6, tcp()));
const logged = (...attributes: readonly Uint8Array[]): Uint8Array => message(nflogMessageType, bytes(general(2), ...attributes));
const done = message(3, uint32(0));
const written: ReadonlyArray<readonly [title: string, datagram: Uint8Array, summary: string]> = [
	['a rule', logged(hook(3), prefix('TRACE: nat:OUTPUT:rule:12 '), packet), 'rule ip nat OUTPUT 12 output'],
	['a chain of any name', logged(hook(4), prefix('TRACE: raw:a-b_C.d:return:1 '), packet), 'return ip raw a-b_C.d 1 postrouting'],
	['a batch with its end', bytes(logged(hook(0), prefix('TRACE: nat:A:rule:1 '), packet), logged(hook(1), prefix('TRACE: nat:B:policy:2 '), packet), done), 'rule ip nat A 1 prerouting; policy ip nat B 2 input'],
	['nothing but control messages', bytes(message(1, bytes()), done), ''],
	['an attribute twice: the last counts', logged(hook(3), prefix('TRACE: nat:A:rule:1 '), prefix('TRACE: nat:A:rule:2 '), packet), 'rule ip nat A 2 output'],
	['a comment that is none', logged(hook(3), prefix('TRACE: nat:OUTPUT:jump:1 '), packet), 'not understood: an NFLOG message with the prefix "TRACE: nat:OUTPUT:jump:1 " and attributes 1, 10, 9'],
	['a prefix that the kernel cut', logged(hook(3), prefix('TRACE: nat:OUTPUT:rule:1'), packet), 'not understood: an NFLOG message with the prefix "TRACE: nat:OUTPUT:rule:1" and attributes 1, 10, 9'],
	['a LOG rule of somebody else', logged(hook(3), prefix('dropped: '), packet), 'not understood: an NFLOG message with the prefix "dropped: " and attributes 1, 10, 9'],
	['somebody else\'s text in front', logged(hook(3), prefix('MY TRACE: nat:OUTPUT:rule:1 '), packet), 'not understood: an NFLOG message with the prefix "MY TRACE: nat:OUTPUT:rule:1 " and attributes 1, 10, 9'],
	['no prefix', logged(hook(3), packet), 'not understood: an NFLOG message with the prefix "" and attributes 1, 9'],
	['no hook', logged(prefix('TRACE: nat:OUTPUT:rule:1 '), packet), 'not understood: an NFLOG message with the prefix "TRACE: nat:OUTPUT:rule:1 " and attributes 10, 9'],
	['a hook that does not exist', logged(hook(5), prefix('TRACE: nat:OUTPUT:rule:1 '), packet), 'not understood: an NFLOG message with the prefix "TRACE: nat:OUTPUT:rule:1 " and attributes 1, 10, 9'],
	['a hook that is cut', logged(attribute(1, bytes(8, 0)), prefix('TRACE: nat:OUTPUT:rule:1 '), packet), 'not understood: an NFLOG message with the prefix "TRACE: nat:OUTPUT:rule:1 " and attributes 1, 10, 9'],
	['no packet', logged(hook(3), prefix('TRACE: nat:OUTPUT:rule:1 ')), 'not understood: an NFLOG message with the prefix "TRACE: nat:OUTPUT:rule:1 " and attributes 1, 10'],
	['a packet that is too short', logged(hook(3), prefix('TRACE: nat:OUTPUT:rule:1 '), attribute(9, bytes(0x45))), 'not understood: an NFLOG message with the prefix "TRACE: nat:OUTPUT:rule:1 " and attributes 1, 10, 9'],
	['a header that is cut', message(nflogMessageType, bytes(2, 0)), 'not understood: an NFLOG message without its header'],
	['another type of message', message(77, bytes()), 'not understood: a netlink message of type 77 among NFLOG\'s messages'],
	['an error of the kernel', message(2, uint32(0)), 'not understood: a netlink message of type 2 among NFLOG\'s messages'],
];

for (const [title, datagram, summary] of written) {
	test(`written: ${title}`, t => {
		const {events, notUnderstood} = decodeNflog(datagram);
		t.is([
			...(events as readonly LogTraceEvent[]).map(event => `${event.kind} ${event.family} ${event.table} ${event.chain} ${event.number} ${event.hook}`),
			...notUnderstood.map(reason => `not understood: ${reason}`),
		].join('; '), summary);
	});
}

test('an owner or a number of a wrong size is unknown, not a different one', t => {
	const {events} = decodeNflog(logged(hook(3), prefix('TRACE: nat:OUTPUT:rule:1 '), packet, attribute(11, bytes(1, 2)), attribute(14, bytes()), attribute(12, bytes(0, 0, 0, 0, 1)), attribute(5, bytes(1))));
	const [{uid, gid, sequence, outInterface}] = events as readonly [LogTraceEvent];
	t.deepEqual({uid, gid, sequence, outInterface}, {
		uid: undefined, gid: undefined, sequence: undefined, outInterface: 0,
	});
});
