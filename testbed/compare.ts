/**
Two rule inputs compared on the kernel: all classes of packets of both, through both.
*/

import {judgeComparison} from '../src/classes/comparison.js';
import type {ComparisonReport} from '../src/report/comparison-types.js';
import type {RulesSummary} from '../src/report/types.js';
import {flyClasses, type ClassRunOptions} from './class-run.js';
import {usualCredentials} from './commands/probe.js';
import {loadEnvironment} from './environment.js';
import type {RuleInput} from './options.js';
import {checksumOf} from './judging.js';

/** What decides a comparison. */
export type CompareOptions = Omit<ClassRunOptions, 'inputs'> & {
	readonly from: RuleInput; readonly to: RuleInput; readonly arePathsCompared: boolean;
	/** What each side was read with beside its source, as arguments of `testbed probe`. */
	readonly readWith?: {readonly from: readonly string[]; readonly to: readonly string[]};
};

/**
Compares two inputs.

@throws {TestbedError} as {@link flyClasses}.
*/
export async function compareInputs({from, to, arePathsCompared, readWith = {from: [], to: []}, ...options}: CompareOptions): Promise<ComparisonReport> {
	const startedAt = performance.now();
	const {families} = options;
	const [flown, environment] = await Promise.all([flyClasses({...options, inputs: [from, to]}), loadEnvironment(to.backend)]);
	options.onStage('comparing');
	const comparison = judgeComparison(flown.map(({sides: [one, other], ...rest}) => ({...rest, sides: {from: one!, to: other!}})), {arePathsCompared});
	const summaryOf = (input: RuleInput, place: number): RulesSummary => ({
		source: input.source, release: input.release, backend: input.backend, sha256: checksumOf({backend: input.backend, families, ruleSet: flown[0]!.sides[place]!.ruleSet}),
	});
	return {
		...comparison,
		environment,
		from: summaryOf(from, 0),
		to: summaryOf(to, 1),
		arePathsCompared,
		replayWith: {from: [...readWith.from, ...proxyArguments(options, from)], to: [...readWith.to, ...proxyArguments(options, to)]},
		hints: [...new Set([...from.warnings, ...to.warnings])],
		durationMs: Math.round(performance.now() - startedAt),
	};
}

/** Who the proxy is, where a probe through these rules alone would take another: it is the same on both sides. */
function proxyArguments({credentials: {proxy}}: Pick<CompareOptions, 'credentials'>, {intent, proxy: known}: RuleInput): readonly string[] {
	const usual = usualCredentials({}, intent, known).proxy;
	return usual.uid === proxy.uid && usual.gid === proxy.gid ? [] : ['--proxy-uid', String(proxy.uid), '--proxy-gid', String(proxy.gid)];
}
