/**
Two rule inputs compared on the kernel: all packet classes of both, through both.
*/

import {judgeComparison} from '../../src/comparison/comparison.js';
import type {ComparisonReport} from '../../src/report/comparison/types.js';
import type {RulesSummary} from '../../src/report/shared-types.js';
import {usualCredentials} from '../inputs/credentials.js';
import {loadEnvironment} from '../system/environment.js';
import type {RuleInput} from '../inputs/types.js';
import {checksumOf} from '../inputs/checksum.js';
import {probeClasses, type ClassRunOptions} from './probe-classes.js';

/** What decides comparisons of neighbours. */
export type ConsecutiveOptions = ClassRunOptions & {
	readonly arePathsCompared: boolean;
	/** What each input was read with beside its source, as arguments of `testbed probe`. */
	readonly readWith?: ReadonlyArray<readonly string[]>;
};

/** What decides a comparison. */
export type CompareOptions = Omit<ConsecutiveOptions, 'inputs'> & {readonly from: RuleInput; readonly to: RuleInput};

/**
Compares two inputs.

@throws {TestbedError} as {@link probeClasses}.
*/
export async function compareInputs({from, to, ...options}: CompareOptions): Promise<ComparisonReport> {
	const [report] = await compareConsecutive({...options, inputs: [from, to]});
	return report!;
}

/**
Compares each input with the next. All are divided into classes together, and each is probed once.

@throws {TestbedError} as {@link probeClasses}.
*/
export async function compareConsecutive({arePathsCompared, readWith = [], ...options}: ConsecutiveOptions): Promise<readonly ComparisonReport[]> {
	const startedAt = performance.now();
	const {families, inputs} = options;
	const [probed, environment] = await Promise.all([probeClasses(options), loadEnvironment(inputs.at(-1)!.backend)]);
	options.onProgress('comparing');
	const summaries = inputs.map(({source, release, backend, notes}, place): RulesSummary => ({
		source, release, backend, sha256: checksumOf({backend, families, ruleSet: probed[0]!.sides[place]!.ruleSet}), notes,
	}));
	const argumentsOf = (place: number): readonly string[] => [...readWith[place] ?? [], ...proxyArguments(options, inputs[place]!)];
	const durationMs = Math.round((performance.now() - startedAt) / (inputs.length - 1));
	return inputs.slice(1).map((to, place) => ({
		...judgeComparison(probed.map(({sides, ...rest}) => ({...rest, sides: {from: sides[place]!, to: sides[place + 1]!}, places: {from: place, to: place + 1}})), {arePathsCompared}),
		environment,
		from: summaries[place]!,
		to: summaries[place + 1]!,
		arePathsCompared,
		replayWith: {from: argumentsOf(place), to: argumentsOf(place + 1)},
		hints: [...new Set([...inputs[place]!.warnings, ...to.warnings])],
		durationMs,
	}));
}

/** Who the proxy is, where a probe through these rules alone would take another: it is the same on both sides. */
function proxyArguments({credentials: {proxy}}: Pick<CompareOptions, 'credentials'>, {intent, proxy: known}: RuleInput): readonly string[] {
	const usual = usualCredentials({}, intent, known).proxy;
	return usual.uid === proxy.uid && usual.gid === proxy.gid ? [] : ['--proxy-uid', String(proxy.uid), '--proxy-gid', String(proxy.gid)];
}
