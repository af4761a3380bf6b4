/**
`testbed coverage`: which rules the tests reach, and which nothing can reach.
*/

import {coverageToJson, resultsOfCoverage} from '../../../src/report/coverage/json.js';
import {printCoverage} from '../../../src/report/coverage/text.js';
import {exitStatusOfCoverage} from '../../../src/report/coverage/types.js';
import {coverInput} from '../../analysis/coverage.js';
import {TestbedError} from '../../errors.js';
import {defaultInput} from '../../inputs/request.js';
import {writeFormatted} from '../output/write-report.js';
import {caseInputs, checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {Checks, type CheckFlags} from '../check/checks.js';
import {rowsOfClasses} from '../check/classes.js';
import {checkCases} from '../check/plan-cases.js';
import {endCheck} from '../check/plan.js';
import {programOf} from '../../analysis/probe-classes.js';
import {supervise} from '../supervise.js';
import {loadCasesInput, caseOptionsOf, type CaseFlags} from './test-cases.js';

/** The options as the command line gives them. */
export type CoverageFlags = CaseFlags & CheckFlags & {
	readonly require: readonly string[];
};

/** @throws {TestbedError} USAGE for cases that are required but not run. */
function refuseForeign({require, cases}: CoverageFlags): void {
	const foreign = require.find(name => name !== 'complete' && !cases.includes(name));
	if (foreign !== undefined) {
		throw new TestbedError('USAGE', {message: `--require names ${foreign}, which is not one of the cases to run.`, hint: `Add it: --cases ${[...cases, foreign].join(',')}`});
	}
}

/**
Checks everything, and prints what would be sent.

@throws {TestbedError} The faults of the rules, the cases and the outputs.
*/
async function checkCoverage(source: string | undefined, flags: CoverageFlags): Promise<number> {
	const checks = new Checks(flags);
	checks.do(() => {
		refuseForeign(flags);
	});
	const {input, rows, leftOut, unknown} = checkCases(source, flags, checks);
	const classes = input === undefined ? [] : await checks.wait(async () => rowsOfClasses({families: flags.family, programs: family => [programOf(input, family)], limit: flags.limit}));
	checks.end();
	return endCheck({
		command: 'coverage', rows: [...rows, ...classes!], leftOut, inputs: input === undefined ? [] : [input], unknown,
	});
}

/**
Measures coverage and prints it; returns the exit status.

@throws {TestbedError} USAGE or INPUT for rules or cases that cannot be loaded, RULES_REJECTED if the kernel rejects the rules.
*/
export async function coverageCommand(source: string | undefined, flags: CoverageFlags): Promise<number> {
	if (flags.check === true) {
		return checkCoverage(source, flags);
	}

	const input = loadCasesInput(source ?? defaultInput, flags);
	refuseForeign(flags);
	return supervise(async ({signal, onProgress}) => {
		const {options, cases} = caseOptionsOf(flags, input, signal);
		checkOutputFlags(flags, [...ruleFiles([['the input', source], ['--rules6', flags.rules6]]), ...caseInputs(cases)]);
		const report = await coverInput({
			...options,
			input,
			cases,
			required: flags.require,
			jobs: flags.jobs,
			limit: flags.limit,
			onProgress,
		});
		await writeFormatted({
			text: reader => printCoverage(report, reader),
			json: () => coverageToJson(report),
			results: () => resultsOfCoverage(report),
			status: () => exitStatusOfCoverage(report),
		}, flags);
		return exitStatusOfCoverage(report);
	});
}
