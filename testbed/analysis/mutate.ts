/**
Runs `testbed mutate`: makes the mutants, compares each with the original completely, then runs the chosen cases with those that differ.
*/

import {completeCases, type Detection, type MutantResult} from '../../src/mutation/status.js';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import {mutantsOf, sampleOf, type Mutants} from '../../src/mutation/mutants.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {CaseSummary, MutationReport} from '../../src/report/mutation/types.js';
import type {ActorCredentials} from '../../src/mesh/traffic.js';
import {loadEnvironment} from '../confinement/environment.js';
import type {RuleInput} from '../inputs/types.js';
import {summaryOfRules} from '../inputs/summary.js';
import {SandboxPool} from '../run/sandbox-pool.js';
import type {OnProgress} from '../system/on-progress.js';
import {probeMutants} from './compare-mutants.js';
import {runMutants, trustCases} from './case-runs.js';
import type {CaseSet} from './test-cases.js';

/** Options of a run of mutants. */
export type MutateOptions = {
	readonly input: RuleInput;
	readonly families: readonly AddressFamily[];
	readonly credentials: ActorCredentials;
	/** The cases to run, in the order of the report. */
	readonly cases: readonly CaseSet[];
	/** Whether the complete probes are among the chosen cases. They are sent in any case, to find equivalent mutants. */
	readonly isCompleteChosen: boolean;
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
	readonly jobs: number;
	/** Try only this many mutants, evenly spread; all, if there are no more. */
	readonly sample?: number | undefined;
	/** Of those, try only the ones at these places; the report is about no others. */
	readonly places?: readonly number[] | undefined;
	/** Given how long each of them took, in milliseconds: an even share of the comparisons, and one of the cases for those that had to be asked. */
	readonly onTimes?: (times: readonly number[]) => void;
	readonly signal: AbortSignal;
	readonly onProgress: OnProgress;
	/** The maximum number of packet classes of one family. */
	readonly limit?: number | undefined;
};

/** The mutants that are tried, how many there are in all, and the parts of rules that are never mutated. */
export function mutantsToTry({input, families, sample}: Pick<MutateOptions, 'input' | 'families' | 'sample'>): Mutants & {readonly all: number} {
	const {mutants: all, untouched} = mutantsOf(rulesOfMesh(input.ruleSet, input.mesh), families);
	return {mutants: sampleOf(all, sample), all: all.length, untouched};
}

/**
Tries all mutants of an input, or some of them.

@throws {TestbedError} RULES_REJECTED if the kernel rejects the original; and as {@link probeMutants} and `runMany`.
*/
export async function mutateInput({input, families, cases, isCompleteChosen, sample, places, onTimes, ...options}: MutateOptions): Promise<MutationReport> {
	const startedAt = performance.now();
	const {jobs, onProgress} = options;
	const {mutants: tried, all, untouched} = mutantsToTry({input, families, sample});
	const mutants = places?.map(place => tried[place]!) ?? tried;
	const comparing = 'comparing mutants with the original';
	onProgress(comparing, {done: 0, total: mutants.length});
	const [environment, mutantStatuses] = await Promise.all([loadEnvironment(input.backend), probeMutants({
		...options, input, families, mutants, onStatus(done) {
			onProgress(comparing, {done, total: mutants.length});
		},
	})]);
	const comparedAt = performance.now();
	const detections = mutants.map(() => new Map<string, Detection>());
	const summaries: CaseSummary[] = [];
	const unfit: string[] = [];
	// No case can detect a mutant that is equivalent or cannot be installed.
	const asked = mutants.map((mutant, index) => ({mutant, index})).filter(({index}) => ['differs', 'inconclusive'].includes(mutantStatuses[index]!.kind));
	const names = cases.map(({name}) => name).join(', ');
	if (cases.length > 0) {
		onProgress(`running ${names} with the original`);
	}

	await using sandboxes = new SandboxPool();
	const trusted = await trustCases(cases, {jobs, sandboxes});
	let seen = 0;
	const found = await runMutants(asked.map(({mutant}) => mutant), {
		cases: trusted, jobs, onRun() {
			onProgress(`running ${names} with ${asked.length} mutants`, {done: ++seen, unit: 'runs'});
		},
	});
	for (const set of cases) {
		const {count, untrusted} = trusted.trustOf.get(set)!;
		if (count === 0) {
			unfit.push(`None of the cases in ${set.name} can test these rules: ${set.runs.length === 0 ? 'none is written for them' : untrusted.join(' ')}.`);
			continue;
		}

		for (const [position, {index}] of asked.entries()) {
			detections[index]!.set(set.name, found[position]!.get(set)!);
		}

		summaries.push({
			name: set.name, count, leftOut: set.leftOut, untrusted,
		});
	}

	const comparison = (comparedAt - startedAt) / mutants.length;
	const testing = (performance.now() - comparedAt) / Math.max(1, asked.length);
	const withCases = new Set(asked.map(({index}) => index));
	const times = mutants.map((_, index) => comparison + (withCases.has(index) ? testing : 0));
	onTimes?.(times);
	return {
		environment,
		rules: summaryOfRules(input, {families}),
		families,
		cases: [...summaries, ...(isCompleteChosen
			? [{
				name: completeCases, count: 0, leftOut: [], untrusted: [],
			}]
			: [])],
		results: mutants.map((mutant, index): MutantResult => ({
			mutant, mutantStatus: mutantStatuses[index]!, detections: detections[index]!, durationMs: Math.round(times[index]!),
		})),
		places: new Map(tried.flatMap(({id, rule}) => {
			const place = input.places?.get(rule);
			return place === undefined ? [] : [[id, place]];
		})),
		untouched,
		hints: [...new Set([...input.warnings, ...unfit, ...(tried.length < all ? [`A sample: ${tried.length} of ${all} mutants were tried.`] : [])])],
		durationMs: Math.round(performance.now() - startedAt),
	};
}
