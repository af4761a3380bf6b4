/**
Sends probes in a sandbox: installs rules, turns tracing on, sends, and observes what the kernel did with each probe. Probes with gaps are sent once more. Nothing here knows what is expected.
*/

import type {RuleInput} from '../inputs/types.js';
import type {InstalledRules} from '../sandbox/install.js';
import {prepareEnvironment} from '../confinement/environment.js';
import {NetlinkTraceSource} from '../tracer/netlink-source.js';
import {PacketCapture} from '../tracer/packet-capture.js';
import type {TraceSource} from '../tracer/trace-source.js';
import type {KernelReading} from '../tracer/kernel-texts.js';
import {evidenceOf} from './actor-credentials.js';
import type {KernelEvidence} from './evidence.js';
import type {Sending} from './groups.js';
import {sendRound} from './round.js';
import type {RunOptions} from './options.js';
import {
	doubtfulIn, observeEvidence, mergeRounds, type ObservedRound, type Observations,
} from './observe.js';
import {valueOf, type ActorSandbox} from './actor-sandbox.js';

/** The probes to send, and the rules to send them through. */
export type ProbeRun = Pick<RunOptions, 'families' | 'traceBufferBytes' | 'isRecorded' | 'signal' | 'onProgress' | 'onActors' | 'onCapture'> & {
	readonly rules: Pick<RuleInput, 'ruleSet' | 'routing' | 'backend' | 'lines'>;
	readonly sendings: readonly Sending[];
};

/**
Installs the rules in a sandbox, replacing earlier ones, and sends the probes, all at once.

@throws {TestbedError} if the kernel rejects the rules, an actor cannot start, or the run is interrupted.
*/
export async function sendProbes(ownSandbox: ActorSandbox, run: ProbeRun): Promise<Observations & {readonly evidence: KernelEvidence}> {
	const {
		rules: {backend}, families, sendings, isRecorded = false, onProgress, signal,
	} = run;
	prepareEnvironment(backend);
	const {pod} = ownSandbox.sandbox;
	const loadState = async (): Promise<KernelReading> => ownSandbox.loadState({backend, families, isRecorded});
	const newSource = (hasAnswers: boolean): TraceSource => new NetlinkTraceSource(pod, ownSandbox.traceSwitch, {
		backend, bufferBytes: run.traceBufferBytes, hasInvalid: sendings.some(({probe}) => probe.packet === 'invalid'), hasAnswers,
	});
	await using source = newSource(false);
	const [groupResult, prepared] = await Promise.allSettled([ownSandbox.actorGroup(), prepare({
		ownSandbox, source, loadState, play: run,
	})]);
	const actorGroup = valueOf(groupResult);
	const {held: {ruleSet, texts}, before} = valueOf(prepared);
	run.onActors?.(actorGroup.actors);
	using capture = run.onCapture === undefined ? undefined : new PacketCapture(ownSandbox.sandbox.namespaces());
	signal.throwIfAborted();

	onProgress(`sending ${sendings.length} ${sendings.length === 1 ? 'probe' : 'probes'}`);
	const packetWatch = ownSandbox.packetWatch();
	const shared = {
		loadState, pod, actorGroup, untilAborted: racer(signal), lost: {packetWatch, ruleSet},
	};
	const evidence = [await sendRound(sendings, {
		...shared, source, before, round: 1,
	})];
	const {answered} = ownSandbox.sandbox;
	const firstRound = observeEvidence(evidence[0]!, {ruleSet, backend, answered});
	const laterRounds: ObservedRound[] = [];
	const doubtful = doubtfulIn(firstRound);
	// What an actor could not do makes every probe inconclusive, whatever comes of a second try.
	if (doubtful.length > 0 && [...actorGroup.actors.values()].every(({gap, troubles}) => gap === undefined && troubles.length === 0)) {
		onProgress(`sending ${doubtful.length} ${doubtful.length === 1 ? 'probe' : 'probes'} again, from new ports`);
		// The kernel allows only one reader of a namespace's log at a time.
		await source[Symbol.asyncDispose]();
		// Connections without an end may have had an answer that the rules dropped.
		await using second = newSource(true);
		await second.start();
		const again = await sendRound(doubtful.map(index => sendings[index]!), {
			...shared, source: second, before: await loadState(), round: 2, indexes: doubtful,
		});
		evidence.push(again);
		laterRounds.push(observeEvidence(again, {ruleSet, backend, answered}));
	}

	if (capture !== undefined) {
		run.onCapture?.(capture.read((netns, frame) => packetWatch.isOwn(netns, frame)));
	}

	const actors = evidenceOf(actorGroup);
	actorGroup.forget();
	return {
		...mergeRounds({ruleSet, rounds: [firstRound, ...laterRounds], actors}),
		evidence: {
			held: texts, rounds: evidence, actors, answered, sysctls: ownSandbox.sandbox.sysctls,
		},
	};
}

/** Installs rules and starts the trace in an order that misses no packet: the trace is on and the counters are read before anything is sent. The counters of many rules are read while the rules are compared with those asked for: a third of a second for 10,500 (bench). */
async function prepare({ownSandbox, source, loadState, play: {rules, families}}: {
	ownSandbox: ActorSandbox; source: TraceSource; loadState: () => Promise<KernelReading>; play: ProbeRun;
}): Promise<{readonly held: InstalledRules; readonly before: KernelReading}> {
	const starting = source.start();
	const loadOnceTraced = async (): Promise<KernelReading> => {
		await starting;
		return loadState();
	};

	let loading: Promise<readonly [PromiseSettledResult<KernelReading>]> | undefined;
	// `allSettled`, because neither a source that is still starting nor a namespace that is being read must be disposed of.
	const [installed, started] = await Promise.allSettled([
		ownSandbox.install({
			...rules, families, onLoaded() {
				loading = Promise.allSettled([loadOnceTraced()]);
			},
		}),
		starting,
	]);
	const [before] = await loading ?? [];
	const installedNow = valueOf(installed);
	valueOf(started);
	return {held: installedNow, before: valueOf(before!)};
}

/** Makes a function that rejects a wait when the run is interrupted, so that everything is cleaned up. */
function racer(signal: AbortSignal): <T>(act: Promise<T>) => Promise<T> {
	return async act => new Promise((resolve, reject) => {
		const onAbort = (): void => {
			reject(signal.reason as Error);
		};

		signal.addEventListener('abort', onAbort, {once: true});
		const forward = async (): Promise<void> => {
			try {
				resolve(await act);
			} catch (error) {
				reject(error instanceof Error ? error : new Error(String(error), {cause: error}));
			} finally {
				signal.removeEventListener('abort', onAbort);
			}
		};

		void forward();
	});
}
