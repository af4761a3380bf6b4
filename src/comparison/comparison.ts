/**
Compares two rule sets by what the kernel did with every packet class: what moved, and how much was compared.
*/

import type {AddressFamily} from '../netfilter/types.js';
import {diffRuleSets} from '../judge/rule-diff/rule-diff.js';
import type {Gap} from '../trace/gap.js';
import type {ClassSet} from '../packet-classes/classify.js';
import type {FieldName} from '../packet-classes/fields.js';
import type {Representative} from '../packet-classes/representatives.js';
import {fieldsLookedAt} from '../packet-classes/describe.js';
import {finish, type Steps} from '../packet-classes/steps.js';
import {
	movesIn, pathIn, stateMoves, type Move, type Side, type Statement,
} from './moves.js';
import type {SideMemo} from './side-memo.js';
import {gapsOfClasses, readingGapsInSteps} from './gaps.js';

/** How much was compared in one family. */
export type ComparedFamily = {
	readonly family: AddressFamily;
	readonly classes: number;
	readonly probes: number;
	/** Fields that some rule of either set tests. */
	readonly fields: readonly FieldName[];
	readonly leftOut: ReadonlyArray<{readonly kind: string; readonly because: string; readonly classes: number}>;
};

/** `equal`: every class took the same path on both sides. `inconclusive`: none moved, but the evidence has gaps. */
export type ComparisonOutcome = 'equal' | 'moved' | 'inconclusive';

/** The result. Statements of severity `path` are about other rules with equal stops; alone, they do not count as moves. */
export type Comparison = {
	readonly outcome: ComparisonOutcome;
	readonly families: readonly ComparedFamily[];
	readonly statements: readonly Statement[];
	readonly gaps: readonly Gap[];
};

/** What was sent in one family: the probes, and their results on each side. */
export type ProbedFamily = {
	readonly classSet: ClassSet;
	readonly representatives: readonly Representative[];
	readonly sides: {readonly from: Side; readonly to: Side};
	/** Which of the classes' rule sets the sides are; by default 0 and 1. */
	readonly places?: {readonly from: number; readonly to: number};
};

/** Judges probe results. `arePathsCompared`: a different path to the same stops is a move. */
export function judgeComparison(probed: readonly ProbedFamily[], options: {readonly arePathsCompared: boolean}): Comparison {
	return finish(judgeInSteps(probed, options));
}

type JudgedFamily = {readonly classSet: ClassSet; readonly moves: readonly Move[]; readonly family: ComparedFamily};

/** The same as a computation that can pause. `memo`: of the series to which the comparison belongs. */
export function * judgeInSteps(probed: readonly ProbedFamily[], {arePathsCompared, memo}: {readonly arePathsCompared: boolean; readonly memo?: SideMemo}): Steps<Comparison> {
	const gaps = new Map<string, Gap>();
	const judged: JudgedFamily[] = [];
	for (const {classSet, representatives, sides, places = {from: 0, to: 1}} of probed) {
		const {family} = classSet.fields;
		const found: Gap[] = [
			...gapsOfClasses(classSet, [places.from, places.to]),
			...[...sides.from.probeResults, ...sides.to.probeResults].flatMap(probeResult => probeResult.gaps),
		];
		for (const side of ['from', 'to'] as const) {
			const reading = memo?.gapsOf(sides[side]) ?? (yield * readingGapsInSteps({
				classSet, representatives, probeResults: sides[side].probeResults, place: places[side],
			}));
			memo?.noteGaps(sides[side], reading);
			found.push(...reading);
		}

		for (const gap of found) {
			gaps.set(`${gap.kind} ${gap.message}`, gap);
		}

		const diff = diffRuleSets({from: sides.from.ruleSet, to: sides.to.ruleSet}, [family]);
		judged.push({
			classSet,
			moves: yield * movesIn({
				classSet, representatives, sides, diff, pathOf: memo === undefined ? pathIn : (side, place) => memo.pathOf(side, place),
			}),
			family: {
				family,
				classes: classSet.classes.length,
				probes: representatives.length,
				fields: fieldsLookedAt(classSet),
				leftOut: classSet.leftOut.map(left => ({kind: left.kind, because: left.because, classes: left.classes.length})),
			},
		});
	}

	yield;
	const statements = stateMoves(judged).filter(({severity}) => arePathsCompared || severity !== 'path');
	return {
		outcome: statements.length > 0 ? 'moved' : (gaps.size > 0 ? 'inconclusive' : 'equal'),
		families: judged.map(({family}) => family),
		statements,
		gaps: [...gaps.values()],
	};
}
