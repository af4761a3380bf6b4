/**
Which class a packet belongs to: the other way round than `representatives.ts`.
*/

import {parseAddress} from '../netfilter/address.js';
import type {Leg} from '../netfilter/path.js';
import type {Topology} from '../scenario/topology.js';
import type {ClassSet, PacketClass} from './classify.js';
import {
	cutOf, fieldNames, packetKinds, type FieldName,
} from './fields.js';
import {ephemeral, type Representative} from './representatives.js';
import {isOwnAddress} from './packet-space.js';

/** A packet as somebody sends it. What is undefined is the kernel's choice. */
export type SentPacket = Omit<Representative, 'index' | 'kind' | 'packet'>;

/** Finds the classes of packets in one set of classes. */
export class Locator {
	readonly #classSet: ClassSet;
	readonly #topology: Topology;

	constructor({classSet, topology}: {readonly classSet: ClassSet; readonly topology: Topology}) {
		this.#classSet = classSet;
		this.#topology = topology;
	}

	/** The class of a packet; undefined for one that none can be: of another family, from an address that nobody has. */
	classOf(packet: SentPacket): PacketClass | undefined {
		const bits = this.#bitsOf(packet);
		return bits === undefined ? undefined : this.#classSet.classes.find(({origin, box}) => origin === packet.origin && fieldNames.every(name => (box[name] & bits[name]) !== 0n));
	}

	/** Of each field the cut that holds the packet's value. */
	#bitsOf(packet: SentPacket): Readonly<Record<FieldName, bigint>> | undefined {
		const {fields} = this.#classSet;
		const {family, protocol, uid = 0, gid = uid, sourcePort = Number(ephemeral.first), destination, mark = 0} = packet;
		const addresses = {source: parseAddress(packet.source ?? this.#routedSource(packet), family)?.value, destination: parseAddress(destination.address, family)?.value};
		if (family !== fields.family || addresses.source === undefined || addresses.destination === undefined) {
			return undefined;
		}

		const values: Readonly<Record<Exclude<FieldName, 'mark'>, bigint>> = {
			...addresses as {source: bigint; destination: bigint},
			protocol: BigInt(fields.protocols.indexOf(protocol)),
			'source-port': BigInt(sourcePort),
			'destination-port': BigInt(destination.port),
			// What comes from outside has no owner here; the first cut stands for that (`situationsIn`).
			uid: BigInt(packet.origin === 'pod' ? uid : 0),
			gid: BigInt(packet.origin === 'pod' ? gid : 0),
			packet: BigInt(packetKinds.indexOf('first')),
		};
		const places = Object.fromEntries(fieldNames.map(name => [name, name === 'mark' ? fields.markCutOf(BigInt(mark)) : cutOf(fields.cuts[name], values[name])]));
		return Object.values(places).includes(undefined)
			? undefined
			: Object.fromEntries(Object.entries(places).map(([name, place]) => [name, 1n << BigInt(place!)])) as Record<FieldName, bigint>;
	}

	/** The source that the route gives. */
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

/** The first packet of a leg that a process of the pod opened. Undefined where its socket is not known. */
export function packetOfLeg({family, protocol, from, to, socket}: Leg): SentPacket | undefined {
	return socket === undefined
		? undefined
		: {
			origin: 'pod', family, protocol, ...socket, source: from.address, sourcePort: from.port, destination: to, mark: undefined,
		};
}
