/**
Compares a rule set with a baseline: the classes of both together, what the kernel does with them now, and the record of the class that contains them.
*/

import type {Leg} from '../netfilter/path.js';
import type {MeshRules} from '../mesh/mesh.js';
import {diffRuleSets} from '../judge/rule-diff/rule-diff.js';
import type {Topology} from '../mesh/topology.js';
import type {Gap} from '../trace/gap.js';
import {causeFinder} from '../comparison/cause.js';
import type {ClassSet, PacketClass} from '../packet-classes/classify.js';
import type {ComparedFamily} from '../comparison/comparison.js';
import {Locator, packetOfLeg} from '../packet-classes/class-of-packet.js';
import {
	closedThere, isSame, isSamePath, severityOf, stateMoves, summarizePath, type ProbeResult, type Move, type Side, type Statement, type PathSummary,
} from '../comparison/moves.js';
import {onceAround} from '../comparison/rounds.js';
import type {Representative} from '../packet-classes/representatives.js';
import {gapsOfClasses, gapsOfReading, printRepresentative} from '../comparison/gaps.js';
import type {WalkedRule} from '../packet-classes/symbolic-walk.js';
import {finish, type Steps} from '../packet-classes/steps.js';
import {fieldsLookedAt} from '../packet-classes/describe.js';
import type {RecordedClass} from './baseline.js';

/** One recorded class, checked. `from` and `to`: arrivals, if they moved; `unchecked`: no packet of it could be sent. */
export type CheckedClass = {readonly record: RecordedClass; readonly outcome: 'same' | 'unchecked'} | {readonly record: RecordedClass; readonly outcome: 'moved'; readonly to: readonly string[]; readonly because: string; /** What the kernel did, for drawings. */ readonly move?: Pick<Move, 'from' | 'example' | 'shown'>};

/** What was sent in one family. In the classes, the baseline's rules come first, then the others. */
export type VerifiedFamily = {readonly classSet: ClassSet; readonly representatives: readonly Representative[]; readonly side: Side};

/** The classes of a check. */
export type VerifiedClasses = {
	readonly families: readonly ComparedFamily[];
	readonly statements: readonly Statement[];
	readonly classes: readonly CheckedClass[];
	readonly gaps: readonly Gap[];
};

/** The two sides of the comparison. */
export type VerificationTerms = {
	readonly recorded: {readonly ruleSet: MeshRules; readonly classes: readonly RecordedClass[]};
	/** If false, only arrivals count. */
	readonly areRolesCompared: boolean;
	/** Whether both rule sets are written in one language. If not, a rule without a role has no common name. */
	readonly isOneLanguage: boolean;
	readonly topology: Topology;
};

/** Compares what was sent with the records. */
export function verifyClasses(probed: readonly VerifiedFamily[], terms: VerificationTerms): VerifiedClasses {
	return finish(verifyInSteps(probed, terms));
}

/** How many packets are processed between two pauses. */
const turn = 50;

/** The same as a computation that can pause. */
export function * verifyInSteps(probed: readonly VerifiedFamily[], terms: VerificationTerms): Steps<VerifiedClasses> {
	const all: FamilyCheck[] = [];
	const judged: Array<{readonly check: FamilyCheck; readonly moves: readonly Move[]}> = [];
	for (const family of probed) {
		const check = new FamilyCheck(family, terms);
		all.push(check);
		yield * check.locate();
		judged.push({check, moves: yield * check.moves()});
	}

	const gaps = new Map(all.flatMap(check => check.gaps()).map(gap => [`${gap.kind} ${gap.message}`, gap]));
	return {
		families: all.map(check => check.extent()),
		statements: stateMoves(judged.map(({check: {classSet}, moves}) => ({classSet, moves}))),
		classes: all.flatMap(check => check.checked()),
		gaps: [...gaps.values()],
	};
}

class FamilyCheck {
	readonly classSet: ClassSet;
	readonly #probed: VerifiedFamily;
	readonly #terms: VerificationTerms;
	readonly #locator: Locator;
	/** Records by the part of a class that the baseline's rules determine: their prediction is one object for all its parts. */
	readonly #records = new Map<PacketClass['predicted'][number], Array<{readonly record: RecordedClass; readonly packetClass: PacketClass}>>();
	readonly #gaps: Gap[] = [];
	readonly #moved = new Map<RecordedClass, {readonly to: readonly string[]; readonly because: string; readonly move: Pick<Move, 'from' | 'example' | 'shown'>}>();
	readonly #met = new Set<RecordedClass>();

	constructor(probed: VerifiedFamily, terms: VerificationTerms) {
		this.classSet = probed.classSet;
		this.#probed = probed;
		this.#terms = terms;
		this.#locator = new Locator({classSet: probed.classSet, topology: terms.topology});
	}

	/** Finds the class of each record. It comes before everything else. */
	* locate(): Steps<void> {
		for (const [index, record] of this.#ownRecords().entries()) {
			if (index % turn === turn - 1) {
				yield;
			}

			const packetClass = this.#locator.classOf(record.probe);
			if (packetClass === undefined) {
				this.#gaps.push({kind: 'not-recorded', message: `The probe of a recorded class cannot be sent here: ${describePacket(record)}.`});
			} else {
				const [recorded] = packetClass.predicted;
				const known = this.#records.get(recorded!);
				if (known === undefined) {
					this.#records.set(recorded!, [{record, packetClass}]);
				} else {
					known.push({record, packetClass});
				}
			}
		}
	}

	/** The classes that took a different path. It has to be computed before {@link checked}. */
	* moves(): Steps<readonly Move[]> {
		const {recorded} = this.#terms;
		const {representatives, side} = this.#probed;
		const moves: Move[] = [];
		const findCause = causeFinder(diffRuleSets({from: recorded.ruleSet, to: side.ruleSet}, [this.classSet.fields.family]));
		for (const [place, example] of representatives.entries()) {
			if (place % turn === turn - 1) {
				yield;
			}

			const move = this.#moveOf(example, side.probeResults[place]!, findCause);
			if (move !== undefined) {
				moves.push(move);
			}
		}

		return moves;
	}

	checked(): readonly CheckedClass[] {
		return this.#ownRecords().map((record): CheckedClass => {
			const moved = this.#moved.get(record);
			return moved === undefined ? {record, outcome: this.#met.has(record) ? 'same' : 'unchecked'} : {record, outcome: 'moved', ...moved};
		});
	}

	/** Known only after everything else was compared. */
	gaps(): readonly Gap[] {
		const {representatives, side: {probeResults}} = this.#probed;
		return [
			...this.#gaps,
			...this.checked().flatMap(({record, outcome}): readonly Gap[] => outcome === 'unchecked' ? [{kind: 'not-recorded', message: `Nothing was compared with the recorded class ${describePacket(record)}.`}] : []),
			...gapsOfClasses(this.classSet),
			...probeResults.flatMap(probeResult => probeResult.gaps),
			...gapsOfReading({
				classSet: this.classSet, representatives, probeResults, place: 1,
			}),
		];
	}

	extent(): ComparedFamily {
		const {classSet} = this;
		return {
			family: classSet.fields.family,
			classes: classSet.classes.length,
			probes: this.#probed.representatives.length,
			fields: fieldsLookedAt(classSet),
			leftOut: classSet.leftOut.map(({kind, because, classes}) => ({kind, because, classes: classes.length})),
		};
	}

	/** How the packet of a class took a different path; undefined if it did not, or if that is not known. */
	#moveOf(example: Representative, probeResult: ProbeResult, findCause: ReturnType<typeof causeFinder>): Move | undefined {
		const {recorded, areRolesCompared} = this.#terms;
		const {side} = this.#probed;
		const packetClass = this.classSet.classes[example.index]!;
		const records = this.#recordsOf(packetClass, example);
		if (records.length === 0) {
			this.#gaps.push({kind: 'not-recorded', message: `The baseline does not say what happened to ${printRepresentative(example)}.`});
			return undefined;
		}

		if (probeResult.gaps.length > 0) {
			return undefined;
		}

		const to = summarizePath(probeResult, side.ruleSet);
		const expected = this.#expectedPath(records, {probeResult, to, example});
		// Older versions recorded a loop round by round.
		const from = expected === undefined ? undefined : onceAround(expected);
		if (from === undefined) {
			this.#gaps.push({kind: 'not-recorded', message: `The baseline has contradicting records for packets like ${printRepresentative(example)}.`});
			return undefined;
		}

		// Records of other packets of this class are compared with them, and with the classes of forwarded packets.
		for (const each of [...records, ...this.#ownOf(packetClass)]) {
			this.#met.add(each);
		}

		if (isSame(from.arrivals, to.arrivals) && (!areRolesCompared || this.#hasSameRoles(from, to))) {
			return undefined;
		}

		const cause = findCause({
			from: {legs: this.#predictedLegs(probeResult, packetClass), ruleSet: recorded.ruleSet}, to: {legs: probeResult.legs, ruleSet: side.ruleSet}, family: example.family,
		});
		const move: Move = {
			severity: severityOf(from.arrivals, to.arrivals), from, to, cause, example, packetClass, shown: {to: {ruleSet: side.ruleSet, probeResult}},
		};
		for (const each of records) {
			this.#note(each, move);
		}

		return move;
	}

	#ownRecords(): readonly RecordedClass[] {
		return this.#terms.recorded.classes.filter(({probe}) => probe.family === this.classSet.fields.family);
	}

	/** The record of a class: of the same packet, of its class, or of the class that the baseline's rules determine, which contains it. */
	#recordsOf(packetClass: PacketClass, example: Representative): readonly RecordedClass[] {
		const all = this.#records.get(packetClass.predicted[0]!) ?? [];
		const exact = all.find(({record}) => isSamePacket(record.probe, example));
		const own = this.#ownOf(packetClass);
		return exact === undefined ? (own.length > 0 ? own : all.map(({record}) => record)) : [exact.record];
	}

	#ownOf(packetClass: PacketClass): readonly RecordedClass[] {
		return (this.#records.get(packetClass.predicted[0]!) ?? []).filter(each => each.packetClass === packetClass).map(({record}) => record);
	}

	/** The expected path. A forwarded connection is a new packet, so it is checked against the record of its own class. Undefined if the records do not agree. */
	#expectedPath(records: readonly RecordedClass[], {probeResult, to, example}: {
		readonly probeResult: ProbeResult; readonly to: PathSummary; readonly example: Representative;
	}): PathSummary | undefined {
		const first = records[0]!;
		const alone = records.every(record => isSamePath(record, first)) ? first : undefined;
		const begins = (record: RecordedClass): boolean => isSameBegin(record, first);
		const isFirstAsExpected = first.arrivals[0] === to.arrivals[0];
		if (isSamePacket(first.probe, example) || probeResult.isLoop || records.some(({arrivals}) => arrivals.includes('loop')) || !isFirstAsExpected || !records.every(record => begins(record))) {
			return alone ?? (records.some(({arrivals}) => arrivals[0] === to.arrivals[0]) ? undefined : first);
		}

		const wanted = probeResult.legs.map((leg, index) => index === 0 ? first : this.#recordOfLeg(leg));
		// No rule decides that the proxy closes connections to its own ports.
		const closing = to.arrivals.filter(arrival => arrival === closedThere);
		return wanted.includes(undefined) ? alone : {arrivals: [...wanted.map(each => each!.arrivals[0]!), ...closing], roles: wanted.map(each => each!.roles[0]!)};
	}

	#recordOfLeg(leg: Leg): RecordedClass | undefined {
		const packetClass = this.#classOfLeg(leg);
		const all = packetClass === undefined ? [] : this.#records.get(packetClass.predicted[0]!) ?? [];
		const [first] = all;
		return first !== undefined && all.every(({record}) => isSameBegin(record, first.record)) ? first.record : undefined;
	}

	#classOfLeg(leg: Leg): PacketClass | undefined {
		const packet = packetOfLeg(leg);
		return packet === undefined ? undefined : this.#locator.classOf(packet);
	}

	/** The legs according to the baseline's rules, by the model: to name the rule that made the difference. */
	#predictedLegs(probeResult: ProbeResult, packetClass: PacketClass): readonly Leg[] {
		return probeResult.legs.map((leg, index): Leg => {
			const hits = (index === 0 ? packetClass : this.#classOfLeg(leg))?.predicted[0]?.hits ?? [];
			return {...leg, traversals: traversalsOf(hits, leg)};
		});
	}

	#hasSameRoles(one: PathSummary, other: PathSummary): boolean {
		return one.roles.length === other.roles.length && one.roles.every((roles, index) => isSame(this.#nameForeign(roles), this.#nameForeign(other.roles[index]!)));
	}

	/** A rule without a role is identified by its chain and text, which differ between two languages. */
	#nameForeign(roles: readonly string[]): readonly string[] {
		return this.#terms.isOneLanguage ? roles : roles.map(role => role.includes(' ') ? 'a rule without a role' : role);
	}

	#note(record: RecordedClass, move: Move): void {
		if (!this.#moved.has(record)) {
			this.#moved.set(record, {to: move.to.arrivals, because: move.cause.text, move});
		}
	}
}

/** The rules of a prediction in the form of a trace: one path through a base chain after the other. */
function traversalsOf(hits: readonly WalkedRule[], {from, to}: Leg): Leg['traversals'] {
	return hits.length === 0
		? []
		: [{
			hook: 'output', family: hits[0]!.family, table: hits[0]!.table, chain: hits[0]!.chain, hits: hits.map(hit => ({...hit, handle: undefined, verdict: undefined})), end: {by: 'open'}, inInterface: undefined, outInterface: undefined, source: from, destination: to,
		}];
}

/** Whether two paths are the same up to where the first leg arrived. */
function isSameBegin(one: PathSummary, other: PathSummary): boolean {
	return one.arrivals[0] === other.arrivals[0] && isSame(one.roles[0] ?? [], other.roles[0] ?? []);
}

/** Whether an example is the recorded packet itself. */
function isSamePacket(one: RecordedClass['probe'], {index, kind, packet, ...other}: Representative): boolean {
	return Object.entries(other).every(([name, value]) => JSON.stringify(one[name as keyof typeof other]) === JSON.stringify(value));
}

/** A recorded class in words, for a message. */
function describePacket({traffic, probe}: RecordedClass): string {
	return `${probe.family} ${traffic.join('; ')}`;
}
