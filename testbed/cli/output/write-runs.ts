/**
How the result of a run is printed, whether it was just played or replayed.
*/

import {reportToJson} from '../../../src/report/run/json.js';
import {resultsOfReport, resultsOfRuns} from '../../../src/report/run/results.js';
import {printRunsText, runsToJson, type Runs} from '../../../src/report/run/many.js';
import {printText} from '../../../src/report/run/text.js';
import type {Report} from '../../../src/report/run/types.js';
import type {Format} from '../parsers.js';
import {readerOf} from './terminal.js';
import {writeFormatted} from './write-report.js';

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
