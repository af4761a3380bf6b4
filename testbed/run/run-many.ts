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
import {RunQueue} from './run-queue.js';
import type {SandboxPool} from './sandbox-pool.js';

/** Called with a report and its evidence, for a recording. */
export type OnEvidence = (report: Report, evidence: RunEvidence) => void;

type QueuedRun = {readonly options: RunOptions; readonly index: number; readonly key: string};

/**
Runs all of them and returns the results in the given order. A rule set that the kernel rejects, or that the machine cannot run (a missing back end, a failed program, an actor that did not start), becomes an entry of its own; the others continue.

With `bail`, none is started after one that did not pass, and those are inconclusive.

@param options.from Sandboxes that wait for runs of their key.
@param options.into Gets the sandboxes that are no longer needed here; without it they are removed.
@throws {TestbedError} if the run is interrupted; if the machine could run none of them, the error of the first.
*/
export async function runMany(all: readonly RunOptions[], {jobs, bail = false, from, into, onEntry, onEvidence}: {
	readonly jobs: number;
	readonly from?: SandboxPool | undefined;
	readonly into?: SandboxPool | undefined;
	readonly bail?: boolean | undefined;
	readonly onEntry?: (entry: RunEntry, took: {readonly index: number; readonly ms: number}) => void;
	readonly onEvidence?: OnEvidence | undefined;
}): Promise<readonly RunEntry[]> {
	const queue = queueOf(all);
	const entries = new Map<number, RunEntry>();
	const faults = new Map<number, TestbedError>();
	let last: RunEntry | undefined;
	const runQueue = new RunQueue(queue);
	await withWorkers(worker => runQueue.take(worker), Math.min(jobs, queue.length), async takeNext => {
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
			from,
			into,
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
	readonly from: SandboxPool | undefined;
	readonly into: SandboxPool | undefined;
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
		sandbox = listener.from?.take({key: first.key, backend: first.options.rules.backend}) ?? await ActorSandbox.create({
			...first.options, ...first.options.scenario, mesh: first.options.rules.mesh, intent: first.options.rules.intent, topology: first.options.rules.topology,
		});
	} catch (error) {
		noteError(first, error, listener);
		return take();
	}

	let isKept = false;
	try {
		const {next, lastBackend} = await runInSandbox(sandbox, {first, take}, listener);
		if (lastBackend !== undefined && listener.into !== undefined) {
			isKept = true;
			await listener.into.keep(sandbox, {key: first.key, backend: lastBackend});
		}

		return next;
	} finally {
		if (!isKept) {
			await sandbox[Symbol.asyncDispose]();
		}
	}
}

/** Does runs as long as they fit a sandbox; returns the first that does not. Without `lastBackend` one of them failed, and the sandbox is not to be used again. */
async function runInSandbox(sandbox: ActorSandbox, {first, take}: {readonly first: QueuedRun; readonly take: () => QueuedRun | undefined}, listener: WorkerListener): Promise<{
	readonly next: QueuedRun | undefined; readonly lastBackend?: Backend;
}> {
	let next: QueuedRun | undefined = first;
	let lastBackend = first.options.rules.backend;
	while (next?.key === first.key && canFollow(lastBackend, next.options.rules.backend) && !listener.lacking.has(next.options.rules.backend)) {
		const run: QueuedRun = next;
		lastBackend = run.options.rules.backend;
		try {
			const {report, evidence} = await runOn(sandbox, {...run.options, isRecorded: listener.onEvidence !== undefined}); // eslint-disable-line no-await-in-loop -- One set of rules at a time.
			listener.onEvidence?.(report, evidence);
			listener.onEntry(run.index, {...namesOf(run), kind: 'report', report});
		} catch (error) {
			noteError(run, error, listener);
			return {next: take()};
		}

		next = take();
	}

	return {next, lastBackend};
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
