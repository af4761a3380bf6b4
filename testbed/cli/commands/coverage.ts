/**
`testbed coverage`: which rules the tests reach, and which nothing can reach.
*/

import {coverageToJson, resultsOfCoverage} from '../../../src/report/coverage/json.js';
import {printCoverage} from '../../../src/report/coverage/text.js';
import {exitStatusOfCoverage} from '../../../src/report/coverage/types.js';
import {coverInput} from '../../analysis/coverage.js';
import {TestbedError} from '../../errors.js';
import {defaultInput} from '../../inputs/request.js';
import {readerOf} from '../output/terminal.js';
import {writeFormatted} from '../output/write-report.js';
import {caseInputs, checkOutputFlags, ruleFiles} from '../output/output-files.js';
import {supervise} from '../supervise.js';
import {loadCasesInput, caseOptionsOf, type CaseFlags} from './test-cases.js';

/** The options as the command line gives them. */
export type CoverageFlags = CaseFlags & {
	readonly require: readonly string[];
};

/**
Counts and prints; returns the exit status.

@throws {TestbedError} USAGE or INPUT for rules or cases that cannot be had, RULES_REJECTED when the kernel refuses the rules.
*/
export async function coverageCommand(source: string | undefined, flags: CoverageFlags): Promise<number> {
	const input = loadCasesInput(source ?? defaultInput, flags);
	const foreign = flags.require.find(name => name !== 'complete' && !flags.cases.includes(name));
	if (foreign !== undefined) {
		throw new TestbedError('USAGE', {message: `--require names ${foreign}, which is not among the cases that run.`, hint: `Add it: --cases ${[...flags.cases, foreign].join(',')}`});
	}

	return supervise(async ({signal, onProgress}) => {
		const {options, cases} = caseOptionsOf(flags, input, signal);
		checkOutputFlags(flags, [...ruleFiles([['the input', source], ['--rules6', flags.rules6]]), ...caseInputs(cases)]);
		const report = await coverInput({
			...options,
			input,
			cases,
			required: flags.require,
			jobs: flags.jobs,
			onProgress,
		});
		await writeFormatted({
			text: () => printCoverage(report, readerOf(flags)),
			json: () => coverageToJson(report),
			results: () => resultsOfCoverage(report),
		}, flags);
		return exitStatusOfCoverage(report);
	});
}
