/**
What moved between two rule sets: per class what the kernel did on each side, and the classes that differ in as few statements as tell it all.
*/

import type {MeshRules} from '../mesh/mesh.js';
import type {Endpoint, Leg} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';
import {decidingHitsOf} from '../judge/observed-roles.js';
import type {RuleSetDiff} from '../judge/rule-diff/rule-diff.js';
import type {Gap} from '../trace/gap.js';
import {mergePacketSets, type PacketSet} from '../packet-classes/packet-set.js';
import {domainKey, type ClassSet, type PacketClass} from '../packet-classes/classify.js';
import type {Representative} from '../packet-classes/representatives.js';
import {describePacketSet} from '../packet-classes/describe.js';
import {findCause, type Cause} from './cause.js';

/** A leg with the place where it was delivered; undefined where it was not. `isLedAway`: some rule saw to that, though it may be the place that was asked for. */
export type ProbedLeg = Leg & {readonly deliveredTo: Endpoint | undefined; readonly isLedAway?: boolean};

/** What the kernel did with one probe and with what the proxy carried on of it. */
export type ProbeResult = {readonly legs: readonly ProbedLeg[]; readonly gaps: readonly Gap[]; readonly isLoop: boolean};

/** One side of a comparison: its rules as they were loaded, and a flight for each representative, in their order. */
export type Side = {readonly ruleSet: MeshRules; readonly probeResults: readonly ProbeResult[]};

/** How much a move matters: traffic that the sidecar sees no longer; that comes to no end; that goes round; that goes elsewhere; that goes the same way by other rules. */
export const severities = ['bypass', 'lost', 'loop', 'elsewhere', 'path'] as const;

/** One of them. */
export type Severity = typeof severities[number];

/** Packets of one origin that moved alike. */
export type Statement = {
	readonly severity: Severity;
	readonly families: readonly AddressFamily[];
	/** In words, a sentence part for each set of packets: `TCP from any user but 1337, port 15008`. */
	readonly traffic: readonly string[];
	/** Where each leg arrived: `proxy:15001`, `direct`, `dropped` … */
	readonly from: readonly string[];
	readonly to: readonly string[];
	readonly cause: Cause;
	readonly classes: number;
	/** The probe that shows it. */
	readonly example: Representative;
};

/** What is compared of one probe: see {@link arrivalsOf}, and the rules by role. */
export type PathSummary = {readonly arrivals: readonly string[]; readonly roles: ReadonlyArray<readonly string[]>};

/** Where each leg arrived: `direct` is where it wanted to go, otherwise the listener or the port that a rule led it to instead; or what became of it. */
export function arrivalsOf({legs, isLoop}: ProbeResult): readonly string[] {
	return [...legs.map(leg => arrivalOf(leg)), ...(isLoop ? ['loop'] : [])];
}

/** What becomes of a connection that does come somewhere. */
const nobodyListens = 'where nobody listens';
const answerLost = 'whose answer does not come back';

function arrivalOf({end, to, deliveredTo, isLedAway = false}: ProbedLeg): string {
	if (end.kind === 'dropped' || end.kind === 'unreachable') {
		return end.kind;
	}

	if (deliveredTo === undefined) {
		return 'unknown';
	}

	if (!isLedAway && deliveredTo.address === to.address && deliveredTo.port === to.port) {
		return 'direct';
	}

	if (end.kind === 'accepted') {
		return end.stop;
	}

	return `port ${deliveredTo.port}, ${end.kind === 'unknown' ? answerLost : nobodyListens}`;
}

/** The rules that decided on a leg, by role; a rule without one by its text. */
export function rolesOnPath(leg: Leg, ruleSet: MeshRules): readonly string[] {
	return decidingHitsOf(leg, ruleSet).map(({hit, role}) => role ?? `${hit.chain} ${hit.text ?? `handle ${hit.handle ?? '?'}`}`);
}

/** The way of a flight. */
export function summarizePath(probeResult: ProbeResult, ruleSet: MeshRules): PathSummary {
	return {arrivals: arrivalsOf(probeResult), roles: probeResult.legs.map(leg => rolesOnPath(leg, ruleSet))};
}

/** How much it matters that packets arrive elsewhere now. */
export function severityOf(from: readonly string[], to: readonly string[]): Severity {
	if (isSame(from, to)) {
		return 'path';
	}

	if (from[0] !== 'direct' && !isLost(from) && to[0] === 'direct') {
		return 'bypass';
	}

	if (!isLost(from) && isLost(to)) {
		return 'lost';
	}

	return to.includes('loop') && !from.includes('loop') ? 'loop' : 'elsewhere';
}

function isLost(arrivals: readonly string[]): boolean {
	return arrivals.some(arrival => arrival === 'dropped' || arrival === 'unreachable' || arrival === 'unknown' || arrival.endsWith(nobodyListens) || arrival.endsWith(answerLost));
}

/** Whether two lists of words are the same. */
export function isSame(one: readonly string[], other: readonly string[]): boolean {
	return one.length === other.length && one.every((each, index) => each === other[index]);
}

/** Whether two ways are the same, rule by rule. */
export function isSamePath(one: PathSummary, other: PathSummary): boolean {
	return isSame(one.arrivals, other.arrivals) && one.roles.length === other.roles.length && one.roles.every((roles, index) => isSame(roles, other.roles[index]!));
}

/** One representative that went another way. */
export type Move = {readonly severity: Severity; readonly from: PathSummary; readonly to: PathSummary; readonly cause: Cause; readonly example: Representative; readonly packetClass: PacketClass};

/** The classes of one family that moved. A flight that is in doubt on either side shows nothing: its gap is told instead. */
export function movesIn({classSet, representatives, sides: {from, to}, diff}: {
	readonly classSet: ClassSet; readonly representatives: readonly Representative[]; readonly sides: {readonly from: Side; readonly to: Side}; readonly diff: RuleSetDiff;
}): readonly Move[] {
	return representatives.flatMap((example, place): readonly Move[] => {
		const [one, other] = [from.probeResults[place]!, to.probeResults[place]!];
		if (one.gaps.length > 0 || other.gaps.length > 0) {
			return [];
		}

		const pathSummaries = {from: summarizePath(one, from.ruleSet), to: summarizePath(other, to.ruleSet)};
		const severity = severityOf(pathSummaries.from.arrivals, pathSummaries.to.arrivals);
		if (isSamePath(pathSummaries.from, pathSummaries.to)) {
			return [];
		}

		return [{
			severity,
			...pathSummaries,
			cause: findCause({
				from: {legs: one.legs, ruleSet: from.ruleSet}, to: {legs: other.legs, ruleSet: to.ruleSet}, diff, family: example.family,
			}),
			example,
			packetClass: classSet.classes[example.index]!,
		}];
	});
}

/** Moves of all families in as few statements as tell them, the gravest first. */
export function stateMoves(families: ReadonlyArray<{readonly classSet: ClassSet; readonly moves: readonly Move[]}>): readonly Statement[] {
	const groups = new Map<string, {readonly moves: Move[]; readonly classSet: ClassSet}>();
	for (const {classSet, moves} of families) {
		for (const move of moves) {
			const key = JSON.stringify([move.example.family, move.packetClass.origin, move.severity, move.from.arrivals, move.to.arrivals, move.cause]);
			const group = groups.get(key) ?? {moves: [], classSet};
			group.moves.push(move);
			groups.set(key, group);
		}
	}

	const statements = new Map<string, Statement>();
	for (const {moves, classSet} of groups.values()) {
		const statement = stateGroup(moves, classSet);
		const key = JSON.stringify([statement.severity, statement.traffic, statement.from, statement.to, statement.cause.text]);
		const known = statements.get(key);
		statements.set(key, known === undefined ? statement : {...known, families: [...known.families, ...statement.families], classes: known.classes + statement.classes});
	}

	return [...statements.values()].toSorted((one, other) => severities.indexOf(one.severity) - severities.indexOf(other.severity) || other.classes - one.classes);
}

function stateGroup(moves: readonly Move[], classSet: ClassSet): Statement {
	const classes = [...new Set(moves.map(({packetClass}) => packetClass))];
	// What is usual reads better than what is at an edge or comes from a port of its own.
	const inner = moves.filter(({example}) => example.kind === 'inner');
	const shown = inner.find(({example}) => example.sourcePort === undefined) ?? inner[0] ?? moves[0]!;
	const {severity, from, to, cause, example} = shown;
	return {
		severity,
		families: [example.family],
		traffic: describeClasses(classes, classSet),
		from: from.arrivals,
		to: to.arrivals,
		cause,
		classes: classes.length,
		example,
	};
}

/** Classes of one origin in words. */
export function describeClasses(classes: readonly PacketClass[], classSet: ClassSet): readonly string[] {
	const [first] = classes;
	if (first === undefined) {
		return [];
	}

	return mergePacketSets(classes.map(packetClass => withOpenSource(packetClass, classSet))).map(packetSet => describePacketSet(classSet, first.origin, packetSet));
}

/** What comes from the pod's own address because it goes elsewhere, and what comes from any of its addresses because it stays here, have the same to say of their source: nothing. */
function withOpenSource({packetSet, isLocal, origin}: PacketClass, {domains}: ClassSet): PacketSet {
	const [same, other] = [isLocal, !isLocal].map(local => domains.get(domainKey({origin, isLocal: local}))?.source ?? 0n) as [bigint, bigint];
	return packetSet.source === same ? {...packetSet, source: same | other} : packetSet;
}
