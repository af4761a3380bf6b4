/**
Compares two rule inputs on the kernel: all packet classes of both, sent through both.
*/

import {judgeInSteps, type Comparison} from '../../src/comparison/comparison.js';
import {driftOf} from '../../src/comparison/drift.js';
import {SideMemo} from '../../src/comparison/side-memo.js';
import type {ComparisonReport} from '../../src/report/comparison/types.js';
import {usualCredentials} from '../inputs/credentials.js';
import {loadEnvironment} from '../confinement/environment.js';
import type {RuleInput} from '../inputs/types.js';
import {summaryOfRules} from '../inputs/summary.js';
import {inTurns} from '../system/turns.js';
import {probeClasses, type ClassRunOptions} from './probe-classes.js';

/** Options of comparisons of consecutive inputs. */
export type ConsecutiveOptions = ClassRunOptions & {
	readonly arePathsCompared: boolean;
	/** What else each input was read with, as arguments of `testbed probe`. */
	readonly readWith?: ReadonlyArray<readonly string[]>;
	/** The pairs to compare, each by the place of its first input; all by default. */
	readonly pairs?: readonly number[] | undefined;
};

/** Options of a comparison. */
export type CompareOptions = Omit<ConsecutiveOptions, 'inputs' | 'pairs'> & {readonly from: RuleInput; readonly to: RuleInput};

/**
Compares two inputs.

@throws {TestbedError} as {@link probeClasses}.
*/
export async function compareInputs({from, to, ...options}: CompareOptions): Promise<ComparisonReport> {
	const [report] = await compareConsecutive({...options, inputs: [from, to]});
	return report!;
}

/**
Compares each input with the next, or those that `pairs` names. All inputs are divided into classes together, and each that is in a pair is probed once; several with the same rules are probed once together.

@throws {TestbedError} as {@link probeClasses}.
*/
export async function compareConsecutive({arePathsCompared, readWith = [], ...options}: ConsecutiveOptions): Promise<readonly ComparisonReport[]> {
	const startedAt = performance.now();
	const {families, inputs, pairs = [...inputs.slice(1).keys()]} = options;
	const needed = new Set(pairs.flatMap(place => [place, place + 1]));
	const [probed, environment] = await Promise.all([probeClasses({...options, needed, hasBound: true}), loadEnvironment(inputs.at(-1)!.backend)]);
	options.onProgress('comparing');
	const summaries = new Map([...needed].map(place => [place, summaryOfRules(inputs[place]!, {families, ruleSet: probed[0]!.sides[place]!.ruleSet})]));
	const argumentsOf = (place: number): readonly string[] => [...readWith[place] ?? [], ...proxyArguments(options, inputs[place]!)];
	const comparisons: Comparison[] = [];
	const memo = pairs.length > 1 ? new SideMemo() : undefined;
	for (const place of pairs) {
		const pair = probed.map(({sides, ...rest}) => ({...rest, sides: {from: sides[place]!, to: sides[place + 1]!}, places: {from: place, to: place + 1}}));
		comparisons.push(await inTurns(judgeInSteps(pair, {arePathsCompared, ...(memo === undefined ? {} : {memo})}), options.signal)); // eslint-disable-line no-await-in-loop -- All on one thread.
	}

	return pairs.map((place, position) => ({
		...comparisons[position]!,
		environment,
		from: summaries.get(place)!,
		to: summaries.get(place + 1)!,
		arePathsCompared,
		replayWith: {from: argumentsOf(place), to: argumentsOf(place + 1)},
		hints: [...new Set([...inputs[place]!.warnings, ...inputs[place + 1]!.warnings])],
		...driftIn(comparisons[position]!, {from: inputs[place]!, to: inputs[place + 1]!, summary: summaries.get(place + 1)!}),
		durationMs: Math.round((performance.now() - startedAt) / pairs.length),
	}));
}

/** What a live pod does differently, if the second input is one. */
function driftIn(comparison: Comparison, {from, to, summary}: {readonly from: RuleInput; readonly to: RuleInput; readonly summary: ComparisonReport['to']}): Pick<ComparisonReport, 'drift'> {
	const {live, ruleSet, backend} = to;
	return live === undefined
		? {}
		: {
			drift: driftOf(comparison, {
				expected: from,
				live: {
					place: live.place, ruleSet, identity: summary.identity, backend, filled: live.filled, proxyFault: live.proxyFault,
				},
			}),
		};
}

/** The options that set the proxy's user, if a probe through these rules alone would default to another one. Both sides of a comparison have the same proxy. */
function proxyArguments({credentials: {proxy}}: Pick<CompareOptions, 'credentials'>, known: RuleInput): readonly string[] {
	const usual = usualCredentials({}, known.intent, known).proxy;
	return usual.uid === proxy.uid && usual.gid === proxy.gid ? [] : ['--proxy-uid', String(proxy.uid), '--proxy-gid', String(proxy.gid)];
}
