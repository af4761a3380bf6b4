/**
The classes of one or more rule sets: sets of packets that each of the rule sets treats alike, and packets that cannot be sent.
*/

import type {AddressFamily} from '../netfilter/types.js';
import type {Topology} from '../mesh/topology.js';
import {
	divideFields, fieldNames, type FieldName, type Fields,
} from './fields.js';
import {ConditionSets} from './condition-sets.js';
import {Budget} from './limit.js';
import type {PacketSet} from './packet-set.js';
import {isPredictedAlike} from './predicted.js';
import {firstAlike} from './same-program.js';
import {finish, type Steps} from './steps.js';
import {SymbolicWalker, type PathCondition, type Program} from './symbolic-walk.js';
import {
	boundSituationsIn, networkDevice, placesOf, rangesOf, situationsIn, type LeftOut, type Origin, type Places, type Situation,
} from './packet-space.js';

/** Packets that each rule set treats alike. */
export type PacketClass = {
	readonly family: AddressFamily;
	readonly origin: Origin;
	readonly isLocal: boolean;
	/** The device that the sender's socket is bound to. */
	readonly device?: Situation['device'];
	readonly packetSet: PacketSet;
	/** What happens to them in each rule set, according to the model. */
	readonly predicted: ReadonlyArray<Omit<PathCondition, 'packetSet'>>;
};

/** Classes for which no probe is sent. `same-rules`: of sockets that are bound to a device, if all rule sets do the same with them. */
export type LeftOutClasses = {
	readonly kind: LeftOut['kind'] | 'same-rules';
	readonly because: string;
	readonly origin: Origin;
	readonly classes: readonly PacketClass[];
};

/** All classes of one family. `domains`: the values of each field in the classes of an origin, separately for those that stay in the pod and those that leave it, by {@link domainKey}. */
export type ClassSet = {
	readonly fields: Fields; readonly places: Places; readonly classes: readonly PacketClass[]; readonly leftOut: readonly LeftOutClasses[]; readonly domains: ReadonlyMap<string, PacketSet>;
};

/** The key of {@link ClassSet.domains}. */
export function domainKey({origin, isLocal, device}: Pick<PacketClass, 'origin' | 'isLocal' | 'device'>): string {
	return `${origin} ${isLocal} ${device ?? ''}`;
}

/** The default limit on the number of classes of one family: some minutes of probes. */
export const defaultClassLimit = 100_000;

/** Options of a classification. `limit`: the most classes that are sent, and the most of each kind that is left out. `hasBound`: also the packets of sockets that are bound to the network device, as far as the rule sets treat them differently. */
export type ClassifyOptions = {
	readonly family: AddressFamily; readonly topology: Topology; readonly limit?: number | undefined; readonly hasBound?: boolean | undefined;
	readonly onClasses?: ((classes: number) => void) | undefined;
};

/**
Divides all packets of a family into classes. Packets that no rule set distinguishes stay together: a field that no rule on the path tests stays whole.

@throws {InputError} as {@link divideFields}. {ClassLimitError} if there are more classes than the limit.
*/
export function classify(programs: readonly Program[], options: ClassifyOptions): ClassSet {
	return finish(classifyInSteps(programs, options));
}

/**
The same as a computation that can pause. `onClasses` receives the number of classes to send so far.

@throws as {@link classify}, while it runs.
*/
export function * classifyInSteps(programs: readonly Program[], {family, topology, limit = defaultClassLimit, hasBound = false, onClasses}: ClassifyOptions): Steps<ClassSet> {
	const places = placesOf(topology, family);
	const fields = divideFields(programs.map(({ruleSet}) => ruleSet), {
		family, ranges: rangesOf(places), routed: programs.flatMap(({localMarks}) => localMarks.map(({mark, mask}) => ({value: mark, mask}))),
	});
	yield;
	const {situations, leftOut} = situationsIn(fields, places);
	const conditionSets = new ConditionSets(fields);
	const alike = firstAlike(programs);
	const symbolicWalkers = programs.map((program, index) => alike[index] === index ? new SymbolicWalker(program, {fields, places, conditionSets}) : alike[index]!);
	const budget = new Budget(limit);
	const classes: PacketClass[] = [];
	for (const situation of situations) {
		for (const packetClass of yield * cut(situation, {family, symbolicWalkers, budget})) {
			classes.push(packetClass);
		}

		budget.use(classes.length - budget.used);
		onClasses?.(classes.length);
	}

	const leftOutClasses: LeftOutClasses[] = [];
	const sameRules: PacketClass[] = [];
	for (const situation of hasBound ? boundSituationsIn(fields, places) : []) {
		for (const packetClass of yield * cut(situation, {family, symbolicWalkers, budget: new Budget(limit)})) {
			(isPredictedAlike(packetClass.predicted) ? sameRules : classes).push(packetClass);
		}

		budget.use(classes.length - budget.used);
	}

	for (const left of leftOut) {
		leftOutClasses.push({
			kind: left.kind, because: left.because, origin: left.origin, classes: yield * cut(left, {family, symbolicWalkers, budget: new Budget(limit)}),
		});
	}

	if (sameRules.length > 0) {
		leftOutClasses.push({
			kind: 'same-rules', because: `from a socket bound to ${networkDevice}, for which every rule set has the same rules`, origin: 'pod', classes: sameRules,
		});
	}

	return {
		fields, places, classes, domains: domainsOf(classes), leftOut: leftOutClasses,
	};
}

/** Who divides packets by each rule set; for one that is the same as an earlier one, the index of that. */
type Cutting = {readonly family: AddressFamily; readonly symbolicWalkers: ReadonlyArray<SymbolicWalker | number>; readonly budget: Budget};

/** Divides the packets of one situation by the first rule set, the result by the next, and so on. */
function * cut(situation: Pick<Situation, 'origin' | 'isLocal' | 'device' | 'packetSet'>, {family, symbolicWalkers, budget}: Cutting): Steps<readonly PacketClass[]> {
	let joint: readonly Joint[] = [{packetSet: situation.packetSet, predicted: []}];
	for (const symbolicWalker of symbolicWalkers) {
		if (typeof symbolicWalker === 'number') {
			joint = joint.map(({packetSet, predicted}) => ({packetSet, predicted: [...predicted, predicted[symbolicWalker]!]}));
			continue;
		}

		const parts: Joint[] = [];
		for (const {packetSet, predicted} of joint) {
			for (const {packetSet: part, ...pathCondition} of yield * symbolicWalker.pathConditions(situation, packetSet, budget)) {
				parts.push({packetSet: part, predicted: [...predicted, pathCondition]});
			}

			budget.check(parts.length);
		}

		joint = parts;
	}

	return joint.map(({packetSet, predicted}) => ({
		family, origin: situation.origin, isLocal: situation.isLocal, ...(situation.device === undefined ? {} : {device: situation.device}), packetSet, predicted,
	}));
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
