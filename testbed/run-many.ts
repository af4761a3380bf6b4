/**
Many rule sets on several stages at once. A stage is kept for the next rule set as long as that needs the same actors: starting the processes costs more than everything else.
*/

import type {Backend} from '../src/netfilter/types.js';
import type {RunEntry} from '../src/report/runs.js';
import type {Report} from '../src/report/types.js';
import {TestbedError} from './errors.js';
import type {RunEvidence} from './judging.js';
import {inLanes} from './lanes.js';
import type {RunOptions} from './options.js';
import {playOn} from './run.js';
import {canFollow} from './sandbox/held-rules.js';
import {castingKey, Stage} from './stage.js';

/** Given a report and what it was made of; for a recording. */
export type OnEvidence = (report: Report, evidence: RunEvidence) => void;

type Job = {readonly options: RunOptions; readonly index: number; readonly key: string};

/**
Plays all of them and returns what came of each, in the order given. A set that the kernel rejects is an entry of its own; anything else that goes wrong ends all.

@throws {TestbedError} when the machine cannot do it, an actor cannot start, or the run is interrupted.
*/
export async function runMany(all: readonly RunOptions[], {lanes, onEntry, onEvidence}: {
	readonly lanes: number; readonly onEntry?: (entry: RunEntry) => void; readonly onEvidence?: OnEvidence | undefined;
}): Promise<readonly RunEntry[]> {
	const jobs = all.map((options, index): Job => ({options, index, key: keyOf(options)}));
	// Alike ones behind each other, so that a stage is rarely changed.
	const queue = jobs.toSorted((one, other) => one.key < other.key ? -1 : (one.key > other.key ? 1 : orderOf(one) - orderOf(other) || one.index - other.index));
	const entries = new Map<number, RunEntry>();
	await inLanes(queue, lanes, async take => playLane(take, {
		onEntry(index, entry) {
			entries.set(index, entry);
			onEntry?.(entry);
		},
		onEvidence,
	}));
	return jobs.map(({index}) => entries.get(index)!);
}

function keyOf(options: RunOptions): string {
	return castingKey({...options, ...options.scenario, intent: options.rules.intent});
}

/** Back ends in an order in which each can follow the one before on the same stage. */
function orderOf({options: {rules: {backend}}}: Job): number {
	return ['iptables-nft', 'nftables', 'iptables-legacy'].indexOf(backend);
}

type LaneListener = {readonly onEntry: (index: number, entry: RunEntry) => void; readonly onEvidence: OnEvidence | undefined};

/** One stage after the other, until nothing is left to play. */
async function playLane(take: () => Job | undefined, listener: LaneListener): Promise<void> {
	let job = take();
	while (job !== undefined) {
		job = await playOnOneStage(job, take, listener); // eslint-disable-line no-await-in-loop -- A lane is one thing after the other.
	}
}

/** Plays jobs as long as they fit the stage; returns the first that does not. */
async function playOnOneStage(first: Job, take: () => Job | undefined, {onEntry, onEvidence}: LaneListener): Promise<Job | undefined> {
	await using stage = await Stage.create({...first.options, ...first.options.scenario, intent: first.options.rules.intent});
	let job: Job | undefined = first;
	let {backend}: {backend: Backend} = first.options.rules;
	while (job?.key === first.key && canFollow(backend, job.options.rules.backend)) {
		const {options, index} = job;
		({backend} = options.rules);
		const {rules: {source, release}} = options;
		const named = {source, release, backend, ...(options.scenario === undefined ? {} : {scenario: options.scenario.name})};
		try {
			const {report, evidence} = await playOn(stage, options); // eslint-disable-line no-await-in-loop -- One set of rules at a time.
			onEvidence?.(report, evidence);
			onEntry(index, {...named, kind: 'report', report});
		} catch (error) {
			if (!(error instanceof TestbedError && error.code === 'RULES_REJECTED')) {
				throw error;
			}

			onEntry(index, {...named, kind: 'rejected', reason: error.message});
			return take(); // Whatever is left of it goes with its stage.
		}

		job = take();
	}

	return job;
}
