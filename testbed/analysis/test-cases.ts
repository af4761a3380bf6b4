/**
The cases that mutants are put to: the six types, and scenarios that are written for the same rules. What does not pass with the original is no judge of its mutants.
*/

import path from 'node:path';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {printRuleSet} from '../../src/report/rules/text.js';
import type {RunEntry} from '../../src/report/run/many.js';
import type {TypeResult} from '../../src/report/run/types.js';
import {defaultTypeIds} from '../../src/scenario/six-types.js';
import type {Detection} from '../../src/mutation/status.js';
import type {Mutant} from '../../src/mutation/mutants.js';
import {TestbedError} from '../errors.js';
import type {RuleInput, ReadyScenario} from '../inputs/types.js';
import type {RunOptions} from '../run/options.js';
import {runMany} from '../run/run-many.js';
import {
	loadScenario, scenarioFiles, type CredentialsOf, type ScenarioPermissions,
} from '../inputs/scenarios.js';
import {shareActors} from '../run/share-actors.js';
import {packageRoot} from '../system/package-root.js';

/** The scenarios that come with the testbed. */
export const shippedScenarios = path.join(packageRoot, 'scenarios');

/** Plays that belong together. `leftOut`: what was not taken, a sentence each. */
export type CaseSet = {readonly name: string; readonly runs: readonly RunOptions[]; readonly leftOut: readonly string[]};

/** What every run of a case has in common. */
export type CaseOptions = Omit<RunOptions, 'rules' | 'types' | 'scenario'>;

/** How the scenarios among the cases are read. */
export type CaseRequest = {readonly options: CaseOptions; readonly credentialsOf: CredentialsOf; readonly permissions?: ScenarioPermissions | undefined};

/** The six types in the families asked for. */
export function typesAsCases(input: RuleInput, options: CaseOptions): CaseSet {
	return {name: 'types', runs: [{...options, rules: input, types: defaultTypeIds}], leftOut: []};
}

/**
The shipped scenarios that are written for the rules of an input.

@throws {TestbedError} INPUT when a file cannot be read.
*/
export function shippedAsCases(input: RuleInput, options: CaseOptions, credentialsOf: CredentialsOf): CaseSet {
	return scenariosAsCases('scenarios', {files: scenarioFiles([shippedScenarios]), input, options, credentialsOf});
}

/**
A user's scenario file, or a folder of them.

@throws {TestbedError} INPUT when it cannot be read, or none of it is written for the rules of the input.
*/
export function fileAsCases(file: string, input: RuleInput, {options, credentialsOf, permissions}: CaseRequest): CaseSet {
	const cases = scenariosAsCases(file, {
		files: scenarioFiles([file]), input, options, credentialsOf, permissions,
	});
	if (cases.runs.length === 0) {
		throw new TestbedError('INPUT', {message: `No scenario of ${file} is written for ${input.source}: ${cases.leftOut.join(' ')}`, state: 'Nothing was run.', hint: 'A scenario names its own rules; mutate those.'});
	}

	return cases;
}

function scenariosAsCases(name: string, {files, input, options, credentialsOf, permissions}: CaseRequest & {readonly files: readonly string[]; readonly input: RuleInput}): CaseSet {
	const runs: RunOptions[] = [];
	const leftOut: string[] = [];
	for (const file of files) {
		const {prepared, missing} = loadScenario(file, {...permissions, backends: [input.backend], credentialsOf});
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

/** Whether both have the same rules in some families. Native tables hold both. */
function isSameRules(one: RuleInput, other: RuleInput, families: readonly AddressFamily[]): boolean {
	const [own, asked] = [one, other].map(({backend, ruleSet}) => printRuleSet({backend, families, ruleSet}));
	return own === asked && own !== '';
}

/** Plays with the same actors in one: rules are installed once for all of them. */
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
Plays all cases with the original.

@throws {TestbedError} as {@link runMany}; RULES_REJECTED when the kernel refuses the original.
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

/** What a case is called: `type 1, ipv4`. */
function nameOf({id, name, family}: Pick<TypeResult, 'id' | 'name' | 'family'>): string {
	return `${id} ${name}, ${family}`;
}

/**
Plays trusted cases with mutants; what came of each, in their order. What one play has killed, no further play is asked for.

@throws {TestbedError} as {@link runMany}.
*/
export async function runMutants(mutants: readonly Mutant[], {cases: {set, trusted}, jobs, onRun}: {
	readonly cases: TrustedCases; readonly jobs: number; readonly onRun?: () => void;
}): Promise<readonly Detection[]> {
	const entries = mutants.map((): RunEntry[] => []);
	const wasKilled = (index: number): boolean => detectionOf(entries[index]!, trusted).kind === 'killed';
	for (const run of set.runs) {
		const left = mutants.map((mutant, index) => ({mutant, index})).filter(({index}) => !wasKilled(index));
		const seen = await runMany(left.map(({mutant: {ruleSet}}) => ({...run, rules: {...run.rules, ruleSet}})), {jobs, ...(onRun === undefined ? {} : {onEntry: onRun})}); // eslint-disable-line no-await-in-loop -- The next play needs to know what is left.
		for (const [position, {index}] of left.entries()) {
			entries[index]!.push(seen[position]!);
		}
	}

	return entries.map(own => detectionOf(own, trusted));
}

/** A failure is certain, so it goes before doubt. */
export function detectionOf(entries: readonly RunEntry[], trusted: ReadonlySet<string>): Detection {
	const results = entries.flatMap(entry => entry.kind === 'report' ? entry.report.types : []).filter(result => trusted.has(nameOf(result)));
	const failed = results.filter(({outcome}) => outcome.kind === 'fail');
	if (failed.length > 0) {
		return {kind: 'killed', by: failed.map(result => nameOf(result))};
	}

	const reasons = [
		...entries.flatMap(entry => entry.kind === 'report' ? [] : [entry.reason]),
		...results.flatMap(({outcome}) => outcome.kind === 'inconclusive' ? outcome.reasons.map(({message}) => message) : []),
		...(results.length === 0 ? ['No case passes with the original, so none can judge a mutant.'] : []),
	];
	return reasons.length > 0 ? {kind: 'inconclusive', reasons} : {kind: 'survived'};
}
