/**
The cases that mutants are tested with: the six types, and scenarios written for the same rules.
*/

import path from 'node:path';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {printRuleSet} from '../../src/report/rules/text.js';
import {defaultTypesOf} from '../../src/mesh/traffic-types.js';
import {TestbedError} from '../errors.js';
import type {RuleInput} from '../inputs/types.js';
import type {RunOptions} from '../run/options.js';
import {scenarioFiles} from '../inputs/scenario-words.js';
import {loadScenarios, type CredentialsOf, type ScenarioPermissions} from '../inputs/scenarios.js';
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
				// Sets of cases share runs, in which a name alone may not be unique.
				runs.push({
					...options, families, rules: input, types: [], scenario: {...ready, cases: ready.cases.map(traffic => ({...traffic, id: `${ready.name}/${traffic.id}`}))},
				});
			} else {
				leftOut.push(`${ready.name} is written for ${rules.source}${families.every(family => options.families.includes(family)) ? '' : ` in ${families.join(' and ')}`}.`);
			}
		}

		leftOut.push(...missing.map(({scenario, reason}) => `${scenario}: ${reason}`));
	}

	return {name, runs, leftOut};
}

/** Whether both have the same rules in some families. Native nftables tables hold both families. */
function isSameRules(one: RuleInput, other: RuleInput, families: readonly AddressFamily[]): boolean {
	const [own, asked] = [one, other].map(({backend, ruleSet}) => printRuleSet({backend, families, ruleSet}));
	return own === asked && own !== '';
}
