/**
The output and input files that a command line names, which are checked before anything runs.
*/

import path from 'node:path';
import process from 'node:process';
import type {CaseSet} from '../../analysis/test-cases.js';
import type {RunOptions} from '../../run/options.js';
import {parseSource} from '../../inputs/source.js';
import {checkOutputs, type CheckedInput, type CheckedOutput} from '../../outputs/check.js';
import {refuseMixedOutput, wantedReports, type PrintFlags} from './destinations.js';

/** The options that say where a command writes. */
export type OutputFlags = Partial<PrintFlags> & {readonly record?: string | undefined};

/**
Checks all outputs of a command: each `--output` (or standard output), `--record`, and the file that GITHUB_STEP_SUMMARY names. The annotations matter more than that file, so a problem with it is reported only after them. `more` are further outputs of the command.

@throws {TestbedError} INPUT or USAGE, as {@link checkOutputs}.
*/
export function checkOutputFlags({record, ...flags}: OutputFlags, inputs: readonly CheckedInput[], more: readonly CheckedOutput[] = []): void {
	const reports = wantedReports(flags);
	refuseMixedOutput(reports);
	const summary = reports.some(({format}) => format === 'github') ? summaryFile() : undefined;
	checkOutputs([
		...reports.map(({format, file}, index) => ({name: file === '-' ? 'standard output' : `--output${index === 0 ? '' : ` ${format}=FILE`}`, what: 'The report', file})),
		...(record === undefined ? [] : [{name: '--record', what: 'The recording', file: record}]),
		...(summary === undefined
			? []
			: [{
				name: 'GITHUB_STEP_SUMMARY', what: 'The summary', file: summary, isLenient: true,
			}]),
		...more,
	], inputs);
}

/** The file to which a GitHub Actions step appends its summary; undefined elsewhere. */
export function summaryFile(): string | undefined {
	const file = process.env['GITHUB_STEP_SUMMARY'];
	return file === '' ? undefined : file;
}

/** The files that rule inputs name, each with the option that names it. Inputs that are not files (`release:1.30`) are left out. `folder` is what relative names are relative to. */
export function ruleFiles(inputs: ReadonlyArray<readonly [name: string, source: string | undefined]>, folder = '.'): readonly CheckedInput[] {
	return inputs.flatMap(([name, source]) => {
		const file = source === undefined ? undefined : parseSource(source).file;
		return file === undefined ? [] : [{name, file: file === '-' ? file : path.resolve(folder, file)}];
	});
}

/** The input files of scenario runs: the scenarios, and the rules that they name. */
export function scenarioInputs(runs: ReadonlyArray<Pick<RunOptions, 'rules' | 'scenario'>>): readonly CheckedInput[] {
	return runs.flatMap(({rules: {source}, scenario}) => scenario === undefined ? [] : inputsOfScenario(scenario.file, source));
}

/** The input files of one scenario whose rules are `source`. */
export function inputsOfScenario(file: string, source: string): readonly CheckedInput[] {
	const name = `the scenario ${file}`;
	return [{name, file}, ...ruleFiles([[name, source]], path.dirname(file))];
}

/** The input files of the cases that a command line names. */
export function caseInputs(cases: readonly CaseSet[]): readonly CheckedInput[] {
	return cases.flatMap(({runs}) => scenarioInputs(runs));
}
