/**
Runs `testbed run`: the only file that knows the order of the steps.
*/

import type {Environment} from '../../src/report/shared-types.js';
import type {Report} from '../../src/report/run/types.js';
import {loadEnvironment} from '../confinement/environment.js';
import {TestbedError} from '../errors.js';
import {
	casesOf, buildReport, questionOf, type RunEvidence,
} from './report.js';
import type {RunOptions} from './options.js';
import {sendProbes} from './send.js';
import {ActorSandbox} from './actor-sandbox.js';

/** The report of a run, and its evidence. */
export type RunResult = {readonly report: Report; readonly evidence: RunEvidence};

/**
Builds the sandbox, sends the types, judges the result, and removes the sandbox, whatever happens.

@throws {TestbedError} if the machine cannot do it, the kernel rejects the rules, an actor cannot start, or the run is interrupted.
*/
export async function runTestbed(options: RunOptions): Promise<RunResult> {
	await using ownSandbox = await createActorSandbox(options);
	const result = await runOn(ownSandbox, options); // Awaited here, so that the sandbox lives until it is done.
	return result;
}

/** Creates the sandbox of a run with its actors. The caller disposes of it. */
export async function createActorSandbox(options: RunOptions): Promise<ActorSandbox> {
	options.onProgress('building the sandbox, installing the rules, starting the actors');
	return ActorSandbox.create({...options, ...options.scenario, mesh: options.rules.mesh, intent: options.rules.intent, topology: options.rules.topology});
}

/** Runs one rule set in a sandbox that may have been used for others. */
export async function runOn(ownSandbox: ActorSandbox, options: RunOptions): Promise<RunResult> {
	const startedAt = performance.now();
	const {rules: {backend}, onProgress} = options;
	const question = questionOf(options, ownSandbox.topology);
	const cases = casesOf(question);
	const seen = await sendProbes(ownSandbox, {
		...options,
		sendings: cases.map(({id, article, probe}) => ({id, label: `${article === null && options.scenario !== undefined ? 'probe' : 'type'} ${id}`, probe})),
	});
	const environment: Environment = {...await loadEnvironment(backend), ...programOf(options.proxy)};
	onProgress('judging');
	const judged = buildReport(question, {cases, seen, environment});
	const durationMs = Math.round(performance.now() - startedAt);
	return {
		report: {...judged, durationMs},
		evidence: {
			question, play: seen.evidence, environment, durationMs,
		},
	};
}

/** What the environment says of a proxy that is not the testbed's own. */
function programOf(proxy: RunOptions['proxy']): Pick<Environment, 'proxy'> {
	return proxy?.version === undefined ? {} : {proxy: `${proxy.name} ${proxy.version}`};
}

/** The error of an interrupted run. */
export function interrupted(signal: string): TestbedError {
	return new TestbedError('INTERRUPTED', {message: `Interrupted by ${signal}.`, state: 'Everything that the run created was removed.'});
}
