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
import {limitHeap} from '../system/heap-growth.js';
import {OneByOne} from '../system/one-by-one.js';
import {inOrder, withWorkers} from '../system/worker-pool.js';
import type {RuleInput} from '../inputs/types.js';
import {ProberSandbox} from '../probe/prober-sandbox.js';
import {valueOf} from '../run/actor-sandbox.js';
import {
	planClasses, programOf, questionOf, type ClassRunOptions, type PlannedClasses,
} from './probe-classes.js';

/** From so many rules on, the classes take nearly all of the time, on this thread, so that more jobs bring nothing but 70 MiB each. */
const manyRules = 500;
const jobsOfLarge = 2;

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
	if (mutants.length === 0) {
		return [];
	}

	const isLarge = [...rulesOf(options.input.ruleSet)].length >= manyRules;
	// What the classes of many rules leave is garbage that would wait: 590 instead of 480 MiB for 2,000 rules, at no cost in time.
	using _limited = isLarge ? limitHeap() : undefined;
	// All sandboxes are created at once; a failure of this one reaches each job.
	const original = Promise.allSettled([Original.create(options)]);
	try {
		await withWorkers(inOrder([...mutants.entries()]), Math.min(isLarge ? Math.min(jobs, jobsOfLarge) : jobs, mutants.length), async take => {
			await using changed = await createSandbox(options);
			const [created] = await original;
			const worker = new MutantWorker(options, {original: valueOf(created), changed});
			for (let next = take(); next !== undefined; next = take()) {
				signal.throwIfAborted();
				const [place, mutant] = next;
				mutantStatuses[place] = await worker.mutantStatusOf(mutant); // eslint-disable-line no-await-in-loop -- A job does one thing after the other.
				onStatus?.(++done);
			}
		});
		return mutantStatuses;
	} finally {
		const [created] = await original;
		if (created.status === 'fulfilled') {
			await created.value[Symbol.asyncDispose]();
		}
	}
}

type Plan = PlannedClasses & {readonly questions: readonly ProbeSpec[]};

/** The original in a sandbox of its own, for all jobs: most classes are the same from mutant to mutant, so nearly all of its probes are sent once. */
class Original implements AsyncDisposable {
	static async create(options: MutantProbeOptions): Promise<Original> {
		const {input, credentials} = options;
		const sandbox = await createSandbox(options);
		try {
			return new Original(sandbox, await sandbox.install(input, credentials));
		} catch (error) {
			await sandbox[Symbol.asyncDispose]();
			throw error;
		}
	}

	readonly ruleSet: RuleInput['ruleSet'];
	readonly #sandbox: ProberSandbox;
	/** Results of probes already sent. */
	readonly #known = new Map<string, ProbeResult>();
	readonly #calls = new OneByOne();

	private constructor(sandbox: ProberSandbox, ruleSet: RuleInput['ruleSet']) {
		this.#sandbox = sandbox;
		this.ruleSet = ruleSet;
	}

	/** The results of these probes, one call after the other. Results with a gap are not kept: they may be complete the next time. */
	async probe(questions: readonly ProbeSpec[], signal: AbortSignal): Promise<readonly ProbeResult[]> {
		return this.#calls.run(async () => this.#probe(questions, signal));
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#calls.ended();
		await this.#sandbox[Symbol.asyncDispose]();
	}

	async #probe(questions: readonly ProbeSpec[], signal: AbortSignal): Promise<readonly ProbeResult[]> {
		const keys = questions.map(question => JSON.stringify(question));
		const open = questions.filter((_, index) => !this.#known.has(keys[index]!));
		const sent = open.length === 0 ? [] : await this.#sandbox.send(open, {follow: 'once-around', signal});
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

async function createSandbox({families, timeoutMs, traceBufferBytes, input}: MutantProbeOptions): Promise<ProberSandbox> {
	return ProberSandbox.create({
		backend: input.backend, families, timeoutMs, traceBufferBytes,
	});
}

/** A sandbox in which each mutant in turn is installed, next to that of the original. */
class MutantWorker {
	readonly #options: MutantProbeOptions;
	readonly #original: Original;
	readonly #changed: ProberSandbox;

	constructor(options: MutantProbeOptions, {original, changed}: {readonly original: Original; readonly changed: ProberSandbox}) {
		this.#options = options;
		this.#original = original;
		this.#changed = changed;
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
		const [before, probeResults] = await Promise.all([this.#original.probe(questions, signal), this.#changed.send(questions, {follow: 'once-around', signal})]);
		const after = this.#withOwnWords(probeResults, mutant);
		const {mesh} = input;
		let begin = 0;
		return mutantStatusOf(planned.map(({classSet, representatives}): ProbedFamily => {
			const end = begin + representatives.length;
			const sides = {
				from: {ruleSet: rulesOfMesh(this.#original.ruleSet, mesh), probeResults: before.slice(begin, end)},
				to: {ruleSet: rulesOfMesh(ruleSet, mesh), probeResults: after.slice(begin, end)},
			};
			begin = end;
			return {classSet, representatives, sides};
		}));
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
		const placed = [...rulesOf(this.#original.ruleSet)].find(candidate => candidate.family === family && printStep(candidate.table, candidate.chain.name, candidate.rule.number) === place);
		const text = placed?.rule.text ?? rule.text;
		return probeResults.map(probeResult => ({
			...probeResult,
			legs: probeResult.legs.map(leg => ({...leg, traversals: leg.traversals.map(traversal => ({...traversal, hits: traversal.hits.map(hit => own(hit) ? {...hit, text} : hit)}))})),
		}));
	}
}
