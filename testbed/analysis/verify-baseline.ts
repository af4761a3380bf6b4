/**
A rule set against a baseline, on the kernel: the classes of both rule sets together, and the connections that are recorded.
*/

import type {Baseline} from '../../src/baseline/baseline.js';
import {unrecordedCases, verifyCases} from '../../src/baseline/verify-cases.js';
import {languageOf} from '../../src/netfilter/backends.js';
import {verifyClasses} from '../../src/baseline/verify.js';
import type {VerificationReport} from '../../src/report/verification/types.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import {loadEnvironment} from '../system/environment.js';
import type {RuleInput} from '../inputs/types.js';
import {checksumOf} from '../inputs/checksum.js';
import {rulesWithMesh} from '../inputs/meshes.js';
import {probeClasses, type ClassRunOptions} from './probe-classes.js';
import {runCases} from './record-baseline.js';

/** What decides a verification. The families are the baseline's. */
export type VerifyOptions = Omit<ClassRunOptions, 'inputs' | 'alongside' | 'families'> & {
	readonly file: string;
	readonly baseline: Baseline;
	readonly rules: RuleInput;
	readonly areRolesCompared: boolean;
};

/**
Verifies; nothing is written.

@throws {TestbedError} as {@link probeClasses} and a run; INPUT for a scenario of the baseline that is no more.
*/
export async function verifyBaseline({file, baseline, rules, areRolesCompared, ...options}: VerifyOptions): Promise<VerificationReport> {
	const startedAt = performance.now();
	const {rules: {families, markRules, ruleSet, source, release, backend, sha256}, classes, cases} = baseline;
	const probed = await probeClasses({
		...options, families, inputs: [rules], alongside: family => [{ruleSet, localMarks: markRules.filter(rule => rule.family === family).map(({mark, mask = 0xFF_FF_FF_FF}) => ({mark, mask}))}],
	});
	const scenarios = [...new Set(cases.map(({of}) => of))].filter(of => of !== 'types');
	const [observed, environment] = await Promise.all([
		cases.length === 0
			? []
			: runCases({
				...options, families, rules, scenarios,
			}),
		loadEnvironment(rules.backend),
	]);
	options.onProgress('comparing');
	const verified = verifyClasses(probed.map(({classSet, representatives, sides}) => ({classSet, representatives, side: sides[0]!})), {
		recorded: {ruleSet: rulesWithMesh(baseline.rules), classes}, areRolesCompared, isOneLanguage: languageOf(backend) === languageOf(rules.backend), topology: defaultTopology,
	});
	const checked = verifyCases({recorded: cases, observed, areRolesCompared});
	const unrecorded = cases.length === 0 ? [] : unrecordedCases({recorded: cases, observed});
	return {
		baseline: {
			file, environment: baseline.environment, rules: {
				source, release, backend, sha256, notes: [],
			},
		},
		environment,
		rules: {
			source: rules.source, release: rules.release, backend: rules.backend, sha256: checksumOf({backend: rules.backend, families, ruleSet: probed[0]!.sides[0]!.ruleSet}), notes: rules.notes,
		},
		areRolesCompared,
		...verified,
		cases: checked,
		gaps: [...verified.gaps, ...checked.flatMap(each => each.outcome === 'inconclusive' ? each.gaps : [])],
		hints: [...rules.warnings, ...(unrecorded.length === 0 ? [] : [`Not in the baseline, so not compared: ${unrecorded.join('; ')}.`])],
		durationMs: Math.round(performance.now() - startedAt),
	};
}
