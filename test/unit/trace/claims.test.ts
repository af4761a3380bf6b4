/** First packets of a proxy that does not report all its sockets. */

import test from 'ava';
import type {Endpoint} from '../../../src/netfilter/path.js';
import {claimPackets} from '../../../src/trace/claims.js';
import type {TracedPacket} from '../../../src/trace/packets.js';
import type {SocketOwner, SocketRecord} from '../../../src/trace/sockets.js';
import {header} from './_events.js';

const pod = (port: number): Endpoint => ({address: '10.244.1.10', port});
const remote: Endpoint = {address: '10.244.1.20', port: 8080};
const elsewhere: Endpoint = {address: '10.244.1.21', port: 8080};

const watched: SocketRecord = {
	kind: 'watched', id: 'proxy-user', actor: 'proxy', uid: 1337, gid: 1337,
};
const opened = (from: Endpoint, to = remote): SocketRecord => ({
	kind: 'opened', id: `proxy-${from.port}`, parent: 'proxy-1', actor: 'proxy', family: 'ipv4', from, to,
});
const attempt = (number: number, to = remote): SocketRecord => ({
	kind: 'attempted', id: `proxy-${number}-next`, parent: `proxy-${number}`, actor: 'proxy', family: 'ipv4', to,
});
const ended = (number: number, result: 'refused' | 'timeout' | 'unreachable'): SocketRecord => ({
	kind: 'ended', id: `proxy-${number}-next`, result, reason: 'so it was',
});

type PacketChanges = Partial<Omit<TracedPacket, 'header'>> & Parameters<typeof header>[0];

function packet(from: Endpoint, to = remote, {entry = 'output', owner, ...changes}: PacketChanges = {}): TracedPacket {
	return {
		header: header({source: from, destination: to, ...changes}), traversals: [], seen: true, entry, owner,
	};
}

const ownerOf = (from: Endpoint, changes: Partial<SocketOwner> = {}): SocketOwner => ({
	family: 'ipv4', protocol: 'tcp', from, to: remote, uid: 1337, gid: 1337, ...changes,
});

type Case = {
	readonly title: string;
	readonly sockets: readonly SocketRecord[];
	readonly packets: readonly TracedPacket[];
	readonly owners?: readonly SocketOwner[];
	/** The results of the attempts. */
	readonly found?: readonly unknown[];
	readonly gaps?: readonly string[];
	readonly byParent?: Readonly<Record<string, string>>;
};

const own = [remote, elsewhere].flatMap(to => [1, 2, 3].map(port => ownerOf(pod(port), {to})));
const unclaimed = (port: number, to = '10.244.1.20'): string => `unclaimed: The user of proxy sent a first packet from 10.244.1.10:${port} to ${to}:8080, but proxy did not report it.`;

const cases: readonly Case[] = [
	{title: 'who reports everything is not watched', sockets: [opened(pod(1))], packets: [packet(pod(1)), packet(pod(2))]},
	{title: 'every packet is reported', sockets: [watched, opened(pod(1))], packets: [packet(pod(1))]},
	{title: 'a packet that is not', sockets: [watched, opened(pod(1))], packets: [packet(pod(1)), packet(pod(2))], gaps: [unclaimed(2)]},
	{title: 'the same packet, sent again, is one', sockets: [watched], packets: [packet(pod(2)), packet(pod(2))], gaps: [unclaimed(2)]},
	{title: 'said in two rounds', sockets: [watched, watched], packets: [packet(pod(2))], gaps: [unclaimed(2)]},
	{title: 'reported to another address', sockets: [watched, opened(pod(2), elsewhere)], packets: [packet(pod(2))], gaps: [unclaimed(2)]},
	{title: 'of another user', sockets: [watched], packets: [packet(pod(2))], owners: [ownerOf(pod(2), {uid: 1000})]},
	{title: 'of another user that has the port of a socket of the watched one', sockets: [watched, opened(pod(2), elsewhere)], packets: [packet(pod(2)), packet(pod(2), elsewhere)], owners: [ownerOf(pod(2), {uid: 1000}), ownerOf(pod(2), {to: elsewhere})]},
	{title: 'of both, in a recording without addresses', sockets: [watched, opened(pod(2), elsewhere)], packets: [packet(pod(2)), packet(pod(2), elsewhere)], owners: [{uid: 1000, gid: 1000}, {}].map(changes => ownerOf(pod(2), {from: {port: 2}, to: {port: 8080}, ...changes})), gaps: [unclaimed(2)]},
	{title: 'of another group', sockets: [watched], packets: [packet(pod(2))], owners: [ownerOf(pod(2), {gid: 1000})]},
	{title: 'of nobody that the kernel names', sockets: [watched], packets: [packet(pod(2))], owners: []},
	{title: 'an owner by NFLOG counts as well', sockets: [watched], packets: [packet(pod(2), remote, {owner: {uid: 1337, gid: 1337}})], owners: [], gaps: [unclaimed(2)]},
	{title: 'it came from outside', sockets: [watched], packets: [packet(pod(2), remote, {entry: 'prerouting'})]},
	{title: 'it is an answer', sockets: [watched], packets: [packet(pod(2), remote, {tcpFlags: 0x12})]},
	{title: 'it is not TCP', sockets: [watched], packets: [packet(pod(2), remote, {protocol: 17})]},
	{
		title: 'the one packet of a failed attempt', sockets: [watched, opened(pod(1)), attempt(2), ended(2, 'refused')], packets: [packet(pod(1)), packet(pod(2))], found: [{
			kind: 'opened', id: 'proxy-2-next', parent: 'proxy-2', actor: 'proxy', family: 'ipv4', from: pod(2), to: remote,
		}],
	},
	{
		title: 'no packet of a failed attempt', sockets: [watched, attempt(2), ended(2, 'refused')], packets: [packet(pod(2), elsewhere)], gaps: [unclaimed(2, '10.244.1.21')], byParent: {
			'proxy-2': 'no-end: proxy could not open a connection to 10.244.1.20:8080, but the trace shows no first packet of its user to that address that nothing else explains.',
		},
	},
	{
		title: 'the kernel sent none, and said why', sockets: [watched, attempt(2), ended(2, 'unreachable')], packets: [], found: [{
			kind: 'unsent', id: 'proxy-2-next', parent: 'proxy-2', actor: 'proxy', family: 'ipv4', source: undefined, to: remote, reason: 'so it was',
		}],
	},
	{
		title: 'two packets for one attempt', sockets: [watched, attempt(2), ended(2, 'timeout')], packets: [packet(pod(2)), packet(pod(3))], gaps: [unclaimed(2), unclaimed(3)], byParent: {
			'proxy-2': 'ambiguous: proxy could not open a connection to 10.244.1.20:8080, but the trace shows 2 first packets of its user to that address that nothing else explains.',
		},
	},
	{
		title: 'two attempts to one address', sockets: [watched, attempt(2), attempt(3)], packets: [packet(pod(2)), packet(pod(3))], byParent: Object.fromEntries([2, 3].map(number => [
			`proxy-${number}`, 'ambiguous: proxy could not open 2 connections to 10.244.1.20:8080, but the trace shows 2 first packets of its user to that address that nothing else explains.',
		])),
	},
	{
		title: 'two attempts to two addresses', sockets: [watched, attempt(2), attempt(3, elsewhere)], packets: [packet(pod(3), elsewhere), packet(pod(2))], found: [
			{
				kind: 'opened', id: 'proxy-2-next', parent: 'proxy-2', actor: 'proxy', family: 'ipv4', from: pod(2), to: remote,
			},
			{
				kind: 'opened', id: 'proxy-3-next', parent: 'proxy-3', actor: 'proxy', family: 'ipv4', from: pod(3), to: elsewhere,
			},
		],
	},
	{
		title: 'an attempt of somebody whose user is not known', sockets: [attempt(2), ended(2, 'refused')], packets: [packet(pod(2))], byParent: {
			'proxy-2': 'no-end: proxy could not open a connection to 10.244.1.20:8080, but the trace shows no first packet of its user to that address that nothing else explains.',
		},
	},
];

for (const {title, sockets, packets, owners = own, found = [], gaps = [], byParent = {}} of cases) {
	test(title, t => {
		const claims = claimPackets({sockets, packets, owners});
		const reported = sockets.filter(({kind}) => kind !== 'attempted' && kind !== 'watched');
		t.deepEqual(claims.sockets, [...reported, ...found] as typeof claims.sockets);
		t.deepEqual(claims.gaps.map(({kind, message}) => `${kind}: ${message}`), gaps);
		t.deepEqual(Object.fromEntries([...claims.gapsByParent].map(([parent, {kind, message}]) => [parent, `${kind}: ${message}`])), byParent);
	});
}
