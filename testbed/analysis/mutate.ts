/**
The conductor of `testbed mutate`: mutants, the complete comparison of each, then the chosen cases with those that differ.
*/

import {completeCases, type Detection, type MutantResult} from '../../src/mutation/status.js';
import {mutantsOf, sampleOf} from '../../src/mutation/mutants.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {CaseSummary, MutationReport} from '../../src/report/mutation/types.js';
import type {ActorCredentials} from '../../src/scenario/types.js';
import {loadEnvironment} from '../system/environment.js';
import type {RuleInput} from '../inputs/types.js';
import {checksumOf} from '../inputs/checksum.js';
import {rulesWithMesh} from '../inputs/meshes.js';
import {probeMutants} from './compare-mutants.js';
import {runMutants, trustCases, type CaseSet} from './test-cases.js';

/** What decides a run of mutants. */
export type MutateOptions = {
	readonly input: RuleInput;
	readonly families: readonly AddressFamily[];
	readonly credentials: ActorCredentials;
	/** The cases that play, in the order of the report. */
	readonly cases: readonly CaseSet[];
	/** Whether the complete probes are among the chosen cases. They fly in any case: they tell which mutants are equivalent. */
	readonly isCompleteChosen: boolean;
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
	readonly jobs: number;
	/** Try only so many, evenly spread; all, if there are no more. */
	readonly sample?: number | undefined;
	readonly signal: AbortSignal;
	readonly onProgress: (step: string) => void;
};

/**
Tries all mutants of an input.

@throws {TestbedError} RULES_REJECTED when the kernel refuses the original; and as {@link probeMutants} and `runMany`.
*/
export async function mutateInput({input, families, cases, isCompleteChosen, sample, ...options}: MutateOptions): Promise<MutationReport> {
	const startedAt = performance.now();
	const {jobs, onProgress} = options;
	const {mutants: all, untouched} = mutantsOf(rulesWithMesh(input), families);
	const mutants = sampleOf(all, sample);
	onProgress(`comparing ${mutants.length} mutants with the original`);
	const [environment, mutantStatuses] = await Promise.all([loadEnvironment(input.backend), probeMutants({
		...options, input, families, mutants, onStatus(done) {
			onProgress(`compared ${done} of ${mutants.length} mutants with the original`);
		},
	})]);
	const detections = mutants.map(() => new Map<string, Detection>());
	const summaries: CaseSummary[] = [];
	const unfit: string[] = [];
	// No case can notice what is equivalent, or what cannot be installed.
	const asked = mutants.map((mutant, index) => ({mutant, index})).filter(({index}) => ['differs', 'inconclusive'].includes(mutantStatuses[index]!.kind));
	for (const set of cases) {
		onProgress(`playing ${set.name} with the original`);
		const trusted = await trustCases(set, jobs); // eslint-disable-line no-await-in-loop -- All lanes are for one thing at a time.
		if (trusted.trusted.size === 0) {
			unfit.push(`No case of ${set.name} judges these rules: ${set.runs.length === 0 ? 'none is written for them' : trusted.untrusted.join(' ')}.`);
			continue;
		}

		let seen = 0;
		const found = await runMutants(asked.map(({mutant}) => mutant), { // eslint-disable-line no-await-in-loop -- As above.
			cases: trusted, jobs, onRun() {
				onProgress(`playing ${set.name} with ${asked.length} mutants: ${++seen} plays`);
			},
		});
		for (const [position, {index}] of asked.entries()) {
			detections[index]!.set(set.name, found[position]!);
		}

		summaries.push({
			name: set.name, count: trusted.trusted.size, leftOut: set.leftOut, untrusted: trusted.untrusted,
		});
	}

	return {
		environment,
		rules: {
			source: input.source, release: input.release, backend: input.backend, sha256: checksumOf({backend: input.backend, families, ruleSet: input.ruleSet}), notes: input.notes,
		},
		families,
		cases: [...summaries, ...(isCompleteChosen
			? [{
				name: completeCases, count: 0, leftOut: [], untrusted: [],
			}]
			: [])],
		results: mutants.map((mutant, index): MutantResult => ({mutant, mutantStatus: mutantStatuses[index]!, detections: detections[index]!})),
		places: new Map(mutants.flatMap(({id, rule}) => {
			const place = input.places?.get(rule);
			return place === undefined ? [] : [[id, place]];
		})),
		untouched,
		hints: [...new Set([...input.warnings, ...unfit, ...(mutants.length < all.length ? [`A sample: ${mutants.length} of ${all.length} mutants were tried.`] : [])])],
		durationMs: Math.round(performance.now() - startedAt),
	};
}
