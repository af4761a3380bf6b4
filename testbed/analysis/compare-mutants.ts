/**
The complete comparison of each mutant with the original: the common packet classes of both, and a representative of each class sent through both. The sandboxes are reused.
*/

import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import {rulesOf} from '../../src/netfilter/lookup.js';
import {printStep, type RuleHit} from '../../src/netfilter/path.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import type {ProbedFamily} from '../../src/comparison/comparison.js';
import type {ProbeResult} from '../../src/comparison/moves.js';
import type {Mutant} from '../../src/mutation/mutants.js';
import {familiesOfMutant, mutantStatusOf, type MutantStatus} from '../../src/mutation/status.js';
import {TestbedError} from '../errors.js';
import {inOrder, withWorkers} from '../system/worker-pool.js';
import type {RuleInput} from '../inputs/types.js';
import {ProberSandbox} from '../probe/prober-sandbox.js';
import {
	planClasses, programOf, questionOf, type ClassRunOptions, type PlannedClasses,
} from './probe-classes.js';

/** Options of the comparisons. */
export type MutantProbeOptions = Omit<ClassRunOptions, 'inputs' | 'onProgress' | 'alongside'> & {
	readonly input: RuleInput;
	readonly mutants: readonly Mutant[];
	readonly jobs: number;
	readonly onStatus?: (done: number) => void;
};

/**
Probes all mutants; the statuses are in their order.

@throws {TestbedError} RULES_REJECTED if the kernel rejects the original, and everything that a sandbox throws.
*/
export async function probeMutants(options: MutantProbeOptions): Promise<readonly MutantStatus[]> {
	const {mutants, jobs, onStatus, signal} = options;
	const mutantStatuses: MutantStatus[] = [];
	let done = 0;
	await withWorkers(inOrder([...mutants.entries()]), Math.min(jobs, mutants.length), async take => {
		await using worker = await MutantWorker.create(options);
		for (let next = take(); next !== undefined; next = take()) {
			signal.throwIfAborted();
			const [place, mutant] = next;
			mutantStatuses[place] = await worker.mutantStatusOf(mutant); // eslint-disable-line no-await-in-loop -- A job does one thing after the other.
			onStatus?.(++done);
		}
	});
	return mutantStatuses;
}

type Plan = PlannedClasses & {readonly questions: readonly ProbeSpec[]};

/** Two sandboxes side by side: the original stays in one, and each mutant in turn is installed in the other. */
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
	/** Results of probes already sent through the original: most classes are the same from mutant to mutant. */
	readonly #known = new Map<string, ProbeResult>();

	private constructor(options: MutantProbeOptions, {original, changed, ruleSet}: {readonly original: ProberSandbox; readonly changed: ProberSandbox; readonly ruleSet: RuleInput['ruleSet']}) {
		this.#options = options;
		this.#original = original;
		this.#changed = changed;
		this.#ruleSet = ruleSet;
	}

	async mutantStatusOf(mutant: Mutant): Promise<MutantStatus> {
		const {input, credentials, families, signal} = this.#options;
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

		const planned: Plan[] = [];
		for (const family of familiesOfMutant(mutant, families)) {
			planned.push(await this.#plan(family, changed)); // eslint-disable-line no-await-in-loop -- All on one thread.
		}

		const questions = planned.flatMap(plan => plan.questions);
		const [before, probeResults] = await Promise.all([this.#probeOriginal(questions), this.#changed.send(questions, {follow: 'once-around', signal})]);
		const after = this.#withOwnWords(probeResults, mutant);
		const {mesh} = input;
		let begin = 0;
		return mutantStatusOf(planned.map(({classSet, representatives}): ProbedFamily => {
			const end = begin + representatives.length;
			const sides = {
				from: {ruleSet: rulesOfMesh(this.#ruleSet, mesh), probeResults: before.slice(begin, end)},
				to: {ruleSet: rulesOfMesh(ruleSet, mesh), probeResults: after.slice(begin, end)},
			};
			begin = end;
			return {classSet, representatives, sides};
		}));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#changed[Symbol.asyncDispose]();
		await this.#original[Symbol.asyncDispose]();
	}

	async #plan(family: AddressFamily, changed: RuleInput): Promise<Plan> {
		const planned = await planClasses([programOf(this.#options.input, family), programOf(changed, family)], family, {...this.#options, onProgress: () => undefined});
		return {...planned, questions: planned.representatives.map(representative => questionOf(representative))};
	}

	/** A rule without a role is identified by its text. The edited rule is still the same rule, so its new text must not count as a different path: it gets the original's text. */
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

	/** Results with a gap are not kept: they may be complete the next time. */
	async #probeOriginal(questions: readonly ProbeSpec[]): Promise<readonly ProbeResult[]> {
		const keys = questions.map(question => JSON.stringify(question));
		const open = questions.filter((_, index) => !this.#known.has(keys[index]!));
		const sent = open.length === 0 ? [] : await this.#original.send(open, {follow: 'once-around', signal: this.#options.signal});
		let next = 0;
		return keys.map(key => {
			const known = this.#known.get(key);
			if (known !== undefined) {
				return known;
			}

			const probeResult = sent[next++]!;
			if (probeResult.gaps.length === 0) {
				this.#known.set(key, probeResult);
			}

			return probeResult;
		});
	}
}
