/**
The result for each mutant: whether any traffic distinguishes it from the original, which cases did, and how good that makes the cases.
*/

import {exitStatus, type ExitStatus} from '../judge/exit-status.js';
import type {AddressFamily} from '../netfilter/types.js';
import type {Gap} from '../trace/gap.js';
import {judgeComparison, type ProbedFamily} from '../comparison/comparison.js';
import type {Statement} from '../comparison/moves.js';
import type {Representative} from '../packet-classes/representatives.js';
import type {Mutant} from './mutants.js';

/** How a mutant differs from the original according to the complete comparison. */
export type MutantStatus =
	/** The tools or the kernel reject it, so nobody can run with that fault. */
	| {readonly kind: 'rejected'; readonly reason: string}
	/** Every packet that can occur in the topology takes the same path by the same rules. */
	| {readonly kind: 'equivalent'; readonly classes: number; readonly probes: number}
	/** `isByStops`: some traffic arrives elsewhere; otherwise it arrives at the same stops by rules of other roles. The most severe statement first. */
	| {readonly kind: 'differs'; readonly isByStops: boolean; readonly statements: readonly Statement[]}
	| {readonly kind: 'inconclusive'; readonly gaps: readonly Gap[]};

/** Whether cases distinguished a mutant from the original. `by` names those that failed. */
export type Detection =
	| {readonly kind: 'killed'; readonly by: readonly string[]}
	| {readonly kind: 'survived'}
	| {readonly kind: 'inconclusive'; readonly reasons: readonly string[]};

/** Cases that were run, by name: `types`, `scenarios`, a user's file. */
export type Detections = ReadonlyMap<string, Detection>;

/** What a report says of a mutant. */
export type ReportedMutant = Omit<Mutant, 'ruleSet' | 'rule' | 'table' | 'chain'> & {readonly rule: Pick<Mutant['rule'], 'text'>};

/** One mutant with its results. `durationMs`: its share of the comparisons, and of the cases if they were run with it. */
export type MutantResult = {readonly mutant: ReportedMutant; readonly mutantStatus: MutantStatus; readonly detections: Detections; readonly durationMs?: number};

/** How many mutants the cases distinguished from the original. `of` are all except those that are equivalent, rejected, or not known to differ. */
export type Score = {readonly cases: string; readonly killed: number; readonly of: number; readonly inconclusive: number};

/** Judges the probe results of the original and of a mutant. A difference that only incomplete results show does not count. */
export function mutantStatusOf(probed: readonly ProbedFamily[]): MutantStatus {
	const {statements, gaps, families} = judgeComparison(probed, {arePathsCompared: true});
	const sure = statements.filter(({example}) => probed.some(family => isSure(family, example)));
	if (sure.length > 0) {
		return {kind: 'differs', isByStops: sure.some(({severity}) => severity !== 'path'), statements: sure};
	}

	const classes = families.reduce((sum, family) => sum + family.classes, 0);
	const doubts = [...gaps, ...(statements.length > 0 ? [shownByDoubtful] : []), ...(isObserved(probed) ? [] : [nothingObserved])];
	return doubts.length > 0 ? {kind: 'inconclusive', gaps: doubts} : {kind: 'equivalent', classes, probes: families.reduce((sum, family) => sum + family.probes, 0)};
}

const shownByDoubtful: Gap = {kind: 'no-end', message: 'Only probes whose path is not completely known show a difference.'};
const nothingObserved: Gap = {kind: 'not-sent', message: 'No packet was seen on its path through the rules, so there is nothing to compare.'};

/** Whether anything was seen at all, on both sides of each family. */
function isObserved(probed: readonly ProbedFamily[]): boolean {
	return probed.length > 0 && probed.every(({sides}) => [sides.from, sides.to].every(({probeResults}) => probeResults.some(({legs}) => legs.length > 0)));
}

function isSure({representatives, sides}: ProbedFamily, example: Representative): boolean {
	const place = representatives.indexOf(example);
	return place !== -1 && [sides.from, sides.to].every(({probeResults}) => probeResults[place]!.gaps.length === 0 && probeResults[place]!.legs.length > 0);
}

/** The name of the cases that are all representative probes. */
export const completeCases = 'complete';

/** Whether some cases distinguished a mutant from the original. For the complete probes, `isByStops` says whether a different path to the same stops counts. */
export function detectionBy(cases: string, {mutantStatus, detections}: Pick<MutantResult, 'mutantStatus' | 'detections'>, {isByStops = false}: {readonly isByStops?: boolean} = {}): Detection {
	if (cases !== completeCases) {
		return detections.get(cases) ?? {kind: 'inconclusive', reasons: [`${cases} were not run with it.`]};
	}

	if (mutantStatus.kind === 'inconclusive') {
		return {kind: 'inconclusive', reasons: mutantStatus.gaps.map(({message}) => message)};
	}

	return mutantStatus.kind === 'differs' && (mutantStatus.isByStops || !isByStops) ? {kind: 'killed', by: mutantStatus.statements.flatMap(({traffic}) => traffic.slice(0, 1))} : {kind: 'survived'};
}

/** The score of some cases. */
export function scoreOf(cases: string, results: readonly MutantResult[], options?: {readonly isByStops?: boolean}): Score {
	const counted = results.filter(({mutantStatus}) => mutantStatus.kind === 'differs');
	const kinds = counted.map(result => detectionBy(cases, result, options).kind);
	return {
		cases, killed: kinds.filter(kind => kind === 'killed').length, of: counted.length, inconclusive: kinds.filter(kind => kind === 'inconclusive').length,
	};
}

/** The status of a mutant by all chosen cases together. `left-out`: it is equivalent or rejected, so that no case can be run on it. */
export type Standing = 'killed' | 'survived' | 'inconclusive' | 'left-out';

/** A mutant that any of the cases killed is killed. */
export function standingOf(result: MutantResult, cases: readonly string[]): Standing {
	const {mutantStatus} = result;
	if (mutantStatus.kind === 'equivalent' || mutantStatus.kind === 'rejected') {
		return 'left-out';
	}

	const kinds = cases.map(name => detectionBy(name, result).kind);
	if (kinds.includes('killed')) {
		return 'killed';
	}

	return mutantStatus.kind === 'inconclusive' || kinds.includes('inconclusive') || kinds.length === 0 ? 'inconclusive' : 'survived';
}

/** The exit status: 0 if every mutant that differs is killed, 1 if one survived, 3 if that is not known, or if there was none. */
export function exitStatusOfMutants(results: readonly MutantResult[], cases: readonly string[]): ExitStatus {
	const standings = results.map(result => standingOf(result, cases));
	const count = (standing: Standing): number => standings.filter(one => one === standing).length;
	return exitStatus({passed: count('killed'), failed: count('survived'), inconclusive: count('inconclusive')});
}

/** The families whose packets meet a mutant's rule. */
export function familiesOfMutant({family}: Pick<Mutant, 'family'>, asked: readonly AddressFamily[]): readonly AddressFamily[] {
	return family === 'inet' ? asked : asked.filter(wanted => (wanted === 'ipv4') === (family === 'ip'));
}
