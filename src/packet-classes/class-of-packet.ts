/**
The class of a packet: the inverse of `representatives.ts`.
*/

import {parseAddress} from '../netfilter/address.js';
import type {Leg} from '../netfilter/path.js';
import type {Topology} from '../mesh/topology.js';
import type {ClassSet, PacketClass} from './classify.js';
import {
	intervalOf, fieldNames, packetKinds, type FieldName, type Fields,
} from './fields.js';
import {isOwnAddress} from './packet-space.js';
import {intervalsIn} from './packet-set.js';
import {ephemeral, type Representative} from './representatives.js';

/** A packet with everything that a class can test. */
export type ExactPacket = Pick<Representative, 'origin' | 'protocol' | 'packet' | 'destination' | 'uid' | 'gid' | 'mark' | 'bindDevice'> & {readonly source: string; readonly sourcePort: number};

/** A packet as a user sends it. Undefined values are left to the kernel. */
export type SentPacket = Omit<Representative, 'index' | 'kind' | 'packet'>;

/** The index of a packet's class; undefined for a packet that is in no class: of another family, or of another protocol. */
export function placeOfClass({fields, classes}: Pick<ClassSet, 'fields' | 'classes'>, packet: ExactPacket): number | undefined {
	const bits = bitsOf(fields, packet);
	if (bits === undefined) {
		return undefined;
	}

	const place = classes.findIndex(({origin, device, packetSet}) => origin === packet.origin && device === packet.bindDevice && fieldNames.every(name => (packetSet[name] & bits[name]) !== 0n));
	return place === -1 ? undefined : place;
}

/** For each field the cut that contains the packet's value, as a bit. */
function bitsOf(fields: Fields, {protocol, packet, source, sourcePort, destination, uid = 0, gid = 0, mark = 0}: ExactPacket): Readonly<Record<FieldName, bigint>> | undefined {
	const {intervals, family, protocols} = fields;
	const [from, to] = [parseAddress(source, family)?.value, parseAddress(destination.address, family)?.value];
	if (from === undefined || to === undefined) {
		return undefined;
	}

	const places: Readonly<Record<FieldName, number | undefined>> = {
		protocol: protocols.indexOf(protocol),
		source: intervalOf(intervals.source, from),
		'source-port': intervalOf(intervals['source-port'], BigInt(sourcePort)),
		destination: intervalOf(intervals.destination, to),
		'destination-port': intervalOf(intervals['destination-port'], BigInt(destination.port)),
		uid: intervalOf(intervals.uid, BigInt(uid)),
		gid: intervalOf(intervals.gid, BigInt(gid)),
		mark: fields.markIntervalOf(BigInt(mark)),
		packet: packetKinds.indexOf(packet),
	};
	return Object.values(places).some(place => place === undefined || place === -1)
		? undefined
		: Object.fromEntries(fieldNames.map(name => [name, 1n << BigInt(places[name]!)])) as Record<FieldName, bigint>;
}

/** A class with more cuts than this is tested for every packet. */
const narrowMax = 4;

/** Finds packet classes in one set of classes. Those with few destinations are indexed by them, because in large sets most classes are like that. */
export class Locator {
	readonly #classSet: ClassSet;
	readonly #topology: Topology;
	readonly #byDestination = new Map<number, number[]>();
	readonly #wide: number[] = [];

	constructor({classSet, topology}: {readonly classSet: ClassSet; readonly topology: Topology}) {
		this.#classSet = classSet;
		this.#topology = topology;
		for (const [index, {packetSet}] of classSet.classes.entries()) {
			const places = intervalsIn(packetSet.destination);
			if (places.length > narrowMax) {
				this.#wide.push(index);
			} else {
				for (const place of places) {
					const known = this.#byDestination.get(place);
					if (known === undefined) {
						this.#byDestination.set(place, [index]);
					} else {
						known.push(index);
					}
				}
			}
		}
	}

	/** The class of a packet; undefined for a packet that is in no class: of another family, or from an address that no host has. */
	classOf(packet: SentPacket): PacketClass | undefined {
		const {family, origin, protocol, uid = 0, gid = uid, sourcePort = Number(ephemeral.first), destination, mark, bindDevice} = packet;
		if (family !== this.#classSet.fields.family) {
			return undefined;
		}

		const to = parseAddress(destination.address, family)?.value;
		const cut = to === undefined ? undefined : intervalOf(this.#classSet.fields.intervals.destination, to);
		const among = [...(cut === undefined ? [] : this.#byDestination.get(cut) ?? []), ...this.#wide].map(index => this.#classSet.classes[index]!);
		const place = placeOfClass({fields: this.#classSet.fields, classes: among}, {
			origin,
			protocol,
			packet: 'first',
			source: packet.source ?? this.#routedSource(packet),
			sourcePort,
			destination,
			// Traffic from outside has no owner here; the first cut stands for that (`situationsIn`).
			uid: origin === 'pod' ? uid : 0,
			gid: origin === 'pod' ? gid : 0,
			mark,
			...(bindDevice === undefined ? {} : {bindDevice}),
		});
		return place === undefined ? undefined : among[place];
	}

	/** The source that the route chooses. */
	#routedSource({family, origin, destination: {address}}: SentPacket): string {
		const {places} = this.#topology;
		if (origin === 'remote') {
			return places.remote[family];
		}

		if (!isOwnAddress(address, family, this.#classSet.places)) {
			return places.pod[family];
		}

		return family === 'ipv4' && address !== places.pod.ipv4 ? places.localhost.ipv4 : address;
	}
}

/** The first packet of a leg that a process of the pod opened. Undefined if its socket is not known. */
export function packetOfLeg({family, protocol, from, to, socket}: Leg): SentPacket | undefined {
	return socket === undefined
		? undefined
		: {
			origin: 'pod', family, protocol, ...socket, source: from.address, sourcePort: from.port, destination: to, mark: undefined,
		};
}
