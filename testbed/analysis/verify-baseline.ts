/**
Checks a rule set against a baseline on the kernel: the common packet classes of both rule sets, and the recorded connections.
*/

import type {Baseline} from '../../src/baseline/baseline.js';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import {unrecordedCases, verifyCases} from '../../src/baseline/verify-cases.js';
import {languageOf} from '../../src/netfilter/backends.js';
import {verifyInSteps} from '../../src/baseline/verify.js';
import type {VerificationReport} from '../../src/report/verification/types.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import {loadEnvironment} from '../confinement/environment.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {Program} from '../../src/packet-classes/symbolic-walk.js';
import type {RuleInput} from '../inputs/types.js';
import {summaryOfRules} from '../inputs/summary.js';
import {identityOf, meshOf} from '../inputs/mesh-of-rules.js';
import {inTurns} from '../system/turns.js';
import {probeClasses, type ClassRunOptions} from './probe-classes.js';
import {runCases} from './record-baseline.js';

/** Options of a check. The families are the baseline's. */
export type VerifyOptions = Omit<ClassRunOptions, 'inputs' | 'alongside' | 'families'> & {
	readonly file: string;
	readonly baseline: Baseline;
	readonly rules: RuleInput;
	readonly areRolesCompared: boolean;
};

/** The recorded rules as a program for the symbolic walk. */
export function recordedProgram({rules: {ruleSet, markRules}}: Baseline, family: AddressFamily): Program {
	return {ruleSet, localMarks: markRules.filter(rule => rule.family === family).map(({mark, mask = 0xFF_FF_FF_FF}) => ({mark, mask}))};
}

/**
Checks a rule set; writes nothing.

@throws {TestbedError} as {@link probeClasses} and a run; INPUT for a scenario of the baseline that no longer exists.
*/
export async function verifyBaseline({file, baseline, rules, areRolesCompared, ...options}: VerifyOptions): Promise<VerificationReport> {
	const startedAt = performance.now();
	const {rules: {families, source, release, backend, sha256}, classes, cases} = baseline;
	const probed = await probeClasses({
		...options, families, inputs: [rules], alongside: family => [recordedProgram(baseline, family)],
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
	const mesh = meshOf(baseline.rules);
	const verified = await inTurns(verifyInSteps(probed.map(({classSet, representatives, sides}) => ({classSet, representatives, side: sides[0]!})), {
		recorded: {ruleSet: rulesOfMesh(baseline.rules.ruleSet, mesh), classes}, areRolesCompared, isOneLanguage: languageOf(backend) === languageOf(rules.backend), topology: defaultTopology,
	}), options.signal);
	const checked = verifyCases({recorded: cases, observed, areRolesCompared});
	const unrecorded = cases.length === 0 ? [] : unrecordedCases({recorded: cases, observed});
	return {
		baseline: {
			file, environment: baseline.environment, rules: {
				source, release, backend, identity: identityOf(baseline.rules), sha256, notes: [],
			},
		},
		environment,
		rules: summaryOfRules(rules, {families, ruleSet: probed[0]!.sides[0]!.ruleSet}),
		areRolesCompared,
		...verified,
		cases: checked,
		gaps: [...verified.gaps, ...checked.flatMap(each => each.outcome === 'inconclusive' ? each.gaps : [])],
		hints: [...rules.warnings, ...(unrecorded.length === 0 ? [] : [`Not in the baseline, so not compared: ${unrecorded.join('; ')}.`])],
		durationMs: Math.round(performance.now() - startedAt),
	};
}
