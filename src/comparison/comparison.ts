/**
Two rule sets compared by what the kernel did with every packet class: what moved, and how much was compared.
*/

import type {AddressFamily} from '../netfilter/types.js';
import {diffRuleSets} from '../judge/rule-diff/rule-diff.js';
import type {Gap} from '../trace/gap.js';
import type {ClassSet} from '../packet-classes/classify.js';
import type {FieldName} from '../packet-classes/fields.js';
import type {Representative} from '../packet-classes/representatives.js';
import {fieldsLookedAt} from '../packet-classes/describe.js';
import {
	movesIn, stateMoves, type Side, type Statement,
} from './moves.js';
import {gapsOfClasses, gapsOfReading} from './gaps.js';

/** How much was compared in one family. */
export type ComparedFamily = {
	readonly family: AddressFamily;
	readonly classes: number;
	readonly probes: number;
	/** Fields that some rule of either set looks at. */
	readonly fields: readonly FieldName[];
	readonly leftOut: ReadonlyArray<{readonly kind: string; readonly because: string; readonly classes: number}>;
};

/** `equal`: every class went the same way on both sides. `inconclusive`: none moved, but not all is known. */
export type ComparisonOutcome = 'equal' | 'moved' | 'inconclusive';

/** The result. Statements of the severity `path` tell of other rules with equal stops; they alone move nothing. */
export type Comparison = {
	readonly outcome: ComparisonOutcome;
	readonly families: readonly ComparedFamily[];
	readonly statements: readonly Statement[];
	readonly gaps: readonly Gap[];
};

/** What was flown in one family: the probes, and what came of them on each side. */
export type ProbedFamily = {
	readonly classSet: ClassSet;
	readonly representatives: readonly Representative[];
	readonly sides: {readonly from: Side; readonly to: Side};
	/** Which of the classes' rule sets the sides are; 0 and 1 unless told. */
	readonly places?: {readonly from: number; readonly to: number};
};

/** Judges flights. `arePathsCompared`: another way to the same stops is a move. */
export function judgeComparison(probed: readonly ProbedFamily[], {arePathsCompared}: {readonly arePathsCompared: boolean}): Comparison {
	const gaps = new Map<string, Gap>();
	const judged = probed.map(({classSet, representatives, sides, places = {from: 0, to: 1}}) => {
		const {family} = classSet.fields;
		for (const gap of [
			...gapsOfClasses(classSet, [places.from, places.to]),
			...[...sides.from.probeResults, ...sides.to.probeResults].flatMap(probeResult => probeResult.gaps),
			...(['from', 'to'] as const).flatMap(side => gapsOfReading({
				classSet, representatives, probeResults: sides[side].probeResults, place: places[side],
			})),
		]) {
			gaps.set(`${gap.kind} ${gap.message}`, gap);
		}

		const diff = diffRuleSets({from: sides.from.ruleSet, to: sides.to.ruleSet}, [family]);
		return {
			classSet,
			moves: movesIn({
				classSet, representatives, sides, diff,
			}),
			family: {
				family,
				classes: classSet.classes.length,
				probes: representatives.length,
				fields: fieldsLookedAt(classSet),
				leftOut: classSet.leftOut.map(left => ({kind: left.kind, because: left.because, classes: left.classes.length})),
			},
		};
	});
	const statements = stateMoves(judged).filter(({severity}) => arePathsCompared || severity !== 'path');
	return {
		outcome: statements.length > 0 ? 'moved' : (gaps.size > 0 ? 'inconclusive' : 'equal'),
		families: judged.map(({family}) => family),
		statements,
		gaps: [...gaps.values()],
	};
}
