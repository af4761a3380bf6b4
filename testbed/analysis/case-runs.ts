/**
Runs cases with mutants. Sets of cases share runs where their actors allow it, because installing a mutant and reading the counters costs more than its probes. A case that does not pass with the original cannot test its mutants.
*/

import type {RunEntry} from '../../src/report/run/many.js';
import type {TypeResult} from '../../src/report/run/types.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {Detection} from '../../src/mutation/status.js';
import {canMatter, farthestRules, type FarthestRules} from '../../src/mutation/farthest-rules.js';
import type {Mutant} from '../../src/mutation/mutants.js';
import {noExtension} from '../../src/scenario/topology-extension.js';
import {TestbedError} from '../errors.js';
import type {RuleInput, ReadyScenario} from '../inputs/types.js';
import {actorSetOf} from '../run/actor-sandbox.js';
import type {RunOptions} from '../run/options.js';
import {casesOf, questionOf} from '../run/report.js';
import {runMany} from '../run/run-many.js';
import type {SandboxPool} from '../run/sandbox-pool.js';
import {shareActors} from '../run/share-actors.js';
import type {CaseSet} from './test-cases.js';

/** One case of a run: the set that it belongs to, and its name in reports (`1 name, ipv4`). */
type OwnedCase = {readonly set: CaseSet; readonly name: string};

/** A run with cases of one or more sets. `owners` is in the order of the scenario's cases. */
export type CaseRun = {readonly options: RunOptions; readonly owners: readonly OwnedCase[]};

/** The same, with the cases that pass with the original, by their places in the run: how far their packets came in its chains. */
export type TrustedRun = CaseRun & {readonly trusted: ReadonlyMap<number, FarthestRules>};

/** Of one set: how many cases pass with the original, and a sentence for each that does not. */
export type Trust = {readonly count: number; readonly untrusted: readonly string[]};

/** All sets of cases, ready for mutants. `sandboxes` are those that the original ran in, for the mutants. */
export type TrustedCases = {readonly runs: readonly TrustedRun[]; readonly trustOf: ReadonlyMap<CaseSet, Trust>; readonly sandboxes: SandboxPool};

/**
Runs all cases of all sets with the original.

@param options.sandboxes Gets the sandboxes; the caller disposes of it when the mutants are done.
@throws {TestbedError} as {@link runMany}; RULES_REJECTED if the kernel rejects the original.
*/
export async function trustCases(sets: readonly CaseSet[], {jobs, sandboxes}: {readonly jobs: number; readonly sandboxes: SandboxPool}): Promise<TrustedCases> {
	const runs = sharedRuns(sets);
	const entries = await runMany(runs.map(({options}) => options), {jobs, into: sandboxes});
	const trustOf = new Map<CaseSet, Trust>(sets.map(set => [set, {count: 0, untrusted: []}]));
	return {
		runs: runs.map((run, index) => {
			const entry = entries[index]!;
			if (entry.kind !== 'report') {
				throw new TestbedError(entry.kind === 'rejected' ? 'RULES_REJECTED' : 'MACHINE', {message: entry.reason, state: 'No mutant was tried.'});
			}

			const trusted = new Map<number, FarthestRules>();
			for (const [place, {outcome, legs}] of entry.report.types.entries()) {
				const {set, name} = run.owners[place]!;
				const {count, untrusted} = trustOf.get(set)!;
				if (outcome.kind === 'pass') {
					trusted.set(place, farthestRules(legs, run.options.rules.ruleSet));
					trustOf.set(set, {count: count + 1, untrusted});
				} else {
					trustOf.set(set, {count, untrusted: [...untrusted, `${name} does not pass with the original (${outcome.kind}).`]});
				}
			}

			return {...run, trusted};
		}),
		trustOf,
		sandboxes,
	};
}

/** The runs of all sets, those with compatible actors merged into one, so that rules are installed once for all of them. */
export function sharedRuns(sets: readonly CaseSet[]): readonly CaseRun[] {
	const given = sets.flatMap(set => set.runs.map(run => ({set, run})));
	// The types last: they fit most groups of scenarios, but a group that begins with them leaves out more scenarios.
	const all = [...given.filter(({run}) => run.scenario !== undefined), ...given.filter(({run}) => run.scenario === undefined)].map(({set, run}) => ({set, run: asScenario(run, set)}));
	const sharing = shareActors(all.map(({run}) => run)).map((run, index) => ({...run, set: all[index]!.set}));
	return runsByActors(sharing).map((members): CaseRun => {
		const ids = new Set<string>();
		const cases = members.flatMap(({set, scenario}, position) => scenario!.cases.map(traffic => {
			const key = `${traffic.id} ${traffic.probe.family}`;
			const id = ids.has(key) ? `${position}/${traffic.id}` : traffic.id;
			ids.add(key);
			return {set, name: nameOf({...traffic, family: traffic.probe.family}), traffic: {...traffic, id}};
		}));
		const [{set: _, ...first}] = members;
		return {
			options: {
				...first,
				families: [...new Set(members.flatMap(({families}) => families))],
				scenario: {...first.scenario!, name: members.map(({scenario}) => scenario!.name).join(', '), cases: cases.map(({traffic}) => traffic)},
			},
			owners: cases.map(({set, name}) => ({set, name})),
		};
	});
}

/** Groups scenarios whose actors and additions to the topology are the same ({@link shareActors} makes them so). */
function runsByActors<Run extends RunOptions>(runs: readonly Run[]): ReadonlyArray<readonly [Run, ...Run[]]> {
	const groups = new Map<string, [Run, ...Run[]]>();
	for (const run of runs) {
		const key = JSON.stringify([run.scenario!.actorSet, run.scenario!.extension]);
		groups.set(key, [...groups.get(key) ?? [], run] as [Run, ...Run[]]);
	}

	return [...groups.values()];
}

/** The types as a scenario, so that they can share a run with others. */
function asScenario(run: RunOptions, {name}: CaseSet): RunOptions {
	if (run.scenario !== undefined) {
		return run;
	}

	const {rules: {mesh, intent, source, topology = defaultTopology}} = run;
	return {
		...run,
		types: [],
		scenario: {
			file: source, name, about: '', cases: casesOf(questionOf(run, topology)), actorSet: actorSetOf({...run, mesh, intent, topology}), extension: noExtension,
		} satisfies ReadyScenario,
	};
}

/** The name of a case: `1 name, ipv4`. */
function nameOf({id, name, family}: Pick<TypeResult, 'id' | 'name' | 'family'>): string {
	return `${id} ${name}, ${family}`;
}

/**
Runs trusted cases with mutants; returns a result of each set for each mutant, in order. As soon as one run has killed a mutant for a set, later runs say nothing about it for that set.

A case is left out of a run with a mutant if none of its packets came to the changed rule with the original: it cannot notice the fault. That is two thirds of the work for the rules of a sidecar.

@param options.isWhole Leaves no case out. For tests.
@throws {TestbedError} as {@link runMany}.
*/
export async function runMutants(mutants: readonly Mutant[], {cases: {runs, sandboxes}, jobs, isWhole = false, onRun}: {
	readonly cases: TrustedCases; readonly jobs: number; readonly isWhole?: boolean; readonly onRun?: () => void;
}): Promise<ReadonlyArray<ReadonlyMap<CaseSet, Detection>>> {
	const detections = mutants.map(() => new Map<CaseSet, Detection>());
	for (const run of runs) {
		const sets = new Set([...run.trusted.keys()].map(place => run.owners[place]!.set));
		const parts = mutants.map((mutant, index) => partOf(run, {
			mutant, isWhole, isOpen: set => detections[index]!.get(set)?.kind !== 'killed',
		}));
		const asked = [...parts.keys()].filter(index => parts[index]!.owners.length > 0);
		const seen = await runMany(asked.map(index => parts[index]!.options), {jobs, from: sandboxes, ...(onRun === undefined ? {} : {onEntry: onRun})}); // eslint-disable-line no-await-in-loop -- The next run needs to know which mutants are left.
		const entries = new Map(asked.map((index, position) => [index, seen[position]!]));
		for (const [index, {owners}] of parts.entries()) {
			for (const set of sets) {
				const later: Detection = owners.some(owner => owner.set === set) ? detectionIn(entries.get(index)!, owners, set) : {kind: 'survived'};
				detections[index]!.set(set, withDetection(detections[index]!.get(set), later));
			}
		}
	}

	return detections;
}

/** The part of a run that can say something about a mutant: the trusted cases of the sets that have not killed it, whose packets came to the changed rule. */
export function partOf({options, owners, trusted}: TrustedRun, {mutant, isWhole = false, isOpen}: {
	readonly mutant: Mutant; readonly isWhole?: boolean; readonly isOpen: (set: CaseSet) => boolean;
}): CaseRun {
	const {rules, scenario} = options;
	const places = [...trusted].filter(([place, farthest]) => isOpen(owners[place]!.set) && (isWhole || canMatter(mutant, farthest, rules.ruleSet))).map(([place]) => place);
	return {
		options: {...options, rules: rulesOfMutant(rules, mutant), scenario: {...scenario!, cases: places.map(place => scenario!.cases[place]!)}},
		owners: places.map(place => owners[place]!),
	};
}

/** The rules of a mutant instead of the original's, created on demand. */
function rulesOfMutant(rules: RuleInput, mutant: Mutant): RuleInput {
	return {
		...rules,
		get ruleSet() {
			return mutant.ruleSet;
		},
	};
}

/** What the cases of one set say in one run; `owners` are those of the run's cases. A failure is certain, so it takes precedence over missing evidence. */
export function detectionIn(entry: RunEntry, owners: CaseRun['owners'], set: CaseSet): Detection {
	if (entry.kind !== 'report') {
		return {kind: 'inconclusive', reasons: [entry.reason]};
	}

	const results = entry.report.types.map((result, place) => ({result, name: owners[place]!.name, owner: owners[place]!.set})).filter(({owner}) => owner === set);
	const failed = results.filter(({result: {outcome}}) => outcome.kind === 'fail');
	if (failed.length > 0) {
		return {kind: 'killed', by: failed.map(({name}) => name)};
	}

	const reasons = results.flatMap(({result: {outcome}}) => outcome.kind === 'inconclusive' ? outcome.reasons.map(({message}) => message) : []);
	return reasons.length > 0 ? {kind: 'inconclusive', reasons} : {kind: 'survived'};
}

/** What two runs say together. The first that kills counts; doubts of all others add up. */
export function withDetection(earlier: Detection | undefined, later: Detection): Detection {
	if (earlier === undefined || earlier.kind === 'survived') {
		return later;
	}

	if (earlier.kind === 'killed' || later.kind === 'survived') {
		return earlier;
	}

	return later.kind === 'killed' ? later : {kind: 'inconclusive', reasons: [...earlier.reasons, ...later.reasons]};
}
