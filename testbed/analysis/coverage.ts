/**
The conductor of `testbed coverage`: the six types, the scenarios and the complete probes, and which rules they meet.
*/

import {completeName, coverageOf, type CoveredLegs} from '../../src/judge/rule-coverage.js';
import type {ProbeResult} from '../../src/comparison/moves.js';
import type {Representative} from '../../src/packet-classes/representatives.js';
import {gapsOfClasses, gapsOfReading} from '../../src/comparison/gaps.js';
import type {Leg} from '../../src/netfilter/path.js';
import {socketMarkOf} from '../../src/judge/explain/packet-facts.js';
import type {CoverageReport} from '../../src/report/coverage/types.js';
import type {Gap} from '../../src/trace/gap.js';
import {loadEnvironment} from '../system/environment.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from '../inputs/types.js';
import {checksumOf} from '../inputs/checksum.js';
import {runMany} from '../run/run-many.js';
import {rulesWithMesh} from '../inputs/meshes.js';
import {probeClasses, type ClassRunOptions} from './probe-classes.js';
import type {CaseSet} from './test-cases.js';

/** What decides a run. */
export type CoverageOptions = Omit<ClassRunOptions, 'inputs'> & {
	readonly input: RuleInput;
	readonly cases: readonly CaseSet[];
	readonly required: readonly string[];
	readonly jobs: number;
};

/**
Sends everything and counts.

@throws {TestbedError} RULES_REJECTED, and all that stages throw.
*/
export async function coverInput({input, cases, required, jobs, ...options}: CoverageOptions): Promise<CoverageReport> {
	const startedAt = performance.now();
	const {families, onProgress} = options;
	const [environment, probed] = await Promise.all([loadEnvironment(input.backend), probeClasses({...options, inputs: [input]})]);
	const legs: Record<string, CoveredLegs> = {};
	const gaps = new Map<string, Gap>();
	for (const set of cases) {
		onProgress(`playing ${set.name}`);
		legs[set.name] = await legsOfCases(set, {input, jobs}); // eslint-disable-line no-await-in-loop -- All lanes are for one thing at a time.
	}

	const complete = probed.flatMap(({representatives, sides: [side]}) => representatives.flatMap((representative, index) => markedLegs(side!.probeResults[index]!, representative, input)));
	for (const {classSet, representatives, sides: [side]} of probed) {
		const {probeResults} = side!;
		for (const gap of [...gapsOfClasses(classSet), ...probeResults.flatMap(probeResult => probeResult.gaps), ...gapsOfReading({
			classSet, representatives, probeResults, place: 0,
		})]) {
			gaps.set(`${gap.kind} ${gap.message}`, gap);
		}
	}

	return {
		environment,
		rules: {
			source: input.source, release: input.release, backend: input.backend, sha256: checksumOf({backend: input.backend, families, ruleSet: input.ruleSet}), notes: input.notes,
		},
		families,
		cases: [...cases.map(({name}) => ({name, probes: probesOf(legs[name]!)})), {name: completeName, probes: probed.reduce((sum, {representatives}) => sum + representatives.length, 0)}],
		classes: probed.reduce((sum, {classSet}) => sum + classSet.classes.length, 0),
		coverage: coverageOf(rulesWithMesh(input), {families, cases: {...legs, [completeName]: complete}, complete}),
		required,
		places: input.places ?? new Map(),
		gaps: [...gaps.values()],
		hints: [...new Set([...input.warnings, ...cases.flatMap(({name, runs}) => runs.length === 0 ? [`No case of ${name} is written for these rules.`] : [])])],
		durationMs: Math.round(performance.now() - startedAt),
	};
}

type FirstLeg = CoveredLegs[number] & {readonly isFirst: boolean};

/** The legs of all cases, whatever came of them: what they met, they met. */
async function legsOfCases({runs}: CaseSet, {input, jobs}: {readonly input: RuleInput; readonly jobs: number}): Promise<readonly FirstLeg[]> {
	const entries = await runMany(runs, {jobs});
	return entries.flatMap(entry => {
		if (entry.kind !== 'report') {
			throw new TestbedError(entry.kind === 'rejected' ? 'RULES_REJECTED' : 'MACHINE', {message: entry.reason, state: 'Nothing was counted.'});
		}

		return entry.report.types.flatMap(({legs}) => marked(legs, input, 0));
	});
}

function markedLegs({legs}: ProbeResult, {mark = 0}: Representative, input: RuleInput): readonly FirstLeg[] {
	return marked(legs, input, mark);
}

function marked(legs: readonly Leg[], {intent}: RuleInput, first: number): readonly FirstLeg[] {
	return legs.map((leg, index) => ({leg, mark: index === 0 ? first : socketMarkOf(legs, index, intent), isFirst: index === 0}));
}

function probesOf(legs: CoveredLegs): number {
	return (legs as readonly FirstLeg[]).filter(({isFirst}) => isFirst).length;
}
