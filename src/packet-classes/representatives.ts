/**
Which packets stand for a class: one at the edge of its values and one inside. Where a class leaves a field open, what is usual stands for it, so that a probe can be read.
*/

import {parseAddress} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {ProbeSpec} from '../scenario/probe-spec.js';
import type {Topology} from '../scenario/topology.js';
import {
	cutsIn, everyCut, intervalsOf, setOf,
} from './packet-set.js';
import {domainKey, type ClassSet, type PacketClass} from './classify.js';
import {
	packetKinds, type Cut, type FieldName,
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
export const ephemeral: Cut = {first: 32_768n, last: 60_999n};
const usualIds = [1000n, 2000n, 3000n, 65_534n, 0n];

/** The representatives of all classes, in their order: two each, unless both are the same packet. */
export function representativesOf({fields, places, classes, domains}: ClassSet, topology: Topology): readonly Representative[] {
	const usual = usualValues(topology, fields.family);
	return classes.flatMap((packetClass, index) => {
		const choose = (kind: Representative['kind']): Representative => {
			const {box, origin, isLocal} = packetClass;
			const pick = (field: FieldName): bigint => {
				const whole = intervalsOf(fields.cuts[field], box[field]);
				const offLink = (field === 'destination' || field === 'source') ? intervalsOf(fields.cuts[field], box[field] & ~setOf(fields.cuts[field], [places.onLink])) : [];
				// What the world cuts, no rule looks at: its edges are nothing to this class.
				const isOpen = box[field] === domains.get(domainKey(packetClass))![field];
				return pickFrom(field === 'mark' ? cutsIn(box.mark).map(place => fields.cuts.mark[place]!) : whole, {
					usual: usual[field], kind: isOpen ? 'inner' : kind, index, preferred: offLink,
				});
			};

			const destination = printValue(fields, 'destination', pick('destination'));
			const isPod = origin === 'pod';
			const sourcePorts = intervalsOf(fields.cuts['source-port'], box['source-port']);
			const isPortOpen = sourcePorts.some(({first, last}) => first <= ephemeral.first && ephemeral.last <= last) && (kind === 'inner' || box['source-port'] === everyCut(fields.cuts['source-port']));
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
				gid: isPod ? Number(isWithin(intervalsOf(fields.cuts.gid, box.gid), BigInt(uid!)) && (kind === 'inner' || box.gid === everyCut(fields.cuts.gid)) ? BigInt(uid!) : pick('gid')) : undefined,
				// A mark may have a route of its own, and that another source.
				source: isPod && kind === 'inner' && pick('mark') === 0n ? sourceLeftOpen(destination, isLocal) : printValue(fields, 'source', source),
				sourcePort: isPortOpen ? undefined : Number(pick('source-port')),
				destination: {address: destination, port: portBeside(isPortOpen)},
				mark: isPod && pick('mark') !== 0n ? Number(pick('mark')) : undefined,
			};

			/** From a port of their own, probes to one port would have to wait for each other. */
			function portBeside(isFree: boolean): number {
				const other = BigInt(20_000 + index);
				return Number(!isFree && kind === 'inner' && isWithin(intervalsOf(fields.cuts['destination-port'], box['destination-port']), other) ? other : pick('destination-port'));
			}

			/** What the route gives needs no asking for, if it is in the class. */
			function sourceLeftOpen(to: string, isOwn: boolean): string | undefined {
				const given = parseAddress(isOwn ? (fields.family === 'ipv4' && to.startsWith('127.') ? '127.0.0.1' : to) : topology.places.pod[fields.family])!.value;
				return isWithin(intervalsOf(fields.cuts.source, box.source), given) ? undefined : printValue(fields, 'source', source);
			}
		};

		const [boundary, inner] = [choose('boundary'), choose('inner')];
		return JSON.stringify({...boundary, kind: ''}) === JSON.stringify({...inner, kind: ''}) ? [inner] : [boundary, inner];
	});
}

function pickFrom(intervals: readonly Cut[], {usual, kind, index, preferred}: {
	readonly usual: readonly bigint[]; readonly kind: Representative['kind']; readonly index: number; readonly preferred: readonly Cut[];
}): bigint {
	const among = preferred.length > 0 ? preferred : intervals;
	if (kind === 'inner') {
		const found = usual.find(value => isWithin(intervals, value));
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

function isWithin(intervals: readonly Cut[], value: bigint): boolean {
	return intervals.some(({first, last}) => first <= value && value <= last);
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
