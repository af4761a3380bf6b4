/**
What was asked, and what came of it → the report of a run. A run and a replay both go this way: no kernel, no clock, and nothing that the question or the evidence does not say.
*/

import {judge} from '../../src/judge/judge.js';
import {comparePublished} from '../../src/judge/published.js';
import {ruleNotes} from '../../src/judge/rule-notes.js';
import {
	findRule, restrictToFamilies, rulesOf, type RulePlace,
} from '../../src/netfilter/lookup.js';
import {differencesInMeaning} from '../../src/netfilter/compare-rules.js';
import {placeOfOutcome} from '../../src/report/run/source-place.js';
import type {Environment, Place} from '../../src/report/shared-types.js';
import type {Report, TypeResult} from '../../src/report/run/types.js';
import {sixTypes} from '../../src/scenario/six-types.js';
import type {Topology} from '../../src/scenario/topology.js';
import type {TrafficCase} from '../../src/scenario/types.js';
import type {Gap} from '../../src/trace/gap.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';
import type {Observation} from '../../src/trace/observation.js';
import {uncountedRules} from '../../src/trace/counter-check.js';
import type {RuleInput, ReadyScenario} from '../inputs/types.js';
import {checksumOf} from '../inputs/checksum.js';
import {rulesWithMesh} from '../inputs/meshes.js';
import type {KernelEvidence} from './evidence.js';
import type {RunOptions} from './options.js';
import {mergeEvidence, type Observations} from './observe.js';

/** All that decides the judgement of a run beside what the kernel did: what the rules are meant to be and to do, and the traffic. */
export type RunQuestion = Pick<RunOptions, 'families' | 'types' | 'credentials'> & {
	/** Recordings that were written before there were notes have none. */
	readonly rules: Pick<RuleInput, 'source' | 'release' | 'backend' | 'ruleSet' | 'warnings' | 'reference' | 'intent'> & {readonly notes?: readonly string[]};
	/** Where the rules stand in the user's files, as far as they come from files. */
	readonly places: ReadonlyArray<readonly [rule: RulePlace, place: Place]>;
	readonly topology: Topology;
	/** What is played instead of the types; `types` and `credentials` then say nothing. */
	readonly scenario?: Pick<ReadyScenario, 'file' | 'name' | 'about' | 'cases'>;
};

/** Everything that a report is made of. */
export type RunEvidence = {
	readonly question: RunQuestion;
	readonly play: KernelEvidence;
	readonly environment: Environment;
	readonly durationMs: number;
};

/** The question of a run, without what only a live one needs. */
export function questionOf({rules, families, types, credentials, scenario}: RunOptions, topology: Topology): RunQuestion {
	const {
		source, release, backend, ruleSet, warnings, notes, reference, intent, places,
	} = rules;
	return {
		rules: {
			source, release, backend, ruleSet, warnings, notes, reference, intent,
		},
		families,
		types,
		credentials,
		topology,
		places: [...rulesOf(ruleSet)].flatMap(({family, table, chain, rule}) => {
			const place = places?.get(rule);
			return place === undefined
				? []
				: [[{
					family, table, chain: chain.name, number: rule.number,
				}, place] as const];
		}),
		...(scenario === undefined ? {} : {scenario: {file: scenario.file, name: scenario.name, about: scenario.about, cases: scenario.cases}}),
	};
}

/** The traffic of a run with its expectations: a user's own, or the types as the intent foretells them. */
export function casesOf({rules: {intent}, families, types, credentials, topology, scenario}: RunQuestion): readonly TrafficCase[] {
	return scenario?.cases ?? families.flatMap(family => sixTypes({
		intent, actors: credentials, topology, family, ids: types,
	}));
}

/** Judges what was played. */
export function buildReport(question: RunQuestion, {cases, seen, environment}: {readonly cases: readonly TrafficCase[]; readonly seen: Observations; readonly environment: Environment}): Omit<Report, 'durationMs'> {
	const {rules, families, scenario} = question;
	const {ruleSet, before, observations} = seen;
	const types = cases.map((traffic, index) => resultOf({
		traffic, observation: observations[index]!, question, seen,
	}));
	return {
		...(scenario === undefined ? {} : {scenario: {name: scenario.name, about: scenario.about}}),
		environment,
		rules: {
			source: rules.source, release: rules.release, backend: rules.backend, sha256: checksumOf({backend: rules.backend, families, ruleSet}), notes: rules.notes ?? [],
		},
		types,
		// What single probes do not meet is nothing to be told: they were not chosen to meet every rule.
		ruleNotes: scenario === undefined ? ruleNotes({ruleSet: rulesWithMesh(rules, ruleSet), reference: rulesWithMesh(rules, rules.reference), results: types}) : [],
		hints: [...rules.warnings, ...hintsOf(question), ...counterHints(before, types)],
	};
}

/**
Judges again what a recording holds, from the kernel's own words.

@throws {RangeError} when the evidence is not of this question.
@throws {ParseError | TestbedError} when a tool printed something else than it should.
*/
export function judgeEvidence({question, play: run, environment, durationMs}: RunEvidence): Report {
	const cases = casesOf(question);
	const {backend, ruleSet} = question.rules;
	const seen = mergeEvidence(run, {backend, probes: cases.length});
	// A run sends nothing where the kernel does not hold what was installed. A recording has nobody that stopped it.
	const gaps = differencesInMeaning(restrictToFamilies(ruleSet, question.families), seen.ruleSet).map((difference): Gap => ({kind: 'rules-differ', message: `The kernel does not hold what was installed: ${difference}`}));
	const observations = gaps.length === 0 ? seen.observations : seen.observations.map(observation => ({...observation, gaps: [...gaps, ...observation.gaps]}));
	return {...buildReport(question, {cases, seen: {...seen, observations}, environment}), durationMs};
}

function resultOf({traffic, observation, question, seen: {ruleSet, found}}: {
	readonly traffic: TrafficCase; readonly observation: Observation; readonly question: RunQuestion; readonly seen: Observations;
}): TypeResult {
	const meshRules = rulesWithMesh(question.rules, ruleSet);
	const {outcome, observedRoles, decidingRoles} = judge({traffic, observation, ruleSet: meshRules});
	const {legs} = observation.path;
	const names = new Set<string>([traffic.probe.actor, ...legs.map(({actor}) => actor), ...legs.flatMap(({end}) => end.kind === 'accepted' ? [end.stop.split(':')[0]!] : [])]);
	const {scenario, rules: {ruleSet: asked}, places} = question;
	const place = scenario === undefined
		? placeOfOutcome(outcome, {
			ruleSet: asked, places: new Map(places.flatMap(([of, where]) => {
				const rule = findRule(asked, of);
				return rule === undefined ? [] : [[rule, where] as const];
			})),
		})
		: {file: scenario.file, ...(traffic.line === undefined ? {} : {line: traffic.line})};
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
			traffic, observation, ruleSet: meshRules, intent: question.rules.intent,
		}),
		gaps: observation.gaps,
		...(traffic.fault === undefined ? {} : {fault: traffic.fault}),
		...(place === undefined ? {} : {place}),
	};
}

/** What a reader may have overlooked. */
function hintsOf({rules: {intent}, credentials: {proxy}, scenario}: RunQuestion): readonly string[] {
	if (scenario !== undefined) {
		return scenario.cases.flatMap(({name, fault}) => fault === undefined ? [] : [`${name}: a known fault, expected. ${fault.because} Meant: ${fault.intended.join(' → ')}.`]);
	}

	const {proxyUids, proxyGids} = intent;
	// A transparent proxy is known by its group or its mark, and is meant to be (`credentialsOf` in inputs/credentials.ts).
	const isKnownOtherwise = intent.ambient !== undefined || (intent.inboundInterceptionMode === 'TPROXY' && proxyGids.includes(proxy.gid));
	return proxyUids.includes(proxy.uid) || isKnownOtherwise ? [] : [`The rules let UID ${proxyUids.join(', ')} out as the proxy; the proxy of this run has UID ${proxy.uid} (--proxy-uid).`];
}

/** Rules that nothing but the trace speaks for. */
function counterHints(loaded: readonly LoadedRule[], types: readonly TypeResult[]): readonly string[] {
	const names = uncountedRules({loaded, legs: types.flatMap(({legs}) => legs)});
	return names.length === 0 ? [] : [`These rules have no counter, so the trace is their only witness: ${names.join(', ')}.`];
}
