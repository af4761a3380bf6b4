/**
Which class a packet belongs to: the other way round than `representatives.ts`.
*/

import {rulesOf} from '../netfilter/lookup.js';
import {parseAddress} from '../netfilter/address.js';
import type {Leg} from '../netfilter/path.js';
import type {RuleSet} from '../netfilter/types.js';
import type {Topology} from '../scenario/topology.js';
import type {ClassSet, PacketClass} from './classes.js';
import {
	cutOf, fieldNames, packetKinds, type Cut, type FieldName,
} from './fields.js';
import {ephemeral, type Representative} from './representatives.js';
import {isOwnAddress} from './world.js';

/** A packet as somebody sends it. What is undefined is the kernel's choice. */
export type SentPacket = Omit<Representative, 'index' | 'kind' | 'packet'>;

/** Finds the classes of packets in one set of classes. `ruleSets` are all that it was cut for. */
export class Locator {
	readonly #classSet: ClassSet;
	readonly #topology: Topology;
	readonly #masks: ReadonlyArray<{readonly value: number; readonly mask: number}>;

	constructor({classSet, ruleSets, topology}: {readonly classSet: ClassSet; readonly ruleSets: readonly RuleSet[]; readonly topology: Topology}) {
		this.#classSet = classSet;
		this.#topology = topology;
		this.#masks = ruleSets.flatMap(ruleSet => [...rulesOf(ruleSet)].flatMap(({rule}) => rule.matches.flatMap(match => match.kind === 'mark' ? [match] : [])));
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
		const places = Object.fromEntries(fieldNames.map(name => [name, name === 'mark' ? this.#markCut(fields.cuts.mark, mark) : cutOf(fields.cuts[name], values[name])]));
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

	/** One value stands for all marks that the rules cannot tell from it. */
	#markCut(cuts: readonly Cut[], mark: number): number | undefined {
		const answers = (value: number): string => this.#masks.map(({value: wanted, mask}) => ((value & mask) >>> 0) === wanted).join(' ');
		const own = answers(mark);
		const place = cuts.findIndex(({first}) => answers(Number(first)) === own);
		return place === -1 ? undefined : place;
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
