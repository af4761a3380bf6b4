/**
Builds the report of a run from the question and the evidence, in runs and replays alike: without a kernel or a clock, and from nothing else.
*/

import {judge} from '../../src/judge/judge.js';
import {neighborHints} from '../../src/judge/neighbor-discovery.js';
import {comparePublished} from '../../src/judge/published.js';
import {ruleNotes} from '../../src/judge/rule-notes.js';
import {
	findRule, restrictToFamilies, rulesOf, type RulePlace,
} from '../../src/netfilter/lookup.js';
import {differencesInMeaning} from '../../src/netfilter/compare-rules.js';
import {placeOfOutcome} from '../../src/report/run/source-place.js';
import type {Environment, Place} from '../../src/report/shared-types.js';
import type {OtherResults, Report, TypeResult} from '../../src/report/run/types.js';
import {rulesOfMesh, type Mesh} from '../../src/mesh/mesh.js';
import {trafficCases} from '../../src/mesh/traffic-types.js';
import type {Topology} from '../../src/mesh/topology.js';
import type {TrafficCase} from '../../src/mesh/traffic.js';
import type {Gap} from '../../src/trace/gap.js';
import {casesOfOther, meantCredentials, type OtherSender} from '../../src/mesh/other-senders.js';
import type {LoadedRule} from '../../src/trace/loaded-rules.js';
import type {Observation} from '../../src/trace/observation.js';
import {uncountedRules} from '../../src/trace/counter-check.js';
import type {RuleInput, ReadyScenario} from '../inputs/types.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {meshNamed} from '../inputs/mesh-of-rules.js';
import {summaryOfRules} from '../inputs/summary.js';
import {userHints} from '../../src/judge/user-hints.js';
import type {KernelEvidence} from './evidence.js';
import type {RunOptions} from './options.js';
import {mergeEvidence, type Observations} from './observe.js';

/** Everything besides the kernel's evidence that determines the judgment of a run: the rules, their intent, and the traffic. */
export type RunQuestion = Pick<RunOptions, 'families' | 'types' | 'credentials' | 'others' | 'only'> & {
	/** Older recordings have no notes; for those without a mesh name, the mesh is recognized from the rules. */
	readonly rules: Pick<RuleInput, 'source' | 'release' | 'backend' | 'ruleSet' | 'beside' | 'warnings' | 'reference' | 'intent'> & {readonly notes?: readonly string[]; readonly mesh?: string};
	/** Where the rules are in the user's files, if they come from files. */
	readonly places: ReadonlyArray<readonly [rule: RulePlace, place: Place]>;
	readonly topology: Topology;
	/** What was run instead of the types; `types` and `credentials` are then ignored. */
	readonly scenario?: Pick<ReadyScenario, 'file' | 'name' | 'about' | 'cases'>;
};

/** Everything that a report is built from. */
export type RunEvidence = {
	readonly question: RunQuestion;
	readonly play: KernelEvidence;
	readonly environment: Environment;
	readonly durationMs: number;
};

/** The question of a run, without what only a live run needs. */
export function questionOf({rules, families, types, credentials, others, only, scenario}: Pick<RunOptions, 'rules' | 'families' | 'types' | 'credentials' | 'others' | 'only' | 'scenario'>, topology: Topology): RunQuestion {
	const {
		source, release, mesh, backend, ruleSet, beside, warnings, notes, reference, intent, places,
	} = rules;
	return {
		rules: {
			source, release, mesh: mesh.name, backend, ruleSet, ...(beside === undefined ? {} : {beside}), warnings, notes, reference, intent,
		},
		families,
		types,
		credentials,
		...(others === undefined || scenario !== undefined ? {} : {others}),
		...(only === undefined || scenario !== undefined ? {} : {only}),
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

/** The mesh whose rules a question is about. */
function meshOfQuestion({rules}: Pick<RunQuestion, 'rules'>): Mesh {
	return meshNamed(rules.mesh, rules);
}

/**
The traffic of a run with its expectations: those of a scenario, or the types as expected from the intent.

@throws {RangeError} for a type the mesh does not have.
*/
export function casesOf(question: RunQuestion): readonly TrafficCase[] {
	const {rules: {intent}, families, types, credentials, others = [], only, topology, scenario} = question;
	if (scenario !== undefined) {
		return scenario.cases;
	}

	const {traffic} = meshOfQuestion(question);
	const all = [
		...families.flatMap(family => trafficCases(traffic, {
			intent, actors: meantCredentials(intent, credentials), topology, family, ids: types,
		})),
		...others.flatMap(other => families.flatMap(family => casesOfOther(traffic, other, {
			intent, credentials, topology, family, types,
		}))),
	];
	return only === undefined ? all : all.filter(({id, probe: {family}}) => only.includes(keyOfCase({id, family})));
}

/** What tells the cases of a run apart. */
export function keyOfCase({id, family}: {readonly id: string; readonly family: AddressFamily}): string {
	return `${id} ${family}`;
}

/** Judges the observations. */
export function buildReport(question: RunQuestion, {cases, seen, environment}: {readonly cases: readonly TrafficCase[]; readonly seen: Observations; readonly environment: Environment}): Omit<Report, 'durationMs'> {
	const {rules, families, scenario} = question;
	const {ruleSet, before, observations, durationsMs} = seen;
	const mesh = meshOfQuestion(question);
	const results = cases.map((traffic, index) => resultOf({
		traffic, observation: observations[index]!, durationMs: durationsMs[index], question, seen,
	}));
	const senders = question.others ?? [];
	const isOf = ({name}: OtherSender) => (_: TypeResult, index: number): boolean => cases[index]!.probe.actor === name;
	const others = senders.map((sender): OtherResults => ({actor: sender.name, uid: sender.uid, gid: sender.gid, types: results.filter(isOf(sender))})).filter(({types: own}) => own.length > 0);
	const types = results.filter((_, index) => senders.every(({name}) => name !== cases[index]!.probe.actor));
	return {
		...(scenario === undefined ? {} : {scenario: {name: scenario.name, about: scenario.about}}),
		environment,
		rules: summaryOfRules(rules, {families, ruleSet}),
		types,
		...(others.length === 0 ? {} : {others}),
		// No notes on rules that a scenario's probes do not hit: the probes were not chosen to hit every rule.
		ruleNotes: scenario === undefined ? ruleNotes({ruleSet: rulesOfMesh(ruleSet, mesh), reference: rulesOfMesh(rules.reference, mesh), results}) : [],
		hints: [...rules.warnings, ...hintsOf(question), ...(families.includes('ipv6') ? neighborHints(ruleSet, question.topology.podInterface) : []), ...counterHints(before, results)],
		loaded: {rules: rulesOfMesh(ruleSet, mesh), intent: rules.intent},
	};
}

/**
Judges recorded evidence again.

@throws {RangeError} if the evidence does not belong to this question.
@throws {ParseError | TestbedError} if a tool's output cannot be parsed.
*/
export function judgeEvidence({question, play: run, environment, durationMs}: RunEvidence): Report {
	const cases = casesOf(question);
	const {backend, ruleSet} = question.rules;
	const seen = mergeEvidence(run, {backend, probes: cases.length});
	// A live run stops if the rules in the kernel differ from those that were installed; a recording must be checked here.
	const gaps = differencesInMeaning(restrictToFamilies(ruleSet, question.families), seen.ruleSet).map((difference): Gap => ({kind: 'rules-differ', message: `The rules in the kernel differ from those that were installed: ${difference}`}));
	const observations = gaps.length === 0 ? seen.observations : seen.observations.map(observation => ({...observation, gaps: [...gaps, ...observation.gaps]}));
	return {...buildReport(question, {cases, seen: {...seen, observations}, environment}), durationMs};
}

function resultOf({traffic, observation, durationMs, question, seen: {ruleSet, found}}: {
	readonly traffic: TrafficCase; readonly observation: Observation; readonly durationMs: number | undefined; readonly question: RunQuestion; readonly seen: Observations;
}): TypeResult {
	const meshRules = rulesOfMesh(ruleSet, meshOfQuestion(question));
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
		...(durationMs === undefined ? {} : {durationMs}),
	};
}

/** Hints about what a reader may overlook. */
function hintsOf({rules: {intent, ruleSet, ...rules}, credentials, others = [], scenario}: RunQuestion): readonly string[] {
	return scenario === undefined
		? userHints({
			intent, credentials, others, ruleSet: rulesOfMesh(ruleSet, meshNamed(rules.mesh, {...rules, ruleSet})),
		})
		: scenario.cases.flatMap(({name, fault}) => fault === undefined ? [] : [`${name}: known fault (expected). ${fault.because} Intended: ${fault.intended.join(' → ')}.`]);
}

/** A hint about rules without counters. */
function counterHints(loaded: readonly LoadedRule[], types: readonly TypeResult[]): readonly string[] {
	const names = uncountedRules({loaded, legs: types.flatMap(({legs}) => legs)});
	return names.length === 0 ? [] : [`These rules have no counter, so only the trace shows that they matched: ${names.join(', ')}.`];
}
