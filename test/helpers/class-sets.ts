/**
Class sets for tests, and packets of them.
*/

import fc from 'fast-check';
import {parseReleaseInput} from '../../src/istio/options/arguments.js';
import {generate} from '../../src/istio/generate.js';
import {printAddress} from '../../src/netfilter/address.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import type {AddressFamily, Backend, RuleSet} from '../../src/netfilter/types.js';
import {intervalsIn} from '../../src/packet-classes/packet-set.js';
import {classify, type ClassSet, type PacketClass} from '../../src/packet-classes/classify.js';
import {packetKinds, type FieldName} from '../../src/packet-classes/fields.js';
import {placeOfClass, type ExactPacket} from '../../src/packet-classes/class-of-packet.js';
import type {Program} from '../../src/packet-classes/symbolic-walk.js';
import {defaultTopology} from '../../src/mesh/topology.js';

/** The rules of a release, by its input. */
export function rulesOfRelease(input: string, backend: Backend = 'iptables-nft'): RuleSet {
	return generate({...parseReleaseInput(input), families: ['ipv4', 'ipv6'], backend});
}

/** Rules of iptables by hand: the lines of one table without its head. */
export function rulesOfTable(table: 'nat' | 'mangle' | 'filter' | 'raw', lines: readonly string[], family: AddressFamily = 'ipv4'): RuleSet {
	const own = new Set(lines.flatMap(line => /^-A (\S+)/u.exec(line)?.[1] ?? []));
	const hooks = ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'].filter(name => own.has(name));
	const chains = [...hooks.map(name => `:${name} ACCEPT`), ...[...own].filter(name => !hooks.includes(name)).map(name => `:${name} -`)];
	// No packet comes to that chain, but it turns conntrack on, without which nat is not asked at all.
	const on = table === 'nat' ? [[':ELSEWHERE -'], ['-A ELSEWHERE -p tcp -j REDIRECT --to-ports 15001']] as const : [[], []] as const;
	return parseSave([`*${table}`, ...chains, ...on[0], ...lines, ...on[1], 'COMMIT', ''].join('\n'), family);
}

/** Programs without routes of their own. */
export function programsOf(...ruleSets: readonly RuleSet[]): readonly Program[] {
	return ruleSets.map(ruleSet => ({ruleSet, localMarks: []}));
}

/** The classes of rule sets in the default topology. */
export function classesOf(programs: readonly Program[], family: AddressFamily = 'ipv4', hasBound = false): ClassSet {
	return classify(programs, {family, topology: defaultTopology, hasBound});
}

/** All classes that hold a packet: one, if the classes are what they say. */
export function classesHolding({fields, classes}: ClassSet, packet: ExactPacket): readonly PacketClass[] {
	return classes.filter(packetClass => placeOfClass({fields, classes: [packetClass]}, packet) === 0);
}

/** What the model predicts for a class, in the notation of `printWalk`. */
export function predictedOf({predicted}: PacketClass, place = 0): readonly string[] | 'not-known' {
	return predicted[place]!.hits?.map(({table, chain, number}) => `${table} ${chain}#${number}`) ?? 'not-known';
}

/** Any packet of a class: a value at an edge of, or inside, any cut of each field. */
export function anyPacketOf({fields}: ClassSet, {packetSet, origin, device}: PacketClass): fc.Arbitrary<ExactPacket> {
	const value = (field: FieldName): fc.Arbitrary<bigint> => fc.constantFrom(...intervalsIn(packetSet[field])).chain(place => {
		const {first, last} = fields.intervals[field][place]!;
		return fc.constantFrom(first, last, (first + last) / 2n);
	});
	const isPod = origin === 'pod';
	return fc.record({
		protocol: value('protocol'), source: value('source'), sourcePort: value('source-port'), destination: value('destination'), port: value('destination-port'), uid: value('uid'), gid: value('gid'), mark: value('mark'), packet: value('packet'),
	}).map(({protocol, source, sourcePort, destination, port, uid, gid, mark, packet}): ExactPacket => ({
		origin,
		protocol: fields.protocols[Number(protocol)] as 'tcp' | 'udp',
		packet: packetKinds[Number(packet)]!,
		source: printAddress({family: fields.family, value: source}),
		sourcePort: Number(sourcePort),
		destination: {address: printAddress({family: fields.family, value: destination}), port: Number(port)},
		uid: isPod ? Number(uid) : undefined,
		gid: isPod ? Number(gid) : undefined,
		mark: isPod ? Number(mark) : undefined,
		...(device === undefined ? {} : {bindDevice: device}),
	}));
}
