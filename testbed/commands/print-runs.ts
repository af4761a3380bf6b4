/**
How the result of a run is printed, whether it was just played or replayed.
*/

import {reportToJson} from '../../src/report/json.js';
import {resultsOfReport, resultsOfRuns} from '../../src/report/results-of-runs.js';
import {printRunsText, runsToJson, type Runs} from '../../src/report/runs.js';
import {printText} from '../../src/report/text.js';
import type {Report} from '../../src/report/types.js';
import type {Format} from './arguments.js';
import {readerOf} from './colour.js';
import {writeFormatted} from './formatted.js';

/** What the command line says of printing. */
export type PrintFlags = {readonly format: Format; readonly output?: string; readonly verbose?: boolean};

/**
Prints the report of one run.

@throws {TestbedError} INPUT when a file cannot be written.
*/
export async function writeReport(report: Report, flags: PrintFlags): Promise<void> {
	await writeFormatted({text: () => printText(report, readerOf(flags)), json: () => reportToJson(report), results: () => resultsOfReport(report)}, flags);
}

/**
Prints what came of many runs.

@throws {TestbedError} INPUT when a file cannot be written.
*/
export async function writeRuns(runs: Runs, flags: PrintFlags): Promise<void> {
	await writeFormatted({text: () => printRunsText(runs, readerOf(flags)), json: () => runsToJson(runs), results: () => resultsOfRuns(runs)}, flags);
}
