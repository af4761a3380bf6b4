/**
The possible packets in the default topology, and what the topology determines about them: where they come from, and through which interface they leave. Impossible packets are listed with the reason.
*/

import {
	contains, isLoopback, parseAddress, parseRange, printAddress,
} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {Topology} from '../mesh/topology.js';
import {
	everyInterval, setOf, allPackets, within, type PacketSet,
} from './packet-set.js';
import {
	intervalOf, packetKinds, sentProtocols, type Interval, type FieldName, type Fields,
} from './fields.js';

/** The sender: a socket of the pod, or a host outside. */
export type Origin = 'pod' | 'remote';

/** Packets that take the same path through the kernel. `isLocal`: the kernel delivers them to the pod itself. `device`: the one that their sockets are bound to, if any. */
export type Situation = {readonly origin: Origin; readonly isLocal: boolean; readonly device?: typeof networkDevice; readonly packetSet: PacketSet};

/** The pod's device for everything outside it. */
export const networkDevice = 'eth0';

/** Packets that are left out. `cannot-occur`: no kernel sends or accepts them here. `cannot-be-sent`: they can occur, but not as a probe. */
export type LeftOut = {readonly kind: 'cannot-occur' | 'cannot-be-sent'; readonly because: string; readonly origin: Origin; readonly isLocal: boolean; readonly packetSet: PacketSet};

/** Addresses as the topology distinguishes them. `onLink`: on eth0 without a gateway, so that some host must have them. */
export type Places = {readonly pod: Interval; readonly loopback: readonly Interval[]; readonly onLink: Interval; readonly unroutable: readonly Interval[]};

/** No host has these addresses, except loopback ones (RFC 6890; multicast RFC 5771 and RFC 4291): the sender's kernel refuses a connection to them. */
const unroutable: Readonly<Record<AddressFamily, readonly string[]>> = {
	ipv4: ['0.0.0.0/8', '127.0.0.0', '127.255.255.255', '224.0.0.0/3'],
	ipv6: ['::/96', '::ffff:0:0/96', 'fe80::/10', 'ff00::/8'],
};

/** The kinds of the topology's addresses. */
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

/** The rest of a range. The others are in order and do not overlap. */
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

/** All ranges that have to be separate because of the topology. */
export function rangesOf({pod, loopback, onLink, unroutable: never}: Places): readonly Interval[] {
	return [pod, ...loopback, onLink, ...never];
}

/** @throws {RangeError} for a text that is not a range; the topology's texts are. */
function rangeOf(text: string): Interval {
	const range = parseRange(text);
	if (range === undefined) {
		throw new RangeError(`"${text}" is not a range of addresses`);
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
	never('pod', 'the kernel sends nothing from a loopback address through eth0', {source: from.loopback, destination: elsewhere(to), ...firstOnly});
	never('pod', 'no socket of the pod has another host\'s address', {source: elsewhere(from), ...firstOnly});
	never('pod', 'no connection can be made to or from such an address', {destination: to.never, ...firstOnly});
	never('pod', 'no connection can be made to or from such an address', {source: from.never, destination: to.all & ~to.never, ...firstOnly});
	// Traffic from outside has no mark and no socket yet, so it has no owner.
	const incoming = {uid: 1n, gid: 1n, mark: 1n};
	add('remote', true, {source: elsewhere(from), destination: to.own, ...incoming, ...firstOnly});
	if (fields.asksForState) {
		const invalid = {packet: bit(packetKinds.indexOf('invalid')), protocol: bit(fields.protocols.indexOf('tcp'))};
		add('remote', true, {source: elsewhere(from), destination: to.own, ...incoming, ...invalid});
		// Packets without a connection need a raw socket, which only root can open (CAP_NET_RAW).
		const root = bit(intervalOf(intervals.uid, 0n) ?? 0);
		add('pod', true, {source: hosts, destination: to.loopback | to.own, uid: root, ...invalid});
		add('pod', false, {source: from.own, destination: elsewhere(to), uid: root, ...invalid});
		never('pod', 'only root can send packets that belong to no connection', {uid: everyInterval(intervals.uid) & ~root, ...invalid});
	}

	if (intervals.destination.length > 1) {
		never('remote', 'no packet for another host\'s address reaches the pod', {source: elsewhere(from), destination: elsewhere(to), ...incoming, ...firstOnly});
	}

	return {situations, leftOut};
}

/**
The packets of sockets that are bound to the pod's network device, from the pod's own address. Only routes of that device count for them: they leave by it even for a loopback address, while the pod's own address, which belongs to it, is delivered over lo (`fib_semantic_match` in net/ipv4/fib_semantics.c).
*/
export function boundSituationsIn(fields: Fields, {pod, loopback, unroutable: never}: Places): readonly Situation[] {
	const {intervals, family} = fields;
	const own = setOf(intervals.destination, [pod]);
	const lo = setOf(intervals.destination, loopback);
	// Other addresses of lo (::6) are ordinary ones outside the pod, where nobody has them.
	const real = setOf(intervals.destination, loopback.filter(({first}) => isLoopback(printAddress({family, value: first}))));
	const elsewhere = everyInterval(intervals.destination) & ~(own | lo | setOf(intervals.destination, never));
	return ([[true, own], [false, real], [false, elsewhere]] as const).flatMap(([isLocal, destination]) => {
		const packetSet = narrow(allPackets(fields), {
			protocol: setOf(intervals.protocol, [{first: 0n, last: BigInt(sentProtocols.length - 1)}]), source: setOf(intervals.source, [pod]), destination, packet: bit(packetKinds.indexOf('first')),
		});
		return packetSet === undefined
			? []
			: [{
				origin: 'pod', isLocal, device: networkDevice, packetSet,
			}];
	});
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

