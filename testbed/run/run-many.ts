/**
Many rule sets on several stages at once. A stage is kept for the next rule set as long as that needs the same actors: starting the processes costs more than everything else.
*/

import type {Backend} from '../../src/netfilter/types.js';
import type {RunEntry} from '../../src/report/run/many.js';
import type {Report} from '../../src/report/run/types.js';
import {TestbedError, type ErrorCode} from '../errors.js';
import {withWorkers} from '../system/worker-pool.js';
import {canFollow, runOrderOf} from '../sandbox/backends/drivers.js';
import {BackendError} from '../sandbox/rejection.js';
import type {RunEvidence} from './report.js';
import type {RunOptions} from './options.js';
import {runOn} from './run.js';
import {reuseKey, ActorSandbox} from './actor-sandbox.js';

/** Given a report and what it was made of; for a recording. */
export type OnEvidence = (report: Report, evidence: RunEvidence) => void;

type QueuedRun = {readonly options: RunOptions; readonly index: number; readonly key: string};

/**
Plays all of them and returns what came of each, in the order given. A set that the kernel rejects is an entry of its own, and so is one that the machine cannot play (a back end that it lacks, a program that failed, an actor that did not start): the others go on.

@throws {TestbedError} when the run is interrupted; and when the machine could play none of them, what it said of the first.
*/
export async function runMany(all: readonly RunOptions[], {jobs, onEntry, onEvidence}: {
	readonly jobs: number; readonly onEntry?: (entry: RunEntry) => void; readonly onEvidence?: OnEvidence | undefined;
}): Promise<readonly RunEntry[]> {
	const queued = all.map((options, index): QueuedRun => ({options, index, key: keyOf(options)}));
	// Alike ones behind each other, so that a stage is rarely changed.
	const queue = queued.toSorted((one, other) => one.key < other.key ? -1 : (one.key > other.key ? 1 : orderOf(one) - orderOf(other) || one.index - other.index));
	const entries = new Map<number, RunEntry>();
	const faults = new Map<number, TestbedError>();
	await withWorkers(queue, jobs, async take => runWorker(take, {
		onEntry(index, entry) {
			entries.set(index, entry);
			onEntry?.(entry);
		},
		onFault(index, fault) {
			faults.set(index, fault);
		},
		lacking: new Map(),
		onEvidence,
	}));
	const [first] = queued;
	if (first !== undefined && faults.size === queued.length) {
		throw faults.get(first.index)!;
	}

	return queued.map(({index}) => entries.get(index)!);
}

/** Which errors are those of the machine, whatever the rules. */
const machineCodes: ReadonlySet<ErrorCode> = new Set(['MACHINE', 'MISSING_PROGRAM', 'COMMAND_FAILED', 'SYSCALL_FAILED', 'ACTOR_FAILED']);

/** An error in one sentence or two: what came back, and what to do. */
function reasonOf({message, hint}: TestbedError): string {
	return hint === undefined ? message : `${message} → ${hint}`;
}

function keyOf(options: RunOptions): string {
	return reuseKey({...options, ...options.scenario, intent: options.rules.intent});
}

/** Back ends in an order in which each can follow the one before on the same stage. */
function orderOf({options: {rules: {backend}}}: QueuedRun): number {
	return runOrderOf(backend);
}

type WorkerListener = {
	readonly onEntry: (index: number, entry: RunEntry) => void;
	readonly onFault: (index: number, fault: TestbedError) => void;
	/** Back ends of which is known that the machine lacks them: nothing more is tried on them. */
	readonly lacking: Map<Backend, TestbedError>;
	readonly onEvidence: OnEvidence | undefined;
};

/** One stage after the other, until nothing is left to play. */
async function runWorker(take: () => QueuedRun | undefined, listener: WorkerListener): Promise<void> {
	let job = take();
	while (job !== undefined) {
		job = await runOnOneSandbox(job, take, listener); // eslint-disable-line no-await-in-loop -- A lane is one thing after the other.
	}
}

/** Plays jobs as long as they fit the stage; returns the first that does not. */
async function runOnOneSandbox(first: QueuedRun, take: () => QueuedRun | undefined, listener: WorkerListener): Promise<QueuedRun | undefined> {
	const known = listener.lacking.get(first.options.rules.backend);
	if (known !== undefined) {
		noteFault(first, known, listener);
		return take();
	}

	let sandbox: ActorSandbox;
	try {
		sandbox = await ActorSandbox.create({...first.options, ...first.options.scenario, intent: first.options.rules.intent});
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
			return take(); // Whatever is left of it goes with its stage.
		}

		job = take();
	}

	return job;
}

function namesOf({options: {rules: {source, release, backend}, scenario}}: QueuedRun): Pick<RunEntry, 'source' | 'release' | 'backend' | 'scenario'> {
	return {source, release, backend, ...(scenario === undefined ? {} : {scenario: scenario.name})};
}

/** @throws what is neither the rules' fault nor the machine's. */
function noteError(job: QueuedRun, error: unknown, listener: WorkerListener): void {
	if (error instanceof TestbedError && error.code === 'RULES_REJECTED') {
		listener.onEntry(job.index, {...namesOf(job), kind: 'rejected', reason: error.message});
		return;
	}

	// A program that the terminal's signal has ended as well is not the machine's fault.
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
