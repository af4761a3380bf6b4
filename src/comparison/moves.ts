/**
What moved between two rule sets: what the kernel did with each class on each side, and the classes that differ, in as few statements as possible.
*/

import type {MeshRules} from '../mesh/mesh.js';
import {
	closingOf, printLegEnd, type Endpoint, type Leg,
} from '../netfilter/path.js';
import type {AddressFamily} from '../netfilter/types.js';
import {decidingHitsOf} from '../judge/observed-roles.js';
import type {RuleSetDiff} from '../judge/rule-diff/rule-diff.js';
import type {Gap} from '../trace/gap.js';
import {mergePacketSets, type PacketSet} from '../packet-classes/packet-set.js';
import {domainKey, type ClassSet, type PacketClass} from '../packet-classes/classify.js';
import type {Representative} from '../packet-classes/representatives.js';
import {describePacketSet} from '../packet-classes/describe.js';
import type {Steps} from '../packet-classes/steps.js';
import {causeFinder, type Cause} from './cause.js';
import {withoutImplied} from './implied.js';
import {onceAround} from './rounds.js';

/** A leg with the place where it was delivered; undefined if it was not. `isLedAway`: some rule redirected it, even if it is the place that was asked for. */
export type ProbedLeg = Leg & {readonly deliveredTo: Endpoint | undefined; readonly isLedAway?: boolean};

/** What the kernel did with one probe and with the legs that the proxy opened for it. */
export type ProbeResult = {readonly legs: readonly ProbedLeg[]; readonly gaps: readonly Gap[]; readonly isLoop: boolean};

/** One side of a comparison: its rules as they were loaded, and a result for each representative, in their order. */
export type Side = {readonly ruleSet: MeshRules; readonly probeResults: readonly ProbeResult[]};

/** How severe a move is: traffic now bypasses the sidecar; is lost; loops; reaches another listener; takes the same path by other rules. */
export const severities = ['bypass', 'lost', 'loop', 'elsewhere', 'path'] as const;

/** One of them. */
export type Severity = typeof severities[number];

/** Packets of one origin that moved in the same way. */
export type Statement = {
	readonly severity: Severity;
	readonly families: readonly AddressFamily[];
	/** In words, one phrase for each set of packets: `TCP from any user but 1337, port 15008`. */
	readonly traffic: readonly string[];
	/** Where each leg arrived: `proxy:15001`, `direct`, `dropped` … */
	readonly from: readonly string[];
	readonly to: readonly string[];
	readonly cause: Cause;
	readonly classes: number;
	/** The probe that shows it. */
	readonly example: Representative;
	/** What the kernel did with it, for drawings and explanations; not part of any document. `from` is absent if the other side is a record. */
	readonly shown?: ShownMove;
};

/** One probe through one rule set. */
export type ShownProbe = {readonly ruleSet: MeshRules; readonly probeResult: Pick<ProbeResult, 'gaps' | 'isLoop'> & {readonly legs: readonly Leg[]}};

/** See {@link Statement.shown}. */
export type ShownMove = {readonly from?: ShownProbe; readonly to: ShownProbe};

/** What is compared for one probe: see {@link arrivalsOf}, and the rules by role. */
export type PathSummary = {readonly arrivals: readonly string[]; readonly roles: ReadonlyArray<readonly string[]>};

/** Where each leg arrived: `direct` is where it was sent, otherwise the listener or the port that a rule led it to instead, or what happened to it. `closed` at the end: the listener closed it. */
export function arrivalsOf({legs, isLoop}: ProbeResult): readonly string[] {
	const last = legs.at(-1);
	return [...legs.map(leg => arrivalOf(leg)), ...(last === undefined || closingOf(last) === undefined ? [] : [closedThere]), ...(isLoop ? ['loop'] : [])];
}

/** Appended after the listener that closed the connection. */
export const closedThere = 'closed';

/** What happens to a connection that does arrive. */
const nobodyListens = 'where nobody listens';
const answerLost = 'whose answer does not come back';

function arrivalOf({end, to, deliveredTo, isLedAway = false}: ProbedLeg): string {
	if (end.kind === 'dropped' || end.kind === 'unreachable' || end.kind === 'lost' || end.kind === 'answer-dropped') {
		return end.kind;
	}

	if (end.kind === 'nowhere') {
		return printLegEnd(end);
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

/** The rules that decided on a leg, by role; a rule without a role by its text. */
export function rolesOnPath(leg: Leg, ruleSet: MeshRules): readonly string[] {
	return decidingHitsOf(leg, ruleSet).map(({hit, role}) => role ?? `${hit.chain} ${hit.text ?? `handle ${hit.handle ?? '?'}`}`);
}

/** The path of a probe result; of a loop, its first round. */
export function summarizePath(probeResult: ProbeResult, ruleSet: MeshRules): PathSummary {
	return onceAround({arrivals: arrivalsOf(probeResult), roles: probeResult.legs.map(leg => rolesOnPath(leg, ruleSet))});
}

/** How severe it is that packets arrive elsewhere now. */
export function severityOf(from: readonly string[], to: readonly string[]): Severity {
	if (isSame(from, to)) {
		return 'path';
	}

	if (from[0] !== 'direct' && !isLost(from) && to[0] === 'direct') {
		return 'bypass';
	}

	if (!isLost(from) && !from.includes(closedThere) && (isLost(to) || to.includes(closedThere))) {
		return 'lost';
	}

	return to.includes('loop') && !from.includes('loop') ? 'loop' : 'elsewhere';
}

const lostArrivals: ReadonlySet<string> = new Set(['dropped', 'unreachable', 'unknown', 'lost', 'answer-dropped', 'nowhere']);

function isLost(arrivals: readonly string[]): boolean {
	return arrivals.some(arrival => lostArrivals.has(arrival.split(' ')[0]!) || arrival.endsWith(nobodyListens) || arrival.endsWith(answerLost));
}

/** Whether two lists of words are the same. */
export function isSame(one: readonly string[], other: readonly string[]): boolean {
	return one.length === other.length && one.every((each, index) => each === other[index]);
}

/** Whether two paths are the same, rule by rule. */
export function isSamePath(one: PathSummary, other: PathSummary): boolean {
	return isSame(one.arrivals, other.arrivals) && one.roles.length === other.roles.length && one.roles.every((roles, index) => isSame(roles, other.roles[index]!));
}

/** One representative that took a different path. */
export type Move = Pick<Statement, 'severity' | 'cause' | 'example' | 'shown'> & {readonly from: PathSummary; readonly to: PathSummary; readonly packetClass: PacketClass};

/** The path of one side's probe, by its place. */
export function pathIn({probeResults, ruleSet}: Side, place: number): PathSummary {
	return summarizePath(probeResults[place]!, ruleSet);
}

/** The classes of one family that moved. An inconclusive result on either side shows nothing: its gap is reported instead. `pathOf` is {@link pathIn}, or remembers what that returned. */
export function * movesIn({classSet, representatives, sides: {from, to}, diff, pathOf}: {
	readonly classSet: ClassSet; readonly representatives: readonly Representative[]; readonly sides: {readonly from: Side; readonly to: Side}; readonly diff: RuleSetDiff;
	readonly pathOf: (side: Side, place: number) => PathSummary;
}): Steps<readonly Move[]> {
	const moves: Move[] = [];
	const findCause = causeFinder(diff);
	for (const [place, example] of representatives.entries()) {
		if (place % turn === turn - 1) {
			yield;
		}

		const [one, other] = [from.probeResults[place]!, to.probeResults[place]!];
		if (one.gaps.length > 0 || other.gaps.length > 0) {
			continue;
		}

		const pathSummaries = {from: pathOf(from, place), to: pathOf(to, place)};
		if (!isSamePath(pathSummaries.from, pathSummaries.to)) {
			moves.push({
				severity: severityOf(pathSummaries.from.arrivals, pathSummaries.to.arrivals),
				...pathSummaries,
				cause: findCause({
					from: {legs: one.legs, ruleSet: from.ruleSet}, to: {legs: other.legs, ruleSet: to.ruleSet}, family: example.family,
				}),
				example,
				packetClass: classSet.classes[example.index]!,
				shown: {from: {ruleSet: from.ruleSet, probeResult: one}, to: {ruleSet: to.ruleSet, probeResult: other}},
			});
		}
	}

	return withoutImplied(moves);
}

/** How many probe results are processed between two pauses. */
const turn = 100;

/** The moves of all families in as few statements as possible, the most severe first. */
export function stateMoves(families: ReadonlyArray<{readonly classSet: ClassSet; readonly moves: readonly Move[]}>): readonly Statement[] {
	const groups = new Map<string, {readonly moves: Move[]; readonly classSet: ClassSet}>();
	for (const {classSet, moves} of families) {
		for (const move of moves) {
			const key = JSON.stringify([move.example.family, move.packetClass.origin, move.packetClass.device, move.severity, move.from.arrivals, move.to.arrivals, move.cause]);
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
	// Usual values read better than those at an edge or with a fixed source port.
	const inner = moves.filter(({example}) => example.kind === 'inner');
	const shown = inner.find(({example}) => example.sourcePort === undefined) ?? inner[0] ?? moves[0]!;
	const {severity, from, to, cause, example, shown: shownMove} = shown;
	return {
		severity,
		families: [example.family],
		traffic: describeClasses(classes, classSet),
		from: from.arrivals,
		to: to.arrivals,
		cause,
		classes: classes.length,
		example,
		...(shownMove === undefined ? {} : {shown: shownMove}),
	};
}

/** Classes of one origin, and of sockets that are bound alike, in words. */
export function describeClasses(classes: readonly PacketClass[], classSet: ClassSet): readonly string[] {
	const [first] = classes;
	if (first === undefined) {
		return [];
	}

	return mergePacketSets(classes.map(packetClass => withOpenSource(packetClass, classSet))).map(packetSet => describePacketSet(classSet, first, packetSet));
}

/** Packets from the pod's own address because they leave the pod, and packets from any of its addresses because they stay in it, do not need their source mentioned. */
function withOpenSource({packetSet, isLocal, origin, device}: PacketClass, {domains}: ClassSet): PacketSet {
	const [same, other] = [isLocal, !isLocal].map(local => domains.get(domainKey({origin, isLocal: local, ...(device === undefined ? {} : {device})}))?.source ?? 0n) as [bigint, bigint];
	return packetSet.source === same ? {...packetSet, source: same | other} : packetSet;
}
