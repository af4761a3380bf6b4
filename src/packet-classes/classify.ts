/**
The classes of one or more rule sets: sets of packets that each of the sets treats alike, and what cannot be asked of them.
*/

import type {AddressFamily} from '../netfilter/types.js';
import type {Topology} from '../scenario/topology.js';
import {
	cutFields, fieldNames, type FieldName, type Fields,
} from './fields.js';
import type {Box} from './packet-set.js';
import {Walker, type Leaf, type Program} from './symbolic-walk.js';
import {
	placesOf, rangesOf, situationsIn, type LeftOut, type Origin, type Places, type Situation,
} from './packet-space.js';

/** Packets that each rule set treats alike. */
export type PacketClass = {
	readonly family: AddressFamily;
	readonly origin: Origin;
	readonly isLocal: boolean;
	readonly box: Box;
	/** Of each rule set what becomes of them, by our reading. */
	readonly foretold: ReadonlyArray<Omit<Leaf, 'box'>>;
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
	readonly fields: Fields; readonly places: Places; readonly classes: readonly PacketClass[]; readonly leftOut: readonly LeftOutClasses[]; readonly domains: ReadonlyMap<string, Box>;
};

/** The key of {@link ClassSet.domains}. */
export function domainKey({origin, isLocal}: Pick<PacketClass, 'origin' | 'isLocal'>): string {
	return `${origin} ${isLocal}`;
}

/**
Cuts all packets of a family into classes. One that a rule set does not tell from another is not told apart: a field that no rule on the way looks at stays whole.

@throws {InputError} as {@link cutFields}.
*/
export function classify(programs: readonly Program[], {family, topology}: {readonly family: AddressFamily; readonly topology: Topology}): ClassSet {
	const places = placesOf(topology, family);
	const fields = cutFields(programs.map(({ruleSet}) => ruleSet), {
		family, ranges: rangesOf(places), routed: programs.flatMap(({localMarks}) => localMarks.map(({mark, mask}) => ({value: mark, mask}))),
	});
	const {situations, leftOut} = situationsIn(fields, places);
	const walkers = programs.map(program => new Walker(program, {fields, places}));
	const cut = (situation: Situation): readonly PacketClass[] => {
		let joint: readonly Joint[] = [{box: situation.box, foretold: []}];
		for (const walker of walkers) {
			joint = joint.flatMap(({box, foretold}) => walker.leaves(situation, box).map(({box: part, ...leaf}): Joint => ({box: part, foretold: [...foretold, leaf]})));
		}

		return joint.map(({box, foretold}) => ({
			family, origin: situation.origin, isLocal: situation.isLocal, box, foretold,
		}));
	};

	const classes = situations.flatMap(situation => cut(situation));
	return {
		fields, places, classes, domains: domainsOf(classes), leftOut: leftOut.map(left => ({
			kind: left.kind, because: left.because, origin: left.origin, classes: cut(left),
		})),
	};
}

function domainsOf(classes: readonly PacketClass[]): ReadonlyMap<string, Box> {
	const domains = new Map<string, Box>();
	for (const each of classes) {
		const known = domains.get(domainKey(each));
		domains.set(domainKey(each), known === undefined ? each.box : Object.fromEntries(fieldNames.map(name => [name, known[name] | each.box[name]])) as Record<FieldName, bigint>);
	}

	return domains;
}

type Joint = Pick<PacketClass, 'box' | 'foretold'>;
