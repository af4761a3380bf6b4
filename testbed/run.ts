/**
The conductor of `testbed run`: the only file that knows the order of acts.
*/

import {judge} from '../src/judge/judge.js';
import {comparePublished} from '../src/judge/published.js';
import {ruleNotes} from '../src/judge/rule-notes.js';
import type {RuleSet} from '../src/netfilter/types.js';
import {placeOfOutcome} from '../src/report/place.js';
import type {Environment, Report, TypeResult} from '../src/report/types.js';
import {sixTypes} from '../src/scenario/six-types.js';
import type {TrafficCase} from '../src/scenario/types.js';
import type {LoadedRule} from '../src/trace/loaded-rules.js';
import type {Observation} from '../src/trace/observation.js';
import {unwitnessedRules} from '../src/trace/witness.js';
import type {FoundCredentials} from './actors/identity.js';
import {loadEnvironment} from './environment.js';
import {TestbedError} from './errors.js';
import type {RunOptions} from './options.js';
import {checksumOf, playProbes} from './play.js';
import {keep} from './sandbox/keep.js';
import {Stage} from './stage.js';

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
	const {rules, families, credentials, onStage} = options;
	const {backend} = rules;
	const cases: readonly TrafficCase[] = options.scenario?.cases ?? families.flatMap(family => sixTypes({
		intent: rules.intent, actors: credentials, topology: stage.topology, family, ids: options.types,
	}));
	let environment: Environment | undefined;
	const {ruleSet, before, observations, found} = await playProbes(stage, {
		...options,
		sendings: cases.map(({id, article, probe}) => ({id, label: `${article === null && id !== '4b' ? 'probe' : 'type'} ${id}`, probe})),
		// Asking the tools for their versions costs nothing while the probes are on their way.
		async meanwhile() {
			environment = await loadEnvironment(backend);
		},
	});
	onStage('judging');
	const types = cases.map((traffic, index) => resultOf({
		traffic, observation: observations[index]!, ruleSet, options, found,
	}));
	const kept = options.keep ? await keep(stage.sandbox) : [];
	return {
		report: {
			...(options.scenario === undefined ? {} : {scenario: {name: options.scenario.name, about: options.scenario.about}}),
			environment: environment!,
			rules: {
				source: rules.source, release: rules.release, backend, sha256: checksumOf({backend, families, ruleSet}),
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

function resultOf({traffic, observation, ruleSet, options, found}: {traffic: TrafficCase; observation: Observation; ruleSet: RuleSet; options: RunOptions; found: FoundCredentials}): TypeResult {
	const {outcome, observedRoles, decidingRoles} = judge({traffic, observation, ruleSet});
	const {legs} = observation.path;
	const names = new Set<string>([traffic.probe.actor, ...legs.map(({actor}) => actor), ...legs.flatMap(({end}) => end.kind === 'accepted' ? [end.stop.split(':')[0]!] : [])]);
	const {scenario, rules} = options;
	const place = scenario === undefined ? placeOfOutcome(outcome, rules) : {file: scenario.file, ...(traffic.line === undefined ? {} : {line: traffic.line})};
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
			traffic, observation, ruleSet, intent: options.rules.intent,
		}),
		gaps: observation.gaps,
		...(traffic.fault === undefined ? {} : {fault: traffic.fault}),
		...(place === undefined ? {} : {place}),
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
