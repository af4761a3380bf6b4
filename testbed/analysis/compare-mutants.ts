/**
The complete comparison of each mutant with the original: classes of both, and their representatives through both, on stages that are kept.
*/

import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {rulesOf} from '../../src/netfilter/lookup.js';
import {printStep, type RuleHit} from '../../src/netfilter/path.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {classify} from '../../src/packet-classes/classify.js';
import type {ProbedFamily} from '../../src/comparison/comparison.js';
import type {ProbeResult} from '../../src/comparison/moves.js';
import type {Mutant} from '../../src/mutation/mutants.js';
import {familiesOfMutant, mutantStatusOf, type MutantStatus} from '../../src/mutation/status.js';
import {representativesOf} from '../../src/packet-classes/representatives.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import {TestbedError} from '../errors.js';
import {withWorkers} from '../system/worker-pool.js';
import type {RuleInput} from '../inputs/types.js';
import {ProberSandbox} from '../probe/prober-sandbox.js';
import {rulesWithMesh} from '../inputs/meshes.js';
import {programOf, questionOf, type ClassRunOptions} from './probe-classes.js';

/** What decides the comparisons. */
export type MutantProbeOptions = Omit<ClassRunOptions, 'inputs' | 'onProgress'> & {
	readonly input: RuleInput;
	readonly mutants: readonly Mutant[];
	readonly jobs: number;
	readonly onStatus?: (done: number) => void;
};

/**
Flies all mutants; the fates are in their order.

@throws {TestbedError} RULES_REJECTED when the kernel refuses the original, and all that a stage throws.
*/
export async function probeMutants(options: MutantProbeOptions): Promise<readonly MutantStatus[]> {
	const {mutants, jobs, onStatus, signal} = options;
	const mutantStatuses: MutantStatus[] = [];
	let done = 0;
	await withWorkers([...mutants.entries()], jobs, async take => {
		await using worker = await MutantWorker.create(options);
		for (let next = take(); next !== undefined; next = take()) {
			signal.throwIfAborted();
			const [place, mutant] = next;
			mutantStatuses[place] = await worker.mutantStatusOf(mutant); // eslint-disable-line no-await-in-loop -- A lane does one thing after the other.
			onStatus?.(++done);
		}
	});
	return mutantStatuses;
}

/** Two stages side by side: the original stays on the one, mutant after mutant comes on the other. */
class MutantWorker implements AsyncDisposable {
	static async create(options: MutantProbeOptions): Promise<MutantWorker> {
		const {families, timeoutMs, traceBufferBytes, input, credentials} = options;
		const create = async () => ProberSandbox.create({
			backend: input.backend, families, timeoutMs, traceBufferBytes,
		});
		const original = await create();
		let changed: ProberSandbox | undefined;
		try {
			changed = await create();
			return new MutantWorker(options, {original, changed, ruleSet: await original.install(input, credentials)});
		} catch (error) {
			await changed?.[Symbol.asyncDispose]();
			await original[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly #options: MutantProbeOptions;
	readonly #original: ProberSandbox;
	readonly #changed: ProberSandbox;
	readonly #ruleSet: RuleInput['ruleSet'];
	/** What came of questions that were asked of the original before: many mutants are cut into the same classes. */
	readonly #known = new Map<string, readonly ProbeResult[]>();

	private constructor(options: MutantProbeOptions, {original, changed, ruleSet}: {readonly original: ProberSandbox; readonly changed: ProberSandbox; readonly ruleSet: RuleInput['ruleSet']}) {
		this.#options = options;
		this.#original = original;
		this.#changed = changed;
		this.#ruleSet = ruleSet;
	}

	async mutantStatusOf(mutant: Mutant): Promise<MutantStatus> {
		const {input, credentials, families} = this.#options;
		const changed: RuleInput = {...input, ruleSet: mutant.ruleSet};
		let ruleSet: RuleInput['ruleSet'];
		try {
			ruleSet = await this.#changed.install(changed, credentials);
		} catch (error) {
			if (error instanceof TestbedError && error.code === 'RULES_REJECTED') {
				return {kind: 'rejected', reason: error.message};
			}

			throw error;
		}

		const planned = familiesOfMutant(mutant, families).map(family => this.#plan(family, changed));
		const questions = planned.flatMap(plan => plan.questions);
		const [before, probeResults] = await Promise.all([this.#probeOriginal(questions), this.#changed.send(questions, {follow: true})]);
		const after = this.#withOwnWords(probeResults, mutant);
		let begin = 0;
		return mutantStatusOf(planned.map(({classSet, representatives}): ProbedFamily => {
			const end = begin + representatives.length;
			const sides = {
				from: {ruleSet: rulesWithMesh(input, this.#ruleSet), probeResults: before.slice(begin, end)},
				to: {ruleSet: rulesWithMesh(input, ruleSet), probeResults: after.slice(begin, end)},
			};
			begin = end;
			return {classSet, representatives, sides};
		}));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#changed[Symbol.asyncDispose]();
		await this.#original[Symbol.asyncDispose]();
	}

	#plan(family: AddressFamily, changed: RuleInput): Pick<ProbedFamily, 'classSet' | 'representatives'> & {readonly questions: readonly ProbeSpec[]} {
		const classSet = classify([programOf(this.#options.input, family), programOf(changed, family)], {family, topology: defaultTopology});
		const representatives = representativesOf(classSet, defaultTopology);
		return {classSet, representatives, questions: representatives.map(representative => questionOf(representative))};
	}

	/** A rule without a role is told by its words. The one that was edited is the same rule all the same: that it says something else is no other way. */
	#withOwnWords(probeResults: readonly ProbeResult[], {family, place, role, rule, isEdited}: Mutant): readonly ProbeResult[] {
		if (!isEdited || role !== null) {
			return probeResults;
		}

		const own = (hit: RuleHit): boolean => hit.family === family && printStep(hit.table, hit.chain, hit.number ?? '?') === place;
		const placed = [...rulesOf(this.#ruleSet)].find(candidate => candidate.family === family && printStep(candidate.table, candidate.chain.name, candidate.rule.number) === place);
		const text = placed?.rule.text ?? rule.text;
		return probeResults.map(probeResult => ({
			...probeResult,
			legs: probeResult.legs.map(leg => ({...leg, traversals: leg.traversals.map(traversal => ({...traversal, hits: traversal.hits.map(hit => own(hit) ? {...hit, text} : hit)}))})),
		}));
	}

	/** Flights with a gap are not kept: the next time they may be whole. */
	async #probeOriginal(questions: readonly ProbeSpec[]): Promise<readonly ProbeResult[]> {
		const key = JSON.stringify(questions);
		const known = this.#known.get(key);
		if (known !== undefined) {
			return known;
		}

		const probeResults = await this.#original.send(questions, {follow: true});
		if (probeResults.every(({gaps}) => gaps.length === 0)) {
			this.#known.set(key, probeResults);
		}

		return probeResults;
	}
}
