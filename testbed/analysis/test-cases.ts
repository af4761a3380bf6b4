/**
The cases that mutants are tested with: the six types, and scenarios written for the same rules. A case that does not pass with the original cannot test its mutants.
*/

import path from 'node:path';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {printRuleSet} from '../../src/report/rules/text.js';
import type {RunEntry} from '../../src/report/run/many.js';
import type {TypeResult} from '../../src/report/run/types.js';
import {defaultTypesOf} from '../../src/mesh/traffic-types.js';
import type {Detection} from '../../src/mutation/status.js';
import type {Mutant} from '../../src/mutation/mutants.js';
import {TestbedError} from '../errors.js';
import type {RuleInput, ReadyScenario} from '../inputs/types.js';
import type {RunOptions} from '../run/options.js';
import {runMany} from '../run/run-many.js';
import {scenarioFiles} from '../inputs/scenario-words.js';
import {loadScenarios, type CredentialsOf, type ScenarioPermissions} from '../inputs/scenarios.js';
import {shareActors} from '../run/share-actors.js';
import {packageRoot} from '../system/package-root.js';

/** The scenarios that come with the testbed. */
export const shippedScenarios = path.join(packageRoot, 'scenarios');

/** A set of runs. `leftOut`: scenarios that do not apply, one sentence each. */
export type CaseSet = {readonly name: string; readonly runs: readonly RunOptions[]; readonly leftOut: readonly string[]};

/** The options that all runs of cases share. */
export type CaseOptions = Omit<RunOptions, 'rules' | 'types' | 'scenario'>;

/** How the scenarios among the cases are read. */
export type CaseRequest = {readonly options: CaseOptions; readonly credentialsOf: CredentialsOf; readonly permissions?: ScenarioPermissions | undefined};

/** The six types in the requested families. */
export function typesAsCases(input: RuleInput, options: CaseOptions): CaseSet {
	return {name: 'types', runs: [{...options, rules: input, types: defaultTypesOf(input.mesh.traffic)}], leftOut: []};
}

/**
The shipped scenarios that are written for the rules of an input.

@throws {TestbedError} INPUT if a file cannot be read.
*/
export function shippedAsCases(input: RuleInput, options: CaseOptions, credentialsOf: CredentialsOf): CaseSet {
	return scenariosAsCases('scenarios', {files: scenarioFiles([shippedScenarios]), input, options, credentialsOf});
}

/**
A user's scenario file, or a folder of them.

@throws {TestbedError} INPUT if it cannot be read, or if none of it is written for the rules of the input.
*/
export function fileAsCases(file: string, input: RuleInput, {options, credentialsOf, permissions}: CaseRequest): CaseSet {
	const cases = scenariosAsCases(file, {
		files: scenarioFiles([file]), input, options, credentialsOf, permissions,
	});
	if (cases.runs.length === 0) {
		throw new TestbedError('INPUT', {message: `No scenario in ${file} is written for ${input.source}: ${cases.leftOut.join(' ')}`, state: 'Nothing was run.', hint: 'Use the rules that the scenario names.'});
	}

	return cases;
}

function scenariosAsCases(name: string, {files, input, options, credentialsOf, permissions}: CaseRequest & {readonly files: readonly string[]; readonly input: RuleInput}): CaseSet {
	const runs: RunOptions[] = [];
	const leftOut: string[] = [];
	for (const {prepared, missing} of loadScenarios(files, {...permissions, backends: [input.backend], credentialsOf})) {
		for (const {rules, play: ready} of prepared) {
			const families = [...new Set(ready.cases.map(({probe}) => probe.family))];
			if (isSameRules(rules, input, families)) {
				runs.push({
					...options, families, rules: input, types: [], scenario: ready,
				});
			} else {
				leftOut.push(`${ready.name} is written for ${rules.source}${families.every(family => options.families.includes(family)) ? '' : ` in ${families.join(' and ')}`}.`);
			}
		}

		leftOut.push(...missing.map(({scenario, reason}) => `${scenario}: ${reason}`));
	}

	return {name, runs: mergeScenarios(shareActors(runs)), leftOut};
}

/** Whether both have the same rules in some families. Native nftables tables hold both families. */
function isSameRules(one: RuleInput, other: RuleInput, families: readonly AddressFamily[]): boolean {
	const [own, asked] = [one, other].map(({backend, ruleSet}) => printRuleSet({backend, families, ruleSet}));
	return own === asked && own !== '';
}

/** Merges runs with the same actors, so that rules are installed once for all of them. */
function mergeScenarios(runs: readonly RunOptions[]): readonly RunOptions[] {
	const groups = new Map<string, RunOptions[]>();
	for (const run of runs) {
		const key = JSON.stringify([run.scenario!.actorSet, run.scenario!.extension]);
		groups.set(key, [...groups.get(key) ?? [], run]);
	}

	return [...groups.values()].map(([first, ...others]): RunOptions => {
		const prepared = [first!, ...others].map(({scenario}) => scenario!);
		return {
			...first!,
			families: [...new Set([first!, ...others].flatMap(({families}) => families))],
			scenario: {
				...prepared[0]!,
				name: prepared.map(({name}) => name).join(', '),
				cases: prepared.flatMap(({name, cases}) => cases.map(traffic => ({...traffic, id: `${name}/${traffic.id}`}))),
			} satisfies ReadyScenario,
		};
	});
}

/** Cases that pass with the original, and those that do not, with the reason. */
export type TrustedCases = {readonly set: CaseSet; readonly trusted: ReadonlySet<string>; readonly untrusted: readonly string[]};

/**
Runs all cases with the original.

@throws {TestbedError} as {@link runMany}; RULES_REJECTED if the kernel rejects the original.
*/
export async function trustCases(set: CaseSet, jobs: number): Promise<TrustedCases> {
	const entries = await runMany(set.runs, {jobs});
	const results = entries.flatMap(entry => {
		if (entry.kind !== 'report') {
			throw new TestbedError(entry.kind === 'rejected' ? 'RULES_REJECTED' : 'MACHINE', {message: entry.reason, state: 'No mutant was tried.'});
		}

		return entry.report.types;
	});
	return {
		set,
		trusted: new Set(results.filter(({outcome}) => outcome.kind === 'pass').map(result => nameOf(result))),
		untrusted: results.filter(({outcome}) => outcome.kind !== 'pass').map(result => `${nameOf(result)} does not pass with the original (${result.outcome.kind}).`),
	};
}

/** The name of a case: `1 name, ipv4`. */
function nameOf({id, name, family}: Pick<TypeResult, 'id' | 'name' | 'family'>): string {
	return `${id} ${name}, ${family}`;
}

/**
Runs trusted cases with mutants; returns a result for each mutant, in order. A mutant that one run has killed is left out of later runs.

@throws {TestbedError} as {@link runMany}.
*/
export async function runMutants(mutants: readonly Mutant[], {cases: {set, trusted}, jobs, onRun}: {
	readonly cases: TrustedCases; readonly jobs: number; readonly onRun?: () => void;
}): Promise<readonly Detection[]> {
	const entries = mutants.map((): RunEntry[] => []);
	const wasKilled = (index: number): boolean => detectionOf(entries[index]!, trusted).kind === 'killed';
	for (const run of set.runs) {
		const left = mutants.map((mutant, index) => ({mutant, index})).filter(({index}) => !wasKilled(index));
		const seen = await runMany(left.map(({mutant}) => ({...run, rules: rulesOfMutant(run.rules, mutant)})), {jobs, ...(onRun === undefined ? {} : {onEntry: onRun})}); // eslint-disable-line no-await-in-loop -- The next run needs to know which mutants are left.
		for (const [position, {index}] of left.entries()) {
			entries[index]!.push(seen[position]!);
		}
	}

	return entries.map(own => detectionOf(own, trusted));
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

/** The result for one mutant. A failure is certain, so it takes precedence over missing evidence. */
export function detectionOf(entries: readonly RunEntry[], trusted: ReadonlySet<string>): Detection {
	const results = entries.flatMap(entry => entry.kind === 'report' ? entry.report.types : []).filter(result => trusted.has(nameOf(result)));
	const failed = results.filter(({outcome}) => outcome.kind === 'fail');
	if (failed.length > 0) {
		return {kind: 'killed', by: failed.map(result => nameOf(result))};
	}

	const reasons = [
		...entries.flatMap(entry => entry.kind === 'report' ? [] : [entry.reason]),
		...results.flatMap(({outcome}) => outcome.kind === 'inconclusive' ? outcome.reasons.map(({message}) => message) : []),
		...(results.length === 0 ? ['No case passes with the original, so none can test a mutant.'] : []),
	];
	return reasons.length > 0 ? {kind: 'inconclusive', reasons} : {kind: 'survived'};
}
