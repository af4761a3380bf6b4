/**
Plays probes on a stage: rules in, trace on, probes out, and what the kernel did of each. Doubtful ones are sent once more. It does not know what was expected.
*/

import type {RuleInput} from '../inputs/types.js';
import type {InstalledRules} from '../sandbox/install.js';
import {NetlinkTraceSource} from '../tracer/netlink-source.js';
import type {TraceSource} from '../tracer/trace-source.js';
import type {KernelTexts} from '../../src/trace/loaded-rules.js';
import {evidenceOf} from './actor-credentials.js';
import type {KernelEvidence} from './evidence.js';
import {sendRound, type Sending} from './round.js';
import type {RunOptions} from './options.js';
import {
	doubtfulIn, observeEvidence, mergeRounds, type ObservedRound, type Observations,
} from './observe.js';
import {valueOf, type ActorSandbox} from './actor-sandbox.js';

/** What to play. */
export type ProbeRun = Pick<RunOptions, 'families' | 'traceBufferBytes' | 'signal' | 'onProgress' | 'onActors'> & {
	readonly rules: Pick<RuleInput, 'ruleSet' | 'routing' | 'backend' | 'lines'>;
	readonly sendings: readonly Sending[];
	/** What can be done while the probes are on their way. */
	readonly meanwhile?: () => Promise<void>;
};

/**
Puts the rules on a stage that may have held others, and sends the probes, all at once.

@throws {TestbedError} when the kernel rejects the rules, an actor cannot start, or the play is interrupted.
*/
export async function sendProbes(ownSandbox: ActorSandbox, run: ProbeRun): Promise<Observations & {readonly evidence: KernelEvidence}> {
	const {rules: {backend}, families, sendings, onProgress, signal, meanwhile = async () => undefined} = run;
	const {pod} = ownSandbox.sandbox;
	const loadState = async (): Promise<KernelTexts> => ownSandbox.loadState(backend, families);
	const newSource = (): TraceSource => new NetlinkTraceSource(pod, {backend, bufferBytes: run.traceBufferBytes, hasInvalid: sendings.some(({probe}) => probe.packet === 'invalid')});
	await using source = newSource();
	const [groupResult, prepared] = await Promise.allSettled([ownSandbox.actorGroup(), prepare({
		ownSandbox, source, loadState, play: run,
	})]);
	const actorGroup = valueOf(groupResult);
	const {held: {ruleSet, texts}, before} = valueOf(prepared);
	run.onActors?.(actorGroup.actors);
	signal.throwIfAborted();

	onProgress(`sending ${sendings.length} ${sendings.length === 1 ? 'probe' : 'probes'}`);
	const shared = {
		loadState, pod, actorGroup, untilAborted: racer(signal),
	};
	const [first, other] = await Promise.allSettled([
		sendRound(sendings, {
			...shared, source, before, round: 1,
		}),
		meanwhile(),
	]);
	const evidence = [valueOf(first)];
	valueOf(other);
	const firstRound = observeEvidence(evidence[0]!, {ruleSet, backend});
	const laterRounds: ObservedRound[] = [];
	const doubtful = doubtfulIn(firstRound);
	if (doubtful.length > 0 && [...actorGroup.actors.values()].every(({gap}) => gap === undefined)) {
		onProgress(`sending ${doubtful.length} ${doubtful.length === 1 ? 'probe' : 'probes'} again, from new ports`);
		// The kernel gives the log of a namespace to one reader at a time.
		await source[Symbol.asyncDispose]();
		await using second = newSource();
		await second.start();
		const again = await sendRound(doubtful.map(index => sendings[index]!), {
			...shared, source: second, before: await loadState(), round: 2, indexes: doubtful,
		});
		evidence.push(again);
		laterRounds.push(observeEvidence(again, {ruleSet, backend}));
	}

	const actors = evidenceOf(actorGroup);
	actorGroup.forget();
	return {
		...mergeRounds({ruleSet, rounds: [firstRound, ...laterRounds], actors}),
		evidence: {
			held: texts, rounds: evidence, actors, sysctls: ownSandbox.sandbox.sysctls,
		},
	};
}

/** Rules and the trace, in an order in which no packet can slip through: the trace is on and the counters are read before anybody sends. */
async function prepare({ownSandbox, source, loadState, play: {rules, families}}: {
	ownSandbox: ActorSandbox; source: TraceSource; loadState: () => Promise<KernelTexts>; play: ProbeRun;
}): Promise<{readonly held: InstalledRules; readonly before: KernelTexts}> {
	// Settled: nobody may dispose of a source that is still starting.
	const [installed, started] = await Promise.allSettled([ownSandbox.install({...rules, families}), source.start()]);
	const installedNow = valueOf(installed);
	valueOf(started);
	return {held: installedNow, before: await loadState()};
}

/** Lets a wait end when the run is interrupted, so that everything is taken down. */
function racer(signal: AbortSignal): <T>(act: Promise<T>) => Promise<T> {
	return async act => new Promise((resolve, reject) => {
		const onAbort = (): void => {
			reject(signal.reason as Error);
		};

		signal.addEventListener('abort', onAbort, {once: true});
		const mergeRounds = async (): Promise<void> => {
			try {
				resolve(await act);
			} catch (error) {
				reject(error instanceof Error ? error : new Error(String(error), {cause: error}));
			} finally {
				signal.removeEventListener('abort', onAbort);
			}
		};

		void mergeRounds();
	});
}
