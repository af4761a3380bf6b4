/**
Plays probes on a stage: rules in, trace on, probes out, and what the kernel did of each. Doubtful ones are sent once more. It does not know what was expected.
*/

import {createHash} from 'node:crypto';
import type {AddressFamily, Backend, RuleSet} from '../src/netfilter/types.js';
import {printRuleSet} from '../src/report/rules-text.js';
import type {Gap} from '../src/trace/gap.js';
import type {LoadedRule} from '../src/trace/loaded-rules.js';
import type {Observation} from '../src/trace/observation.js';
import {compareRules} from '../src/trace/witness.js';
import {
	actorGapsOf, credentialsOf, socketGapsOf, type FoundCredentials,
} from './actors/identity.js';
import {observeRound, playRound, type Sending} from './observe.js';
import type {RuleInput, RunOptions} from './options.js';
import type {KernelState} from './sandbox/kernel-state.js';
import {valueOf, type Stage} from './stage.js';
import {NetlinkTraceSource} from './tracer/netlink-source.js';
import type {TraceSource} from './tracer/recording.js';

/** What to play. */
export type Play = Pick<RunOptions, 'families' | 'traceBufferBytes' | 'signal' | 'onStage' | 'onActors'> & {
	readonly rules: Pick<RuleInput, 'ruleSet' | 'routing' | 'backend' | 'lines'>;
	readonly sendings: readonly Sending[];
	/** What can be done while the probes are on their way. */
	readonly meanwhile?: () => Promise<void>;
};

/** What came of it. */
export type Played = {
	/** The rules as the kernel held them. */
	readonly ruleSet: RuleSet;
	/** The same with handles and counters, before the first probe. */
	readonly before: readonly LoadedRule[];
	/** One for each probe, in their order, with every gap: of the trace, of the actors, of the sockets' owners. */
	readonly observations: readonly Observation[];
	/** Who the actors were, by the kernel. */
	readonly found: FoundCredentials;
};

/**
Puts the rules on a stage that may have held others, and sends the probes, all at once.

@throws {TestbedError} when the kernel rejects the rules, an actor cannot start, or the play is interrupted.
*/
export async function playProbes(stage: Stage, play: Play): Promise<Played> {
	const {rules: {backend}, families, sendings, onStage, signal, meanwhile = async () => undefined} = play;
	const {pod} = stage.sandbox;
	const loadState = async (): Promise<KernelState> => stage.loadState(backend, families);
	const newSource = (): TraceSource => new NetlinkTraceSource(pod, {backend, bufferBytes: play.traceBufferBytes, hasInvalid: sendings.some(({probe}) => probe.packet === 'invalid')});
	await using source = newSource();
	const [castResult, prepared] = await Promise.allSettled([stage.cast(), prepare({
		stage, source, loadState, play,
	})]);
	const cast = valueOf(castResult);
	const {ruleSet, before} = valueOf(prepared);
	play.onActors?.(cast.actors);
	signal.throwIfAborted();

	onStage(`sending ${sendings.length} ${sendings.length === 1 ? 'probe' : 'probes'}`);
	const shared = {
		loadState, pod, cast, untilAborted: racer(signal),
	};
	const [first, other] = await Promise.allSettled([
		playRound(sendings, {
			...shared, source, before, round: 1,
		}),
		meanwhile(),
	]);
	const observations = [...observeRound(valueOf(first), ruleSet)];
	valueOf(other);
	const doubtful = sendings.flatMap((_, index) => observations[index]!.gaps.length > 0 ? [index] : []);
	if (doubtful.length > 0 && [...cast.actors.values()].every(({gap}) => gap === undefined)) {
		onStage(`sending ${doubtful.length} ${doubtful.length === 1 ? 'probe' : 'probes'} again, from new ports`);
		// The kernel gives the log of a namespace to one reader at a time.
		await source[Symbol.asyncDispose]();
		await using second = newSource();
		await second.start();
		const {rules: beforeAgain} = await loadState();
		// Packets can be sent again. Rules that are no longer those that were installed stay so, and no number would mean what it says.
		const changed = compareRules({before, after: beforeAgain});
		const again = observeRound(await playRound(doubtful.map(index => sendings[index]!), {
			...shared, source: second, before: beforeAgain, round: 2,
		}), ruleSet);
		for (const [position, index] of doubtful.entries()) {
			observations[index] = withGaps(again[position]!, changed);
		}
	}

	const found = credentialsOf(cast);
	const actorGaps = actorGapsOf(cast, {asked: cast.company, found});
	cast.forget();
	return {
		ruleSet,
		before,
		observations: observations.map(observation => {
			const {gaps} = withGaps(observation, actorGaps);
			return {...observation, gaps: [...gaps, ...socketGapsOf(observation, cast.company)]};
		}),
		found,
	};
}

/** Rules and the trace, in an order in which no packet can slip through: the trace is on and the counters are read before anybody sends. */
async function prepare({stage, source, loadState, play: {rules, families}}: {
	stage: Stage; source: TraceSource; loadState: () => Promise<KernelState>; play: Play;
}): Promise<{readonly ruleSet: RuleSet; readonly before: readonly LoadedRule[]}> {
	// Settled: nobody may dispose of a source that is still starting.
	const [installed, started] = await Promise.allSettled([stage.install({...rules, families}), source.start()]);
	const ruleSet = valueOf(installed);
	valueOf(started);
	const {rules: before} = await loadState();
	return {ruleSet, before};
}

/** The checksum of a report: of the rules of the given families as text, each back end's own way. */
export function checksumOf(rules: {readonly backend: Backend; readonly families: readonly AddressFamily[]; readonly ruleSet: RuleSet}): string {
	return createHash('sha256').update(printRuleSet(rules)).digest('hex');
}

/** Lets a wait end when the run is interrupted, so that everything is taken down. */
function racer(signal: AbortSignal): <T>(act: Promise<T>) => Promise<T> {
	return async act => new Promise((resolve, reject) => {
		const onAbort = (): void => {
			reject(signal.reason as Error);
		};

		signal.addEventListener('abort', onAbort, {once: true});
		const settle = async (): Promise<void> => {
			try {
				resolve(await act);
			} catch (error) {
				reject(error instanceof Error ? error : new Error(String(error), {cause: error}));
			} finally {
				signal.removeEventListener('abort', onAbort);
			}
		};

		void settle();
	});
}

function withGaps(observation: Observation, gaps: readonly Gap[]): Observation {
	return {...observation, gaps: [...gaps, ...observation.gaps]};
}
