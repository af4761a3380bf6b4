/**
The conductor of `testbed run`: the only file that knows the order of acts.
*/

import type {Environment} from '../../src/report/shared-types.js';
import type {Report} from '../../src/report/run/types.js';
import {loadEnvironment} from '../system/environment.js';
import {TestbedError} from '../errors.js';
import {keep} from '../sandbox/keep.js';
import {
	casesOf, buildReport, questionOf, type RunEvidence,
} from './report.js';
import type {RunOptions} from './options.js';
import {sendProbes} from './send.js';
import {ActorSandbox} from './actor-sandbox.js';

/** What a run came to, and what its report was made of. `kept` tells how to enter what `--keep` left. */
export type RunResult = {readonly report: Report; readonly evidence: RunEvidence; readonly kept: readonly string[]};

/**
Builds the world, sends the types, judges, and takes the world down again, whatever happens on the way.

@throws {TestbedError} when the machine cannot do it, the kernel rejects the rules, an actor cannot start, or the run is interrupted.
*/
export async function runTestbed(options: RunOptions): Promise<RunResult> {
	options.onProgress('building the sandbox, installing the rules, starting the actors');
	await using ownSandbox = await ActorSandbox.create({...options, ...options.scenario, intent: options.rules.intent});
	const result = await runOn(ownSandbox, options); // The stage stands until this is done.
	return result;
}

/** Plays one rule set on a stage that may have played others. */
export async function runOn(ownSandbox: ActorSandbox, options: RunOptions): Promise<RunResult> {
	const startedAt = performance.now();
	const {rules: {backend}, onProgress} = options;
	const question = questionOf(options, ownSandbox.topology);
	const cases = casesOf(question);
	let environment: Environment | undefined;
	const seen = await sendProbes(ownSandbox, {
		...options,
		sendings: cases.map(({id, article, probe}) => ({id, label: `${article === null && id !== '4b' ? 'probe' : 'type'} ${id}`, probe})),
		// Asking the tools for their versions costs nothing while the probes are on their way.
		async meanwhile() {
			environment = await loadEnvironment(backend);
		},
	});
	onProgress('judging');
	const judged = buildReport(question, {cases, seen, environment: environment!});
	const kept = options.keep ? await keep(ownSandbox.sandbox) : [];
	const durationMs = Math.round(performance.now() - startedAt);
	return {
		report: {...judged, durationMs},
		evidence: {
			question, play: seen.evidence, environment: environment!, durationMs,
		},
		kept,
	};
}

/** The error of an interrupted run. */
export function interrupted(signal: string): TestbedError {
	return new TestbedError('INTERRUPTED', {message: `Interrupted by ${signal}.`, state: 'Everything that the run had made is gone.'});
}
