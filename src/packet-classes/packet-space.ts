/**
What packets there can be in the default topology, and what the world adds to them: from where they come, by which interface they go. What cannot be there is named with its reason.
*/

import {
	contains, parseAddress, parseRange,
} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {Topology} from '../scenario/topology.js';
import {
	everyInterval, setOf, allPackets, within, type PacketSet,
} from './packet-set.js';
import {
	intervalOf, packetKinds, sentProtocols, type Interval, type FieldName, type Fields,
} from './fields.js';

/** Who sends: a socket of the pod, or somebody outside. */
export type Origin = 'pod' | 'remote';

/** Packets that one way of the kernel is for. `isLocal`: the destination is an address of the pod itself. */
export type Situation = {readonly origin: Origin; readonly isLocal: boolean; readonly packetSet: PacketSet};

/** Packets that are left out. `cannot-occur`: no kernel sends or takes them here. `cannot-be-sent`: they can occur, but a probe cannot be one. */
export type LeftOut = {readonly kind: 'cannot-occur' | 'cannot-be-sent'; readonly because: string; readonly origin: Origin; readonly isLocal: boolean; readonly packetSet: PacketSet};

/** Addresses as the topology tells them apart. `onLink`: behind eth0 without a gateway, so that somebody must own them. */
export type Places = {readonly pod: Interval; readonly loopback: readonly Interval[]; readonly onLink: Interval; readonly unroutable: readonly Interval[]};

/** No host has these addresses, but for loopback ones (RFC 6890; multicast RFC 5771 and RFC 4291): a connection to them is refused by the sender's kernel. */
const unroutable: Readonly<Record<AddressFamily, readonly string[]>> = {
	ipv4: ['0.0.0.0/8', '127.0.0.0', '127.255.255.255', '224.0.0.0/3'],
	ipv6: ['::/96', '::ffff:0:0/96', 'fe80::/10', 'ff00::/8'],
};

/** Where the topology's addresses lie. */
export function placesOf({places, passthroughSource, prefixLength}: Topology, family: AddressFamily): Places {
	const pod = places.pod[family];
	const onLink = rangeOf(`${pod}/${prefixLength[family]}`);
	// The first address of a network is the network, or any of its routers (RFC 4291, 2.6.1); the last of IPv4 is its broadcast address.
	const ends = family === 'ipv4' ? [onLink.first, onLink.last] : [onLink.first];
	const loopback = family === 'ipv4' ? [{first: rangeOf('127.0.0.1').first, last: rangeOf('127.255.255.254').last}] : [rangeOf(places.localhost.ipv6), rangeOf(passthroughSource.ipv6)];
	return {
		pod: rangeOf(pod),
		loopback,
		onLink,
		unroutable: [...unroutable[family].flatMap(text => withoutRanges(rangeOf(text), loopback)), ...ends.map(value => ({first: value, last: value}))],
	};
}

/** What is left of a range. The others stand in order and do not overlap. */
function withoutRanges(range: Interval, others: readonly Interval[]): readonly Interval[] {
	const rest: Interval[] = [];
	let {first} = range;
	for (const other of others) {
		if (other.first > range.last || other.last < first) {
			continue;
		}

		if (other.first > first) {
			rest.push({first, last: other.first - 1n});
		}

		first = other.last + 1n;
	}

	return first <= range.last ? [...rest, {first, last: range.last}] : rest;
}

/** All ranges that have to be cut for the world's sake. */
export function rangesOf({pod, loopback, onLink, unroutable: never}: Places): readonly Interval[] {
	return [pod, ...loopback, onLink, ...never];
}

/** @throws {RangeError} for a text that is no range: the topology's are. */
function rangeOf(text: string): Interval {
	const range = parseRange(text);
	if (range === undefined) {
		throw new RangeError(`"${text}" is no range of addresses`);
	}

	return {first: range.first, last: range.last};
}

/** The packets that can be probes, and those that cannot. Together they are all packets that a socket of the pod can send, or that can be sent to the pod. */
export function situationsIn(fields: Fields, places: Places): {readonly situations: readonly Situation[]; readonly leftOut: readonly LeftOut[]} {
	const {intervals} = fields;
	const sets = (field: 'source' | 'destination') => ({
		own: setOf(intervals[field], [places.pod]), loopback: setOf(intervals[field], places.loopback), never: setOf(intervals[field], places.unroutable), all: everyInterval(intervals[field]),
	});
	const [from, to] = [sets('source'), sets('destination')];
	const elsewhere = (set: ReturnType<typeof sets>): bigint => set.all & ~(set.own | set.loopback | set.never);
	const situations: Situation[] = [];
	const leftOut: LeftOut[] = [];
	const firstOnly = {packet: bit(packetKinds.indexOf('first'))};
	const sendable = setOf(intervals.protocol, [{first: 0n, last: BigInt(sentProtocols.length - 1)}]);
	const unsendable = everyInterval(intervals.protocol) & ~sendable;
	const add = (origin: Origin, isLocal: boolean, sides: Partial<Record<FieldName, bigint>>): void => {
		const packetSet = narrow(allPackets(fields), sides);
		if (packetSet === undefined) {
			return;
		}

		const sent = within(packetSet, 'protocol', sendable);
		if (sent !== undefined) {
			situations.push({origin, isLocal, packetSet: sent});
		}

		const other = within(packetSet, 'protocol', unsendable);
		if (other !== undefined) {
			leftOut.push({
				kind: 'cannot-be-sent', because: `a probe is TCP or UDP, not ${fields.protocols.slice(sentProtocols.length).join(', ')}`, origin, isLocal, packetSet: other,
			});
		}
	};

	const never = (origin: Origin, because: string, sides: Partial<Record<FieldName, bigint>>): void => {
		const packetSet = narrow(allPackets(fields), sides);
		if (packetSet !== undefined) {
			leftOut.push({
				kind: 'cannot-occur', because, origin, isLocal: false, packetSet,
			});
		}
	};

	const hosts = from.own | from.loopback;
	add('pod', true, {source: hosts, destination: to.loopback | to.own, ...firstOnly});
	add('pod', false, {source: from.own, destination: elsewhere(to), ...firstOnly});
	never('pod', 'the kernel sends nothing from a loopback address by eth0', {source: from.loopback, destination: elsewhere(to), ...firstOnly});
	never('pod', 'no socket of the pod has another host\'s address', {source: elsewhere(from), ...firstOnly});
	never('pod', 'no connection can be made to or from such an address', {destination: to.never, ...firstOnly});
	never('pod', 'no connection can be made to or from such an address', {source: from.never, destination: to.all & ~to.never, ...firstOnly});
	// What comes from outside has no mark yet, and no socket; its owner is not a field of it.
	const incoming = {uid: 1n, gid: 1n, mark: 1n};
	add('remote', true, {source: elsewhere(from), destination: to.own, ...incoming, ...firstOnly});
	if (fields.asksForState) {
		const invalid = {packet: bit(packetKinds.indexOf('invalid')), protocol: bit(fields.protocols.indexOf('tcp'))};
		add('remote', true, {source: elsewhere(from), destination: to.own, ...incoming, ...invalid});
		// Packets without a connection are written by hand, for which a socket has to be root's (CAP_NET_RAW).
		const root = bit(intervalOf(intervals.uid, 0n) ?? 0);
		add('pod', true, {source: hosts, destination: to.loopback | to.own, uid: root, ...invalid});
		add('pod', false, {source: from.own, destination: elsewhere(to), uid: root, ...invalid});
		never('pod', 'only root writes packets that belong to no connection', {uid: everyInterval(intervals.uid) & ~root, ...invalid});
	}

	if (intervals.destination.length > 1) {
		never('remote', 'no packet for another host\'s address comes to the pod', {source: elsewhere(from), destination: elsewhere(to), ...incoming, ...firstOnly});
	}

	return {situations, leftOut};
}

function narrow(packetSet: PacketSet, sides: Partial<Record<FieldName, bigint>>): PacketSet | undefined {
	let rest: PacketSet | undefined = packetSet;
	for (const [name, set] of Object.entries(sides)) {
		rest = rest === undefined ? undefined : within(rest, name as FieldName, set);
	}

	return rest;
}

function bit(place: number): bigint {
	return 1n << BigInt(place);
}

/** Whether an address is one that the pod's kernel delivers to itself. */
export function isOwnAddress(text: string, family: AddressFamily, {pod, loopback}: Places): boolean {
	const address = parseAddress(text, family);
	return address !== undefined && [pod, ...loopback].some(({first, last}) => contains({family, first, last}, address));
}

