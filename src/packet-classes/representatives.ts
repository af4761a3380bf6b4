/**
The packets that represent a class: one at the edge of its values and one inside. If a class leaves a field open, a usual value is chosen, so that a probe is readable.
*/

import {parseAddress} from '../netfilter/address.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {ProbeSpec} from '../scenario/probe-spec.js';
import {ephemeralPorts, type Topology} from '../mesh/topology.js';
import {
	intervalsIn, everyInterval, intervalsOf, setOf, type PacketSet,
} from './packet-set.js';
import {domainKey, type ClassSet, type PacketClass} from './classify.js';
import {
	fieldNames, packetKinds, type Interval, type FieldName,
} from './fields.js';
import {finish, type Steps} from './steps.js';
import {printValue} from './values.js';

/** One probe for a class. Undefined values are left to the kernel. */
export type Representative = {
	/** The class, by its index. */
	readonly index: number;
	readonly kind: 'boundary' | 'inner';
	readonly origin: PacketClass['origin'];
	readonly packet: typeof packetKinds[number];
	readonly destination: ProbeSpec['to'];
	/** The device that the socket is bound to, if the class is about that. */
	readonly bindDevice?: string;
} & Required<Pick<ProbeSpec, 'family' | 'protocol' | 'uid' | 'gid' | 'source' | 'sourcePort' | 'mark'>>;

/** {@link ephemeralPorts} as an interval. */
export const ephemeral: Interval = {first: BigInt(ephemeralPorts.from), last: BigInt(ephemeralPorts.to)};
const usualIds = [1000n, 2000n, 3000n, 65_534n, 0n];

/** The UIDs and GIDs that exist on the sending machine, as intervals; all of them by default. */
export type ExistingIds = Partial<Readonly<Record<'uid' | 'gid', readonly Interval[]>>>;

/** The representatives of all classes, in order: two each, unless both are the same packet. A class has one with existing IDs, if it has any. */
export function representativesOf(classSet: ClassSet, topology: Topology, existing: ExistingIds = {}): readonly Representative[] {
	return finish(representativesInSteps(classSet, topology, existing));
}

/** How many classes are processed between two pauses. */
const turn = 200;

/** The same as a computation that can pause. */
export function * representativesInSteps(classSet: ClassSet, topology: Topology, existing: ExistingIds = {}): Steps<readonly Representative[]> {
	const {fields, places, classes} = classSet;
	const frame: Frame = {
		...classSet,
		topology,
		existing,
		usual: usualValues(topology, fields.family),
		onLink: {source: setOf(fields.intervals.source, [places.onLink]), destination: setOf(fields.intervals.destination, [places.onLink])},
		whole: Object.fromEntries(fieldNames.map(name => [name, everyInterval(fields.intervals[name])])) as Record<FieldName, bigint>,
	};
	const representatives: Representative[] = [];
	for (const [index, packetClass] of classes.entries()) {
		if (index % turn === turn - 1) {
			yield;
		}

		const choice = new Choice(packetClass, index, frame);
		const [boundary, inner] = [choice.representative('boundary'), choice.representative('inner')];
		representatives.push(...(JSON.stringify({...boundary, kind: ''}) === JSON.stringify({...inner, kind: ''}) ? [inner] : [boundary, inner]));
	}

	return representatives;
}

/** What all classes share. `whole`: all cuts of each field. */
type Frame = Pick<ClassSet, 'fields' | 'places' | 'domains'> & {
	readonly topology: Topology;
	readonly existing: ExistingIds;
	readonly usual: Readonly<Record<FieldName, readonly bigint[]>>;
	readonly onLink: Readonly<Record<'source' | 'destination', bigint>>;
	readonly whole: Readonly<Record<FieldName, bigint>>;
};

/** The packets that represent one class. */
class Choice {
	readonly #class: PacketClass;
	readonly #index: number;
	readonly #frame: Frame;
	readonly #domain: PacketSet;
	readonly #intervals = new Map<FieldName, {readonly joined: readonly Interval[]; readonly offLink: readonly Interval[]}>();

	constructor(packetClass: PacketClass, index: number, frame: Frame) {
		this.#class = packetClass;
		this.#index = index;
		this.#frame = frame;
		this.#domain = frame.domains.get(domainKey(packetClass))!;
	}

	representative(kind: Representative['kind']): Representative {
		const {fields, whole} = this.#frame;
		const {packetSet, origin, isLocal, device} = this.#class;
		const destination = printValue(fields, 'destination', this.#pick('destination', kind));
		const isPod = origin === 'pod';
		const isPortOpen = this.#joined('source-port').some(({first, last}) => first <= ephemeral.first && ephemeral.last <= last) && (kind === 'inner' || packetSet['source-port'] === whole['source-port']);
		const packet = packetKinds[Number(this.#pick('packet', kind))] ?? 'first';
		const uid = isPod ? (packet === 'invalid' ? 0 : Number(this.#pick('uid', kind))) : undefined;
		const mark = this.#pick('mark', kind);
		return {
			index: this.#index,
			kind,
			origin,
			family: fields.family,
			protocol: printValue(fields, 'protocol', this.#pick('protocol', kind)) as 'tcp' | 'udp',
			packet,
			uid,
			gid: isPod ? Number(isWithin(this.#joined('gid'), BigInt(uid!)) && (kind === 'inner' || packetSet.gid === whole.gid) ? BigInt(uid!) : this.#pick('gid', kind)) : undefined,
			// A mark may have a route of its own, and that another source.
			source: isPod && kind === 'inner' && mark === 0n ? this.#sourceLeftOpen(destination, isLocal) : printValue(fields, 'source', this.#pick('source', kind)),
			sourcePort: isPortOpen ? undefined : Number(this.#pick('source-port', kind)),
			destination: {address: destination, port: this.#portBeside(isPortOpen, kind)},
			mark: isPod && mark !== 0n ? Number(mark) : undefined,
			...(device === undefined ? {} : {bindDevice: device}),
		};
	}

	/** The values of a field; for a mark, one for each of its cuts. */
	#joined(field: FieldName): readonly Interval[] {
		return this.#intervalsOf(field).joined;
	}

	#intervalsOf(field: FieldName): {readonly joined: readonly Interval[]; readonly offLink: readonly Interval[]} {
		let known = this.#intervals.get(field);
		if (known === undefined) {
			const {fields: {intervals}, onLink} = this.#frame;
			const set = this.#class.packetSet[field];
			known = {
				joined: field === 'mark' ? intervalsIn(set).map(place => intervals.mark[place]!) : this.#existingIn(field, intervalsOf(intervals[field], set)),
				offLink: field === 'destination' || field === 'source' ? intervalsOf(intervals[field], set & ~onLink[field]) : [],
			};
			this.#intervals.set(field, known);
		}

		return known;
	}

	/** The part of a class's IDs that exists; all of them if none does. */
	#existingIn(field: FieldName, all: readonly Interval[]): readonly Interval[] {
		const existing = field === 'uid' || field === 'gid' ? this.#frame.existing[field] : undefined;
		const common = existing === undefined ? [] : commonParts(all, existing);
		return common.length === 0 ? all : common;
	}

	#pick(field: FieldName, kind: Representative['kind']): bigint {
		const {joined, offLink} = this.#intervalsOf(field);
		// No rule tests values that only the topology separates, so they are not edges of this class.
		const isOpen = this.#class.packetSet[field] === this.#domain[field];
		return pickFrom(joined, {
			usual: this.#frame.usual[field], kind: isOpen ? 'inner' : kind, index: this.#index, preferred: offLink,
		});
	}

	/** From a fixed source port, probes to one address and port would have to wait for each other. */
	#portBeside(isFree: boolean, kind: Representative['kind']): number {
		const other = BigInt(20_000 + this.#index);
		return Number(!isFree && kind === 'inner' && isWithin(this.#joined('destination-port'), other) ? other : this.#pick('destination-port', kind));
	}

	/** The route's own source is left out if it is in the class. */
	#sourceLeftOpen(to: string, isOwn: boolean): string | undefined {
		const {fields, topology} = this.#frame;
		const given = parseAddress(isOwn ? (fields.family === 'ipv4' && to.startsWith('127.') ? '127.0.0.1' : to) : topology.places.pod[fields.family])!.value;
		return isWithin(this.#joined('source'), given) ? undefined : printValue(fields, 'source', this.#pick('source', 'inner'));
	}
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

	// Adjacent classes use different edges.
	const {first, last} = among[index % among.length]!;
	return Math.floor(index / among.length) % 2 === 0 ? first : last;
}

function commonParts(some: readonly Interval[], others: readonly Interval[]): readonly Interval[] {
	return some.flatMap(one => others.flatMap(other => {
		const [first, last] = [one.first > other.first ? one.first : other.first, one.last < other.last ? one.last : other.last]; // eslint-disable-line unicorn/prefer-math-min-max -- Math knows no big numbers.
		return first <= last ? [{first, last}] : [];
	}));
}

function isWithin(joined: readonly Interval[], value: bigint): boolean {
	return joined.some(({first, last}) => first <= value && value <= last);
}

/** The value for an open field: the first usual one that is in the class. */
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
