/**
The output files that a command line names, and the files that it reads: what has to be looked at before anything is run.
*/

import path from 'node:path';
import process from 'node:process';
import type {CaseSet} from '../../analysis/test-cases.js';
import type {RunOptions} from '../../run/options.js';
import {parseSource} from '../../inputs/source.js';
import {checkOutputs, type CheckedInput, type CheckedOutput} from '../../outputs/check.js';
import type {Format} from '../parsers.js';

/** The options that say where a command writes. */
export type OutputFlags = {readonly output?: string | undefined; readonly record?: string | undefined; readonly format?: Format};

/**
Looks at all outputs of a command: `--output` (or standard output), `--record`, and the file that GITHUB_STEP_SUMMARY names, which is worth less than the annotations and so is complained of behind them. `more` are outputs that the command has beside these.

@throws {TestbedError} INPUT or USAGE, as {@link checkOutputs}.
*/
export function checkOutputFlags({output = '-', record, format}: OutputFlags, inputs: readonly CheckedInput[], more: readonly CheckedOutput[] = []): void {
	const summary = format === 'github' ? summaryFile() : undefined;
	checkOutputs([
		{name: output === '-' ? 'standard output' : '--output', what: 'The report', file: output},
		...(record === undefined ? [] : [{name: '--record', what: 'The recording', file: record}]),
		...(summary === undefined
			? []
			: [{
				name: 'GITHUB_STEP_SUMMARY', what: 'The summary', file: summary, isLenient: true,
			}]),
		...more,
	], inputs);
}

/** The file to which summaries of a step of GitHub's are appended; undefined elsewhere. */
export function summaryFile(): string | undefined {
	const file = process.env['GITHUB_STEP_SUMMARY'];
	return file === '' ? undefined : file;
}

/** The files that rule inputs name, each with the option that names it. Inputs that are no file (`release:1.30`) are left out. `folder`: where relative names begin. */
export function ruleFiles(inputs: ReadonlyArray<readonly [name: string, source: string | undefined]>, folder = '.'): readonly CheckedInput[] {
	return inputs.flatMap(([name, source]) => {
		const file = source === undefined ? undefined : parseSource(source).file;
		return file === undefined ? [] : [{name, file: file === '-' ? file : path.resolve(folder, file)}];
	});
}

/** The files behind runs of scenarios: each itself, and the rules that it names. */
export function scenarioInputs(runs: ReadonlyArray<Pick<RunOptions, 'rules' | 'scenario'>>): readonly CheckedInput[] {
	return runs.flatMap(({rules: {source}, scenario}) => {
		if (scenario === undefined) {
			return [];
		}

		const {file} = scenario;
		const name = `the scenario ${file}`;
		return [{name, file}, ...ruleFiles([[name, source]], path.dirname(file))];
	});
}

/** The same of cases that a command line names. */
export function caseInputs(cases: readonly CaseSet[]): readonly CheckedInput[] {
	return cases.flatMap(({runs}) => scenarioInputs(runs));
}
