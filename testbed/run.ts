/**
The conductor of `testbed run`: the only file that knows the order of acts.
*/

import {createHash} from 'node:crypto';
import {printNft} from '../src/netfilter/nft.js';
import {printSave} from '../src/netfilter/save.js';
import type {AddressFamily, RuleSet} from '../src/netfilter/types.js';
import {judge} from '../src/judge/judge.js';
import {comparePublished} from '../src/judge/published.js';
import {ruleNotes} from '../src/judge/rule-notes.js';
import type {Report, TypeResult} from '../src/report/types.js';
import {actorsFor, standardCompany, type Company} from '../src/scenario/company.js';
import {sixTypes} from '../src/scenario/six-types.js';
import type {Topology} from '../src/scenario/topology.js';
import type {TrafficCase} from '../src/scenario/types.js';
import type {Gap} from '../src/trace/gap.js';
import type {LoadedRule} from '../src/trace/loaded-rules.js';
import type {Observation} from '../src/trace/observation.js';
import {compareRules, unwitnessedRules} from '../src/trace/witness.js';
import {
	actorGapsOf, credentialsOf, socketGapsOf, type FoundCredentials,
} from './actors/identity.js';
import {loadEnvironment} from './environment.js';
import {TestbedError} from './errors.js';
import {observeRound, playRound} from './observe.js';
import type {RunOptions} from './options.js';
import {keep} from './sandbox/keep.js';
import type {KernelState} from './sandbox/kernel-state.js';
import {Stage, valueOf} from './stage.js';
import {NetlinkTraceSource} from './tracer/netlink-source.js';
import type {TraceSource} from './tracer/recording.js';

/** What a run came to. `kept` tells how to enter what `--keep` left. */
export type RunResult = {readonly report: Report; readonly kept: readonly string[]};

/**
Builds the world, sends the types, judges, and takes the world down again, whatever happens on the way.

@throws {TestbedError} when the machine cannot do it, the kernel rejects the rules, an actor cannot start, or the run is interrupted.
*/
export async function runTestbed(options: RunOptions): Promise<RunResult> {
	options.onStage('building the sandbox, installing the rules, starting the actors');
	await using stage = await Stage.create({...options, ...options.scenario, intent: options.rules.intent});
	const result = await playOn(stage, options); // The stage stands until this is done.
	return result;
}

/** Plays one rule set on a stage that may have played others. */
export async function playOn(stage: Stage, options: RunOptions): Promise<RunResult> {
	const startedAt = performance.now();
	const {rules, families, credentials, onStage, signal} = options;
	const {backend} = rules;
	const {topology, sandbox} = stage;
	const untilAborted = racer(signal);
	const company = companyOf(options, topology);
	const cases: readonly TrafficCase[] = options.scenario?.cases ?? families.flatMap(family => sixTypes({
		intent: rules.intent, actors: credentials, topology, family, ids: options.types,
	}));
	const loadState = async (): Promise<KernelState> => stage.loadState(backend, families);
	const newSource = (): TraceSource => new NetlinkTraceSource(sandbox.pod, {backend, bufferBytes: options.traceBufferBytes});
	await using source = newSource();
	const [castResult, prepared] = await Promise.allSettled([stage.cast(), prepare({
		stage, source, loadState, options,
	})]);
	const cast = valueOf(castResult);
	const {ruleSet, before} = valueOf(prepared);
	options.onActors?.(cast.actors);
	signal.throwIfAborted();

	onStage(`sending ${cases.length} probes`);
	const shared = {
		loadState, pod: sandbox.pod, cast, untilAborted,
	};
	// Asking the tools for their versions costs nothing while the probes are on their way.
	const [first, environment] = await Promise.allSettled([
		playRound(cases, {
			...shared, source, before, round: 1,
		}),
		loadEnvironment(backend),
	]);
	const observations = [...observeRound(valueOf(first), ruleSet)];
	const doubtful = cases.flatMap((_, index) => observations[index]!.gaps.length > 0 ? [index] : []);
	if (doubtful.length > 0 && [...cast.actors.values()].every(({gap}) => gap === undefined)) {
		onStage(`sending ${doubtful.length} probes again, from new ports`);
		// The kernel gives the log of a namespace to one reader at a time.
		await source[Symbol.asyncDispose]();
		await using second = newSource();
		await second.start();
		const {rules: beforeAgain} = await loadState();
		// Packets can be sent again. Rules that are no longer those that were installed stay so, and no number would mean what it says.
		const changed = compareRules({before, after: beforeAgain});
		const again = observeRound(await playRound(doubtful.map(index => cases[index]!), {
			...shared, source: second, before: beforeAgain, round: 2,
		}), ruleSet);
		for (const [position, index] of doubtful.entries()) {
			observations[index] = withGaps(again[position]!, changed);
		}
	}

	onStage('judging');
	const found = credentialsOf(cast);
	const actorGaps = actorGapsOf(cast, {asked: company, found});
	cast.forget();
	const types = cases.map((traffic, index) => resultOf({
		traffic, observation: withGaps(observations[index]!, actorGaps), ruleSet, options, found, company,
	}));
	const kept = options.keep ? await keep(sandbox) : [];
	return {
		report: {
			...(options.scenario === undefined ? {} : {scenario: {name: options.scenario.name, about: options.scenario.about}}),
			environment: valueOf(environment),
			rules: {
				source: rules.source, release: rules.release, backend, sha256: createHash('sha256').update(printRules(ruleSet, families)).digest('hex'),
			},
			types,
			// What single probes do not meet is nothing to be told: they were not chosen to meet every rule.
			ruleNotes: options.scenario === undefined ? ruleNotes({ruleSet, reference: rules.reference, results: types}) : [],
			hints: [...rules.warnings, ...hintsOf(options), ...witnessHints(before, types)],
			durationMs: Math.round(performance.now() - startedAt),
		},
		kept,
	};
}

/** Rules and the trace, in an order in which no packet can slip through: the trace is on and the counters are read before anybody sends. */
async function prepare({stage, source, loadState, options: {rules, families}}: {
	stage: Stage; source: TraceSource; loadState: () => Promise<KernelState>; options: RunOptions;
}): Promise<{readonly ruleSet: RuleSet; readonly before: readonly LoadedRule[]}> {
	// Settled: nobody may dispose of a source that is still starting.
	const [installed, started] = await Promise.allSettled([stage.install({...rules, families}), source.start()]);
	const ruleSet = valueOf(installed);
	valueOf(started);
	const {rules: before} = await loadState();
	return {ruleSet, before};
}

/** The rules of the given families as text, each back end's own way: what the checksum of a report is made of. */
function printRules(ruleSet: RuleSet, families: readonly AddressFamily[]): string {
	const native: RuleSet = {tables: ruleSet.tables.filter(({family}) => family === 'inet')};
	return [...families.map(family => printSave(ruleSet, family)), ...(native.tables.length > 0 ? [printNft(native)] : [])].join('');
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

/** Who plays: those of the user's file, or the usual ones. */
function companyOf({scenario, types, credentials, rules: {intent}}: RunOptions, topology: Topology): Company {
	return scenario?.company ?? standardCompany({
		topology, intent, names: actorsFor(types), credentials,
	});
}

function resultOf({traffic, observation, ruleSet, options, found, company}: {
	traffic: TrafficCase; observation: Observation; ruleSet: RuleSet; options: RunOptions; found: FoundCredentials; company: Company;
}): TypeResult {
	const gaps = [...observation.gaps, ...socketGapsOf(observation, company)];
	const whole = {...observation, gaps};
	const {outcome, observedRoles, decidingRoles} = judge({traffic, observation: whole, ruleSet});
	const {legs} = observation.path;
	const names = new Set<string>([traffic.probe.actor, ...legs.map(({actor}) => actor), ...legs.flatMap(({end}) => end.kind === 'accepted' ? [end.stop.split(':')[0]!] : [])]);
	const actors: TypeResult['actors'] = Object.fromEntries([...found].filter(([name]) => names.has(name)));
	return {
		id: traffic.id,
		name: traffic.name,
		family: traffic.probe.family,
		actors,
		outcome,
		legs,
		loop: observation.loop,
		expected: traffic.expected,
		observedRoles,
		decidingRoles,
		published: comparePublished({
			traffic, observation: whole, ruleSet, intent: options.rules.intent,
		}),
		gaps,
		...(traffic.fault === undefined ? {} : {fault: traffic.fault}),
	};
}

/** What a reader may have overlooked. */
function hintsOf({rules: {intent}, credentials: {proxy}, scenario}: RunOptions): readonly string[] {
	if (scenario !== undefined) {
		return scenario.cases.flatMap(({name, fault}) => fault === undefined ? [] : [`${name}: a known fault, held fast. ${fault.because} Meant: ${fault.intended.join(' → ')}.`]);
	}

	const {proxyUids, proxyGids} = intent;
	// A transparent proxy is known by its group or its mark, and is meant to be (`credentialsOf` in commands/run.ts).
	const isKnownOtherwise = intent.ambient !== undefined || (intent.inboundInterceptionMode === 'TPROXY' && proxyGids.includes(proxy.gid));
	return proxyUids.includes(proxy.uid) || isKnownOtherwise ? [] : [`The rules let UID ${proxyUids.join(', ')} out as the proxy; the proxy of this run has UID ${proxy.uid} (--proxy-uid).`];
}

/** Rules that nothing but the trace speaks for. */
function witnessHints(loaded: readonly LoadedRule[], types: readonly TypeResult[]): readonly string[] {
	const names = unwitnessedRules({loaded, legs: types.flatMap(({legs}) => legs)});
	return names.length === 0 ? [] : [`These rules have no counter, so the trace is their only witness: ${names.join(', ')}.`];
}

/** The error of an interrupted run. */
export function interrupted(signal: string): TestbedError {
	return new TestbedError('INTERRUPTED', {message: `Interrupted by ${signal}.`, state: 'Everything that the run had made is gone.'});
}
