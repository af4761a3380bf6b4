/**
The classes of one or more rule sets: sets of packets that each of the sets treats alike, and what cannot be asked of them.
*/

import type {AddressFamily} from '../netfilter/types.js';
import type {Topology} from '../scenario/topology.js';
import {
	divideFields, fieldNames, type FieldName, type Fields,
} from './fields.js';
import type {PacketSet} from './packet-set.js';
import {SymbolicWalker, type PathCondition, type Program} from './symbolic-walk.js';
import {
	placesOf, rangesOf, situationsIn, type LeftOut, type Origin, type Places, type Situation,
} from './packet-space.js';

/** Packets that each rule set treats alike. */
export type PacketClass = {
	readonly family: AddressFamily;
	readonly origin: Origin;
	readonly isLocal: boolean;
	readonly packetSet: PacketSet;
	/** Of each rule set what becomes of them, by our reading. */
	readonly predicted: ReadonlyArray<Omit<PathCondition, 'packetSet'>>;
};

/** Classes that no probe is sent for. */
export type LeftOutClasses = {
	readonly kind: LeftOut['kind'];
	readonly because: string;
	readonly origin: Origin;
	readonly classes: readonly PacketClass[];
};

/** All classes of one family. `domains`: what the classes of an origin hold of each field, those that stay in the pod and those that leave it, by {@link domainKey}. */
export type ClassSet = {
	readonly fields: Fields; readonly places: Places; readonly classes: readonly PacketClass[]; readonly leftOut: readonly LeftOutClasses[]; readonly domains: ReadonlyMap<string, PacketSet>;
};

/** The key of {@link ClassSet.domains}. */
export function domainKey({origin, isLocal}: Pick<PacketClass, 'origin' | 'isLocal'>): string {
	return `${origin} ${isLocal}`;
}

/**
Cuts all packets of a family into classes. One that a rule set does not tell from another is not told apart: a field that no rule on the way looks at stays whole.

@throws {InputError} as {@link divideFields}.
*/
export function classify(programs: readonly Program[], {family, topology}: {readonly family: AddressFamily; readonly topology: Topology}): ClassSet {
	const places = placesOf(topology, family);
	const fields = divideFields(programs.map(({ruleSet}) => ruleSet), {
		family, ranges: rangesOf(places), routed: programs.flatMap(({localMarks}) => localMarks.map(({mark, mask}) => ({value: mark, mask}))),
	});
	const {situations, leftOut} = situationsIn(fields, places);
	const symbolicWalkers = programs.map(program => new SymbolicWalker(program, {fields, places}));
	const interval = (situation: Situation): readonly PacketClass[] => {
		let joint: readonly Joint[] = [{packetSet: situation.packetSet, predicted: []}];
		for (const symbolicWalker of symbolicWalkers) {
			joint = joint.flatMap(({packetSet, predicted}) => symbolicWalker.pathConditions(situation, packetSet)
				.map(({packetSet: part, ...pathCondition}): Joint => ({packetSet: part, predicted: [...predicted, pathCondition]})));
		}

		return joint.map(({packetSet, predicted}) => ({
			family, origin: situation.origin, isLocal: situation.isLocal, packetSet, predicted,
		}));
	};

	const classes = situations.flatMap(situation => interval(situation));
	return {
		fields, places, classes, domains: domainsOf(classes), leftOut: leftOut.map(left => ({
			kind: left.kind, because: left.because, origin: left.origin, classes: interval(left),
		})),
	};
}

function domainsOf(classes: readonly PacketClass[]): ReadonlyMap<string, PacketSet> {
	const domains = new Map<string, PacketSet>();
	for (const each of classes) {
		const known = domains.get(domainKey(each));
		domains.set(domainKey(each), known === undefined ? each.packetSet : Object.fromEntries(fieldNames.map(name => [name, known[name] | each.packetSet[name]])) as Record<FieldName, bigint>);
	}

	return domains;
}

type Joint = Pick<PacketClass, 'packetSet' | 'predicted'>;
