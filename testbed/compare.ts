/**
Two rule inputs compared on the kernel: all classes of packets of both, through both.
*/

import {judgeComparison} from '../src/classes/comparison.js';
import type {ComparisonReport} from '../src/report/comparison-types.js';
import type {RulesSummary} from '../src/report/types.js';
import {flyClasses, type ClassRunOptions} from './class-run.js';
import {loadEnvironment} from './environment.js';
import type {RuleInput} from './options.js';
import {checksumOf} from './judging.js';

/** What decides comparisons of neighbours. */
export type NeighbourOptions = ClassRunOptions & {readonly arePathsCompared: boolean};

/** What decides a comparison. */
export type CompareOptions = Omit<NeighbourOptions, 'inputs'> & {readonly from: RuleInput; readonly to: RuleInput};

/**
Compares two inputs.

@throws {TestbedError} as {@link flyClasses}.
*/
export async function compareInputs({from, to, ...options}: CompareOptions): Promise<ComparisonReport> {
	const [report] = await compareNeighbours({...options, inputs: [from, to]});
	return report!;
}

/**
Compares each input with the next. All are cut into classes together, and each is flown once.

@throws {TestbedError} as {@link flyClasses}.
*/
export async function compareNeighbours({arePathsCompared, ...options}: NeighbourOptions): Promise<readonly ComparisonReport[]> {
	const startedAt = performance.now();
	const {families, inputs} = options;
	const [flown, environment] = await Promise.all([flyClasses(options), loadEnvironment(inputs.at(-1)!.backend)]);
	options.onStage('comparing');
	const summaries = inputs.map(({source, release, backend}, place): RulesSummary => ({
		source, release, backend, sha256: checksumOf({backend, families, ruleSet: flown[0]!.sides[place]!.ruleSet}),
	}));
	const durationMs = Math.round((performance.now() - startedAt) / (inputs.length - 1));
	return inputs.slice(1).map((to, place) => ({
		...judgeComparison(flown.map(({sides, ...rest}) => ({...rest, sides: {from: sides[place]!, to: sides[place + 1]!}, places: {from: place, to: place + 1}})), {arePathsCompared}),
		environment,
		from: summaries[place]!,
		to: summaries[place + 1]!,
		arePathsCompared,
		hints: [...new Set([...inputs[place]!.warnings, ...to.warnings])],
		durationMs,
	}));
}
