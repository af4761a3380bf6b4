/**
Prints the result of a run, live or replayed.
*/

import {reportToJson} from '../../../src/report/run/json.js';
import {resultsOfReport, resultsOfRuns} from '../../../src/report/run/results.js';
import {exitStatusOfRuns, printRunsText, runsToJson, type Runs} from '../../../src/report/run/many.js';
import {exitStatusOfRun} from '../../../src/report/run/summary.js';
import {printText} from '../../../src/report/run/text.js';
import type {Report} from '../../../src/report/run/types.js';
import type {PrintFlags} from './destinations.js';
import {writeFormatted} from './write-report.js';

/**
Prints the report of one run.

@throws {TestbedError} INPUT if a file cannot be written.
*/
export async function writeReport(report: Report, flags: PrintFlags): Promise<void> {
	await writeFormatted({text: reader => printText(report, reader), json: () => reportToJson(report), results: () => resultsOfReport(report), status: () => exitStatusOfRun(report)}, flags);
}

/**
Prints the results of many runs.

@throws {TestbedError} INPUT if a file cannot be written.
*/
export async function writeRuns(runs: Runs, flags: PrintFlags): Promise<void> {
	await writeFormatted({text: reader => printRunsText(runs, reader), json: () => runsToJson(runs), results: () => resultsOfRuns(runs), status: () => exitStatusOfRuns(runs)}, flags);
}
