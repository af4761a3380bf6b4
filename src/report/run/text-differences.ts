/**
The differences for a terminal: the step expected, the step observed, the rule that decided, and why.
*/

import type {Difference, LegClaim} from '../../judge/outcome.js';
import {hang, piecesOfRule} from '../terminal/wrap.js';
import {describeCause, nameOfHit, realLoop} from './describe-differences.js';
import type {Style} from './text-path.js';

const indent = 4;
const legColumn = 7;
const wordColumn = 10;

/** All differences of a type, one block each. */
export function printDifferences(differences: readonly Difference[], style: Style): readonly string[] {
	return differences.flatMap(difference => printDifference(difference, style));
}

function printDifference(difference: Difference, style: Style): readonly string[] {
	const {paint, width} = style;
	const label = `leg ${difference.leg + 1}`;
	if (!('rule' in difference)) {
		return hang({
			indent, label, column: legColumn, text: printWholeLeg(difference), width, paintLabel: paint.red,
		});
	}

	const rows: ReadonlyArray<readonly [string, string | readonly string[]]> = [
		['expected', [...(difference.unclaimed === true ? [] : [`${expectedRule(difference)},`]), arrival(difference.expected)]],
		['observed', [`${observedRule(difference)},`, arrival(difference.observed)]],
		...(difference.rule?.text === undefined ? [] : [['', piecesOfRule(difference.rule.text)] as const]),
		...difference.causes.map((cause, index) => [index === 0 ? 'because' : 'and', describeCause(cause)] as const),
	];
	return [
		...(difference.kind === 'loop'
			? hang({
				indent, label: 'loop', column: legColumn, text: `The flow reached ${difference.stop} ${difference.times} times and was cut off. ${realLoop}`, width, paintLabel: paint.red,
			})
			: []),
		...rows.flatMap(([word, text], index) => {
			const lines = hang({
				indent: indent + legColumn, label: word, column: wordColumn, text, width, paintLabel: paint.dim,
			});
			return index === 0 ? lines.map((line, at) => at === 0 ? `${' '.repeat(indent)}${paint.red(label.padEnd(legColumn))}${line.slice(indent + legColumn)}` : line) : lines;
		}),
	];
}

/** A difference of a whole leg. */
function printWholeLeg(difference: Exclude<Difference, Deviating>): string {
	switch (difference.kind) {
		case 'missing-leg': {
			return `did not happen; expected: ${arrival(difference.expected)}`;
		}

		case 'surplus-leg': {
			return `was not expected; observed: ${arrival(difference.observed)}`;
		}

		case 'closing': {
			return `${difference.closed === null ? 'should have been closed by its listener but was not' : 'was closed by its listener but should not have been'}; observed: ${arrival(difference.observed)}`;
		}

		case 'no-loop': {
			return `ended the flow, which should loop; observed: ${arrival(difference.observed)}`;
		}

		case 'trait': {
			return `has a different ${difference.trait}; expected: ${difference.expectedTrait}; observed: ${difference.observedTrait}`;
		}

		case 'step': {
			return `took a different step; expected: ${difference.expectedStep ?? 'no further one'}; observed: ${difference.observedStep ?? 'no further one'}`;
		}

		case 'actor': {
			return `was opened by a different actor; expected: ${arrival(difference.expected)}; observed: ${arrival(difference.observed)}`;
		}
	}
}

type Deviating = Extract<Difference, {readonly kind: 'loop' | 'stop' | 'rule'}>;

function expectedRule({expectedRole}: Deviating): string {
	return expectedRole ?? 'no further rule';
}

function observedRule({rule, observedRole}: Deviating): string {
	return rule === null ? 'no further rule matched' : `${nameOfHit(rule)} (${observedRole ?? 'no known role'})`;
}

function arrival({actor, stop}: LegClaim): string {
	return `${actor} → ${stop}`;
}
