/**
Runs many rule sets in several sandboxes at once. A sandbox is reused for the next rule set if that needs the same actors: starting the processes costs more than everything else.
*/

import type {Backend} from '../../src/netfilter/types.js';
import {exitStatusOfRuns, type RunEntry} from '../../src/report/run/many.js';
import type {Report} from '../../src/report/run/types.js';
import {TestbedError, type ErrorCode} from '../errors.js';
import {withWorkers} from '../system/worker-pool.js';
import {canFollow, runOrderOf} from '../sandbox/backends/drivers.js';
import {BackendError} from '../sandbox/rejection.js';
import type {RunEvidence} from './report.js';
import type {RunOptions} from './options.js';
import {runOn} from './run.js';
import {reuseKey, ActorSandbox} from './actor-sandbox.js';

/** Called with a report and its evidence, for a recording. */
export type OnEvidence = (report: Report, evidence: RunEvidence) => void;

type QueuedRun = {readonly options: RunOptions; readonly index: number; readonly key: string};

/**
Runs all of them and returns the results in the given order. A rule set that the kernel rejects, or that the machine cannot run (a missing back end, a failed program, an actor that did not start), becomes an entry of its own; the others continue.

With `bail`, none is started after one that did not pass, and those are inconclusive.

@throws {TestbedError} if the run is interrupted; if the machine could run none of them, the error of the first.
*/
export async function runMany(all: readonly RunOptions[], {jobs, bail = false, onEntry, onEvidence}: {
	readonly jobs: number;
	readonly bail?: boolean | undefined;
	readonly onEntry?: (entry: RunEntry, took: {readonly index: number; readonly ms: number}) => void;
	readonly onEvidence?: OnEvidence | undefined;
}): Promise<readonly RunEntry[]> {
	const queue = queueOf(all);
	const entries = new Map<number, RunEntry>();
	const faults = new Map<number, TestbedError>();
	let last: RunEntry | undefined;
	await withWorkers(queue, jobs, async takeNext => {
		const take = (): QueuedRun | undefined => last === undefined ? takeNext() : undefined;
		let since = performance.now();
		await runWorker(take, {
			onEntry(index, entry) {
				entries.set(index, entry);
				if (bail && last === undefined && exitStatusOfRuns({entries: [entry], durationMs: 0}) !== 0) {
					last = entry;
				}

				const now = performance.now();
				onEntry?.(entry, {index, ms: now - since});
				since = now;
			},
			onFault(index, fault) {
				faults.set(index, fault);
			},
			lacking: new Map(),
			onEvidence,
		});
	});
	if (all.length > 0 && faults.size === all.length) {
		throw faults.get(0)!;
	}

	return queue.toSorted((one, other) => one.index - other.index).map(job => entries.get(job.index) ?? {
		...namesOf(job), kind: 'inconclusive', reason: `Not run: --bail ended the run after ${last!.scenario ?? last!.source}, ${last!.backend}, which did not pass.`,
	});
}

/** Runs with the same key one after the other, so that sandboxes are rarely replaced. */
function queueOf(all: readonly RunOptions[]): readonly QueuedRun[] {
	const queued = all.map((options, index): QueuedRun => ({options, index, key: keyOf(options)}));
	return queued.toSorted((one, other) => one.key < other.key ? -1 : (one.key > other.key ? 1 : orderOf(one) - orderOf(other) || one.index - other.index));
}

/** The indices of runs in the order in which {@link runMany} starts them: neighbors share a sandbox where they can. */
export function runOrder(all: readonly RunOptions[]): readonly number[] {
	return queueOf(all).map(({index}) => index);
}

/** Errors of the machine, independent of the rules. */
const machineCodes: ReadonlySet<ErrorCode> = new Set(['MACHINE', 'MISSING_PROGRAM', 'COMMAND_FAILED', 'SYSCALL_FAILED', 'ACTOR_FAILED', 'UNMAPPED']);

/** An error as text: what came back, and what to do. */
function reasonOf({message, hint}: TestbedError): string {
	return hint === undefined ? message : `${message} → ${hint}`;
}

function keyOf(options: RunOptions): string {
	return reuseKey({...options, ...options.scenario, mesh: options.rules.mesh, intent: options.rules.intent});
}

/** Sorts back ends so that each can follow the previous one in the same sandbox. */
function orderOf({options: {rules: {backend}}}: QueuedRun): number {
	return runOrderOf(backend);
}

type WorkerListener = {
	readonly onEntry: (index: number, entry: RunEntry) => void;
	readonly onFault: (index: number, fault: TestbedError) => void;
	/** Back ends that the machine is known to lack, which are not tried again. */
	readonly lacking: Map<Backend, TestbedError>;
	readonly onEvidence: OnEvidence | undefined;
};

/** Uses one sandbox after the other, until no runs are left. */
async function runWorker(take: () => QueuedRun | undefined, listener: WorkerListener): Promise<void> {
	let job = take();
	while (job !== undefined) {
		job = await runOnOneSandbox(job, take, listener); // eslint-disable-line no-await-in-loop -- A job does one thing after the other.
	}
}

/** Does runs as long as they fit the sandbox; returns the first that does not. */
async function runOnOneSandbox(first: QueuedRun, take: () => QueuedRun | undefined, listener: WorkerListener): Promise<QueuedRun | undefined> {
	const known = listener.lacking.get(first.options.rules.backend);
	if (known !== undefined) {
		noteFault(first, known, listener);
		return take();
	}

	let sandbox: ActorSandbox;
	try {
		sandbox = await ActorSandbox.create({
			...first.options, ...first.options.scenario, mesh: first.options.rules.mesh, intent: first.options.rules.intent, topology: first.options.rules.topology,
		});
	} catch (error) {
		noteError(first, error, listener);
		return take();
	}

	await using _ = sandbox;
	let job: QueuedRun | undefined = first;
	let {backend}: {backend: Backend} = first.options.rules;
	while (job?.key === first.key && canFollow(backend, job.options.rules.backend) && !listener.lacking.has(job.options.rules.backend)) {
		const {options, index} = job;
		({backend} = options.rules);
		try {
			const {report, evidence} = await runOn(sandbox, options); // eslint-disable-line no-await-in-loop -- One set of rules at a time.
			listener.onEvidence?.(report, evidence);
			listener.onEntry(index, {...namesOf(job), kind: 'report', report});
		} catch (error) {
			noteError(job, error, listener);
			return take(); // The sandbox is disposed of with whatever is left in it.
		}

		job = take();
	}

	return job;
}

function namesOf({options: {rules: {source, release, backend}, scenario}}: QueuedRun): Pick<RunEntry, 'source' | 'release' | 'backend' | 'scenario'> {
	return {source, release, backend, ...(scenario === undefined ? {} : {scenario: scenario.name})};
}

/** @throws errors that are neither the rules' nor the machine's. */
function noteError(job: QueuedRun, error: unknown, listener: WorkerListener): void {
	if (error instanceof TestbedError && error.code === 'RULES_REJECTED') {
		listener.onEntry(job.index, {...namesOf(job), kind: 'rejected', reason: error.message});
		return;
	}

	// A program killed by the terminal's signal is not the machine's fault.
	job.options.signal.throwIfAborted();
	if (!(error instanceof TestbedError && machineCodes.has(error.code))) {
		throw error;
	}

	if (error instanceof BackendError || error.code === 'MISSING_PROGRAM') {
		listener.lacking.set(job.options.rules.backend, error);
	}

	noteFault(job, error, listener);
}

function noteFault(job: QueuedRun, fault: TestbedError, {onEntry, onFault}: WorkerListener): void {
	onFault(job.index, fault);
	onEntry(job.index, {...namesOf(job), kind: 'inconclusive', reason: reasonOf(fault)});
}
