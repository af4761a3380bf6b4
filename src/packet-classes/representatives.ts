/**
Which packets stand for a class: one at the edge of its values and one inside. Where a class leaves a field open, what is usual stands for it, so that a probe can be read.
*/

import {parseAddress} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {ProbeSpec} from '../scenario/probe-spec.js';
import type {Topology} from '../scenario/topology.js';
import {
	intervalsIn, everyInterval, intervalsOf, setOf,
} from './packet-set.js';
import {domainKey, type ClassSet, type PacketClass} from './classify.js';
import {
	packetKinds, type Interval, type FieldName,
} from './fields.js';
import {printValue} from './values.js';

/** One probe for a class. What is undefined is the kernel's choice. */
export type Representative = {
	/** The class, by its place. */
	readonly index: number;
	readonly kind: 'boundary' | 'inner';
	readonly origin: PacketClass['origin'];
	readonly packet: typeof packetKinds[number];
	readonly destination: ProbeSpec['to'];
} & Required<Pick<ProbeSpec, 'family' | 'protocol' | 'uid' | 'gid' | 'source' | 'sourcePort' | 'mark'>>;

/** Ports that the kernel gives to sockets which ask for none (net.ipv4.ip_local_port_range by default). */
export const ephemeral: Interval = {first: 32_768n, last: 60_999n};
const usualIds = [1000n, 2000n, 3000n, 65_534n, 0n];

/** The representatives of all classes, in their order: two each, unless both are the same packet. */
export function representativesOf({fields, places, classes, domains}: ClassSet, topology: Topology): readonly Representative[] {
	const usual = usualValues(topology, fields.family);
	return classes.flatMap((packetClass, index) => {
		const choose = (kind: Representative['kind']): Representative => {
			const {packetSet, origin, isLocal} = packetClass;
			const pick = (field: FieldName): bigint => {
				const whole = intervalsOf(fields.intervals[field], packetSet[field]);
				const offLink = (field === 'destination' || field === 'source') ? intervalsOf(fields.intervals[field], packetSet[field] & ~setOf(fields.intervals[field], [places.onLink])) : [];
				// What the world cuts, no rule looks at: its edges are nothing to this class.
				const isOpen = packetSet[field] === domains.get(domainKey(packetClass))![field];
				return pickFrom(field === 'mark' ? intervalsIn(packetSet.mark).map(place => fields.intervals.mark[place]!) : whole, {
					usual: usual[field], kind: isOpen ? 'inner' : kind, index, preferred: offLink,
				});
			};

			const destination = printValue(fields, 'destination', pick('destination'));
			const isPod = origin === 'pod';
			const sourcePorts = intervalsOf(fields.intervals['source-port'], packetSet['source-port']);
			const isPortOpen = sourcePorts.some(({first, last}) => first <= ephemeral.first && ephemeral.last <= last) && (kind === 'inner' || packetSet['source-port'] === everyInterval(fields.intervals['source-port']));
			const source = pick('source');
			const packet = packetKinds[Number(pick('packet'))] ?? 'first';
			const uid = isPod ? (packet === 'invalid' ? 0 : Number(pick('uid'))) : undefined;
			return {
				index,
				kind,
				origin,
				family: fields.family,
				protocol: printValue(fields, 'protocol', pick('protocol')) as 'tcp' | 'udp',
				packet,
				uid,
				gid: isPod ? Number(isWithin(intervalsOf(fields.intervals.gid, packetSet.gid), BigInt(uid!)) && (kind === 'inner' || packetSet.gid === everyInterval(fields.intervals.gid)) ? BigInt(uid!) : pick('gid')) : undefined,
				// A mark may have a route of its own, and that another source.
				source: isPod && kind === 'inner' && pick('mark') === 0n ? sourceLeftOpen(destination, isLocal) : printValue(fields, 'source', source),
				sourcePort: isPortOpen ? undefined : Number(pick('source-port')),
				destination: {address: destination, port: portBeside(isPortOpen)},
				mark: isPod && pick('mark') !== 0n ? Number(pick('mark')) : undefined,
			};

			/** From a port of their own, probes to one port would have to wait for each other. */
			function portBeside(isFree: boolean): number {
				const other = BigInt(20_000 + index);
				return Number(!isFree && kind === 'inner' && isWithin(intervalsOf(fields.intervals['destination-port'], packetSet['destination-port']), other) ? other : pick('destination-port'));
			}

			/** What the route gives needs no asking for, if it is in the class. */
			function sourceLeftOpen(to: string, isOwn: boolean): string | undefined {
				const given = parseAddress(isOwn ? (fields.family === 'ipv4' && to.startsWith('127.') ? '127.0.0.1' : to) : topology.places.pod[fields.family])!.value;
				return isWithin(intervalsOf(fields.intervals.source, packetSet.source), given) ? undefined : printValue(fields, 'source', source);
			}
		};

		const [boundary, inner] = [choose('boundary'), choose('inner')];
		return JSON.stringify({...boundary, kind: ''}) === JSON.stringify({...inner, kind: ''}) ? [inner] : [boundary, inner];
	});
}

function pickFrom(joined: readonly Interval[], {usual, kind, index, preferred}: {
	readonly usual: readonly bigint[]; readonly kind: Representative['kind']; readonly index: number; readonly preferred: readonly Interval[];
}): bigint {
	const among = preferred.length > 0 ? preferred : joined;
	if (kind === 'inner') {
		const found = usual.find(value => isWithin(joined, value));
		if (found !== undefined) {
			return found;
		}

		let widest = among[0]!;
		for (const each of among) {
			widest = each.last - each.first > widest.last - widest.first ? each : widest;
		}

		return (widest.first + widest.last) / 2n;
	}

	// Classes beside each other take different edges.
	const {first, last} = among[index % among.length]!;
	return Math.floor(index / among.length) % 2 === 0 ? first : last;
}

function isWithin(joined: readonly Interval[], value: bigint): boolean {
	return joined.some(({first, last}) => first <= value && value <= last);
}

/** What stands for a field that is open, the first that is in the class. */
function usualValues({places, resolver, passthroughSource, ports}: Topology, family: AddressFamily): Readonly<Record<FieldName, readonly bigint[]>> {
	const addresses = (...texts: readonly string[]): readonly bigint[] => texts.flatMap(text => parseAddress(text, family)?.value ?? []);
	const hosts = addresses(places.remote[family], places.pod[family], places['remote-vip'][family], resolver[family], places.localhost[family]);
	return {
		protocol: [0n],
		source: addresses(places.remote[family], places.pod[family], places.localhost[family], passthroughSource[family]),
		'source-port': [],
		destination: hosts,
		'destination-port': [BigInt(ports.app), 9080n, 443n, 80n],
		uid: usualIds,
		gid: usualIds,
		mark: [0n],
		packet: [0n],
	};
}
