/**
The rules and the test cases of `mutate` and `coverage`, for `--check`.
*/

import {casesOf as casesOfRun, questionOf} from '../../run/report.js';
import {defaultTopology} from '../../../src/mesh/topology.js';
import type {CaseSet} from '../../analysis/test-cases.js';
import {usualCredentials} from '../../inputs/credentials.js';
import {defaultInput} from '../../inputs/request.js';
import {namesScenario, scenarioFiles} from '../../inputs/scenario-words.js';
import {loadScenarios} from '../../inputs/scenarios.js';
import type {RuleInput} from '../../inputs/types.js';
import {caseOptionsOf, loadCasesInput, type CaseFlags} from '../commands/test-cases.js';
import {caseInputs, checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {isLeftUnread, type Checks} from './checks.js';
import {
	namesOf, rowsOfRules, unreadPod, type Plan,
} from './plan.js';

/** What is known of the rules and the cases. Without an input, the rules have a fault or are those of a live pod. */
export type CheckedCases = Required<Pick<Plan, 'rows' | 'leftOut' | 'unknown'>> & {readonly input: RuleInput | undefined};

/** Reads the rules and the cases, and notes their faults. */
export function checkCases(source: string | undefined, flags: CaseFlags, checks: Checks): CheckedCases {
	const name = source ?? defaultInput;
	const isUnread = checks.do(() => isLeftUnread(name, checks)) === true;
	const input = isUnread ? undefined : checks.do(() => loadCasesInput(name, flags));
	const cases = input === undefined ? undefined : checks.do(() => caseOptionsOf(flags, input, new AbortController().signal).cases);
	if (input === undefined) {
		// Which rules the scenarios must be written for is not known, but their own faults are.
		checks.do(() => loadScenarios(scenarioFiles(flags.cases.filter(word => namesScenario(word))), {
			backends: flags.backend, credentialsOf: (intent, known) => usualCredentials(flags, intent, known), allowModules: flags.allowModules, allowOutside: flags.allowOutside, isForCheck: true,
		}));
	}

	checks.do(() => {
		checkOutputFlags(flags, [...ruleFiles([['the input', source], ['--rules6', flags.rules6]]), ...caseInputs(cases ?? [])]);
	});
	return {
		input,
		rows: [
			...(input === undefined ? [['rule sets', `1: ${name}`] as const, ['families', namesOf(flags.family)] as const] : rowsOfRules([input], flags.family)),
			...(cases === undefined ? [] : [['cases', describeCases(cases)] as const]),
		],
		leftOut: (cases ?? []).flatMap(({name: set, leftOut}) => set === 'scenarios' ? [] : leftOut),
		unknown: isUnread ? [unreadPod(name)] : [],
	};
}

function describeCases(sets: readonly CaseSet[]): string {
	return sets.length === 0 ? 'none besides the probes of the classes' : sets.map(({name, runs}) => `${name} ${runs.reduce((sum, run) => sum + casesOfRun(questionOf(run, defaultTopology)).length, 0)}`).join(', ');
}
