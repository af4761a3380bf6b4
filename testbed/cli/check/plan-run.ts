/**
What `testbed run` would do.
*/

import type {RunOptions} from '../../run/options.js';
import {countCases, nameOfSuite, type SelectedRuns} from '../commands/select-cases.js';
import {counted, rowsOfRules, type Plan} from './plan.js';

/** The plan of runs: what would be sent, and what cannot be. */
export function planOfRun({inputs, missing}: SelectedRuns): Plan {
	const families = [...new Set(inputs.flatMap((options: RunOptions) => options.families))];
	const scenarios = [...new Set(inputs.flatMap(({scenario}) => scenario === undefined ? [] : [scenario.name]))];
	return {
		command: 'run',
		rows: [
			...(scenarios.length === 0 ? [] : [['scenarios', counted(scenarios.length, scenarios)] as const]),
			...rowsOfRules(inputs.map(({rules}) => rules), families),
			['cases', String(countCases(inputs))],
		],
		leftOut: missing.map(run => `${nameOfSuite(run)}: ${run.reason}`),
		inputs: inputs.map(({rules}) => rules),
	};
}
