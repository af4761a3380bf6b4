/**
Random packets of the default topology, drawn without regard to classes: half of the values are what some rule names or stands beside it, the other half anything.
*/

import fc from 'fast-check';
import {
	contains, parseAddress, parseRange, printAddress,
} from '../../src/netfilter/address.js';
import {rulesOf} from '../../src/netfilter/lookup.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import {intervalsIn} from '../../src/packet-classes/packet-set.js';
import type {ClassSet, PacketClass} from '../../src/packet-classes/classify.js';
import {packetKinds, type FieldName} from '../../src/packet-classes/fields.js';
import type {ExactPacket} from '../../src/packet-classes/class-of-packet.js';
import {networkDevice} from '../../src/packet-classes/packet-space.js';
import {defaultTopology} from '../../src/mesh/topology.js';

const bits = {ipv4: 32n, ipv6: 128n} as const;
/** What hosts can have: not this network, loopback, multicast, link-local, or an IPv4 address in IPv6's clothes (RFC 6890). */
const strange = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', '10.244.1.0/32', '10.244.1.255/32', '::/96', '::ffff:0:0/96', 'fe80::/10', 'ff00::/8', '2001:db8:1::/128'].map(text => parseRange(text)!);

/** An arbitrary packet of a family, with an eye to some rule sets. */
export function anyPacket(ruleSets: readonly RuleSet[], family: AddressFamily): fc.Arbitrary<ExactPacket> {
	const matches = ruleSets.flatMap(ruleSet => [...rulesOf(ruleSet)].flatMap(({rule}) => rule.matches));
	const pod = defaultTopology.places.pod[family];
	const own = family === 'ipv4' ? [pod, '127.0.0.1', '127.0.0.6', '127.0.0.2', '127.9.8.7', '127.255.255.254'] : [pod, '::1', '::6'];
	const named = matches.flatMap(match => match.kind === 'source' || match.kind === 'destination' ? (parseRange(match.address, family) ?? []) : []);
	const beside = named.flatMap(({first, last}) => [first - 1n, first, last, last + 1n]).filter(value => value >= 0n && value < 1n << bits[family]).map(value => printAddress({family, value}));
	const remotes = [defaultTopology.places.remote[family], defaultTopology.resolver[family], ...beside].filter(text => isForeign(text, family));
	const foreign = fc.oneof(
		fc.constantFrom(...remotes),
		fc.bigInt(1n, (1n << bits[family]) - 1n).map(value => printAddress({family, value})).filter(text => isForeign(text, family) && !isOnLink(text)),
	);
	const port = (kind: 'source-port' | 'destination-port', max: number) => {
		const known = matches.flatMap(match => match.kind === kind ? match.ranges.flatMap(({from, to}) => [from - 1, from, to, to + 1]) : []).filter(value => value > 0 && value <= max);
		return fc.oneof(fc.constantFrom(53, 8080, ...known), fc.integer({min: 1, max}));
	};

	const id = (kind: 'uid' | 'gid') => {
		const known = matches.flatMap(match => match.kind === kind ? [match.from, match.to + 1] : []);
		return fc.oneof(fc.constantFrom(0, 1000, 1337, ...known), fc.integer({min: 0, max: 0xFF_FF_FF_FE}));
	};

	const marks = matches.flatMap(match => match.kind === 'mark' ? [match.value, (match.value ^ 1) >>> 0] : []);
	const common = {
		protocol: fc.constantFrom('tcp' as const, 'udp' as const), packet: fc.constant('first' as const), sourcePort: port('source-port', 65_535), port: port('destination-port', 65_535),
	};
	const outgoing = fc.record({
		...common, uid: id('uid'), gid: id('gid'), mark: fc.constantFrom(0, 0, ...marks), isLocal: fc.boolean(), ownTo: fc.constantFrom(...own), ownFrom: fc.constantFrom(...own), to: foreign,
	}).map(({isLocal, ownTo, ownFrom, to, port: number, ...rest}): ExactPacket => ({
		...rest, origin: 'pod', source: isLocal ? ownFrom : pod, destination: {address: isLocal ? ownTo : to, port: number},
	}));
	const incoming = fc.record({...common, from: foreign}).map(({from, port: number, ...rest}): ExactPacket => ({
		...rest, origin: 'remote', source: from, destination: {address: pod, port: number}, uid: undefined, gid: undefined, mark: undefined,
	}));
	return fc.oneof({weight: 3, arbitrary: outgoing}, {weight: 1, arbitrary: incoming});
}

function isForeign(text: string, family: AddressFamily): boolean {
	const address = parseAddress(text, family);
	return address !== undefined && text !== defaultTopology.places.pod[family] && strange.every(range => !contains(range, address));
}

/** Nobody answers there for its neighbors. */
function isOnLink(text: string): boolean {
	const address = parseAddress(text)!;
	return ['10.244.1.0/24', '2001:db8:1::/64'].some(range => contains(parseRange(range)!, address));
}

/** The same packets from a socket that is bound to eth0, of those that such a socket can send: from the pod's own address. Without ::6, to which `diff` sends nothing from bound sockets (docs/limits.md). */
export function boundAlike(packets: readonly ExactPacket[], family: AddressFamily): readonly ExactPacket[] {
	return packets
		.filter(({origin, destination}) => origin === 'pod' && (family === 'ipv4' || destination.address !== defaultTopology.passthroughSource.ipv6))
		.map(packet => ({...packet, source: defaultTopology.places.pod[family], bindDevice: networkDevice}));
}

/** An arbitrary packet of a class, drawn from its sets. What nobody could answer is drawn last: an address on the link needs an owner. */
export function packetOf({fields, places}: Pick<ClassSet, 'fields' | 'places'>, {packetSet, origin, device}: PacketClass): fc.Arbitrary<ExactPacket> {
	const {family} = fields;
	const valueOf = (field: FieldName): fc.Arbitrary<bigint> => {
		const all = intervalsIn(packetSet[field]).map(place => fields.intervals[field][place]!);
		const isAddress = field === 'source' || field === 'destination';
		const elsewhere = isAddress ? all.filter(({first, last}) => last < places.onLink.first || first > places.onLink.last) : [];
		const among = elsewhere.length > 0 ? elsewhere : all;
		return fc.constantFrom(...among).chain(({first, last}) => field === 'mark' ? fc.constant(first) : fc.oneof(fc.constant(first), fc.constant(last), fc.bigInt(first, last)));
	};

	const numberOf = (field: FieldName): fc.Arbitrary<number> => valueOf(field).map(Number);
	const addressOf = (field: FieldName): fc.Arbitrary<string> => valueOf(field).map(value => printAddress({family, value}));
	return fc.record({
		protocol: valueOf('protocol').map(place => fields.protocols[Number(place)] as 'tcp' | 'udp'),
		packet: valueOf('packet').map(place => packetKinds[Number(place)]!),
		source: addressOf('source'),
		sourcePort: numberOf('source-port'),
		address: addressOf('destination'),
		port: numberOf('destination-port'),
		uid: numberOf('uid'),
		gid: numberOf('gid'),
		mark: numberOf('mark'),
	}).map(({address, port, uid, gid, mark, ...rest}): ExactPacket => ({
		...rest, origin, destination: {address, port}, ...(origin === 'pod' ? {uid: rest.packet === 'invalid' ? 0 : uid, gid, mark} : {uid: undefined, gid: undefined, mark: undefined}),
		...(device === undefined ? {} : {bindDevice: device}),
	}));
}
