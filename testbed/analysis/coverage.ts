/**
Runs `testbed coverage`: the six types, the scenarios and the complete probes, and which rules they hit.
*/

import {completeName, coverageOf, type CoveredLegs, type RuleCoverage} from '../../src/judge/rule-coverage.js';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import type {ProbeResult, Side} from '../../src/comparison/moves.js';
import type {Representative} from '../../src/packet-classes/representatives.js';
import {gapsOfClasses, readingGapsInSteps} from '../../src/comparison/gaps.js';
import {printStep, type Leg} from '../../src/netfilter/path.js';
import {socketMarkOf} from '../../src/judge/explain/packet-facts.js';
import {missingCases, type CoverageReport} from '../../src/report/coverage/types.js';
import type {DrawnMove} from '../../src/report/pictures/pictures.js';
import type {Gap} from '../../src/trace/gap.js';
import {loadEnvironment} from '../confinement/environment.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from '../inputs/types.js';
import {runMany} from '../run/run-many.js';
import {summaryOfRules} from '../inputs/summary.js';
import {inTurns} from '../system/turns.js';
import {probeClasses, type ClassRunOptions, type ProbedClasses} from './probe-classes.js';
import {sharedRuns} from './case-runs.js';
import type {CaseSet} from './test-cases.js';

/** Options of a coverage run. */
export type CoverageOptions = Omit<ClassRunOptions, 'inputs'> & {
	readonly input: RuleInput;
	readonly cases: readonly CaseSet[];
	readonly required: readonly string[];
	readonly jobs: number;
};

/**
Sends everything and counts which rules are hit.

@throws {TestbedError} RULES_REJECTED, and everything that sandboxes throw.
*/
export async function coverInput({input, cases, required, jobs, ...options}: CoverageOptions): Promise<CoverageReport> {
	const startedAt = performance.now();
	const {families, onProgress} = options;
	const [environment, probed] = await Promise.all([loadEnvironment(input.backend), probeClasses({...options, inputs: [input]})]);
	const legs: Record<string, CoveredLegs> = {};
	const gaps = new Map<string, Gap>();
	for (const set of cases) {
		onProgress(`running ${set.name}`);
		legs[set.name] = await legsOfCases(set, {input, jobs}); // eslint-disable-line no-await-in-loop -- One set of cases already uses all jobs.
	}

	const complete = probed.flatMap(({representatives, sides: [side]}) => representatives.flatMap((representative, index) => markedLegs(side!.probeResults[index]!, representative, input)));
	for (const {classSet, representatives, sides: [side]} of probed) {
		const {probeResults} = side!;
		const gapsFound = await inTurns(readingGapsInSteps({ // eslint-disable-line no-await-in-loop -- All on one thread.
			classSet, representatives, probeResults, place: 0,
		}), options.signal);
		for (const gap of [...gapsOfClasses(classSet), ...probeResults.flatMap(probeResult => probeResult.gaps), ...gapsFound]) {
			gaps.set(`${gap.kind} ${gap.message}`, gap);
		}
	}

	const coverage = coverageOf(rulesOfMesh(input.ruleSet, input.mesh), {families, cases: {...legs, [completeName]: complete}, complete});
	return {
		environment,
		rules: summaryOfRules(input, {families}),
		families,
		cases: [...cases.map(({name}) => ({name, probes: probesOf(legs[name]!)})), {name: completeName, probes: probed.reduce((sum, {representatives}) => sum + representatives.length, 0)}],
		classes: probed.reduce((sum, {classSet}) => sum + classSet.classes.length, 0),
		coverage,
		required,
		examples: examplesOf(coverage.filter(rule => missingCases({required, coverage}, rule).length > 0), probed),
		places: input.places ?? new Map(),
		gaps: [...gaps.values()],
		hints: [...new Set([...input.warnings, ...cases.flatMap(({name, runs}) => runs.length === 0 ? [`None of the cases in ${name} is written for these rules.`] : [])])],
		durationMs: Math.round(performance.now() - startedAt),
	};
}

/** For each rule, a packet that reaches it: of all, one with the fewest legs. */
function examplesOf(rules: readonly RuleCoverage[], probed: readonly ProbedClasses[]): CoverageReport['examples'] {
	const whole = probed.flatMap(({representatives, sides: [side]}) => examplesIn(representatives, side!)).toSorted((one, other) => one.legs.length - other.legs.length);
	return new Map(rules.flatMap(rule => {
		const example = whole.find(({legs}) => legs.some(leg => isReached(rule, leg)));
		return example === undefined ? [] : [[rule.rule, example.move] as const];
	}));
}

type Reaching = {readonly legs: readonly Leg[]; readonly move: DrawnMove};

function examplesIn(representatives: readonly Representative[], {ruleSet, probeResults}: Side): readonly Reaching[] {
	return representatives.flatMap((example, index): readonly Reaching[] => {
		const probeResult = probeResults[index]!;
		return probeResult.gaps.length > 0 ? [] : [{legs: probeResult.legs, move: {example, shown: {to: {ruleSet, probeResult}}}}];
	});
}

function isReached({family, place}: RuleCoverage, {traversals}: Leg): boolean {
	return traversals.flatMap(({hits}) => hits).some(hit => hit.family === family && printStep(hit.table, hit.chain, hit.number) === place);
}

type FirstLeg = CoveredLegs[number] & {readonly isFirst: boolean};

/** The legs of all cases, whatever their outcome: rules they hit count as hit. */
async function legsOfCases(set: CaseSet, {input, jobs}: {readonly input: RuleInput; readonly jobs: number}): Promise<readonly FirstLeg[]> {
	const entries = await runMany(sharedRuns([set]).map(({options}) => options), {jobs});
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
