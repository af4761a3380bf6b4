/**
How the result of a run is printed, whether it was just played or replayed.
*/

import process from 'node:process';
import {reportToJson} from '../../src/report/json.js';
import {resultsOfReport, resultsOfRuns} from '../../src/report/results-of-runs.js';
import {printRunsText, runsToJson, type Runs} from '../../src/report/runs.js';
import {printText, type TextOptions} from '../../src/report/text.js';
import type {Report} from '../../src/report/types.js';
import type {Format} from './arguments.js';
import {wantsColour} from './colour.js';
import {writeFormatted} from './formatted.js';

/** What the command line says of printing. */
export type PrintFlags = {readonly format: Format; readonly output?: string; readonly verbose?: boolean};

/** How a report is printed as text: for the terminal, if that is where it goes. */
function textOptions(flags: PrintFlags): TextOptions {
	const toTerminal = flags.output === undefined && process.stdout.isTTY;
	return {
		colour: wantsColour({isTerminal: toTerminal, environment: process.env}),
		verbose: flags.verbose === true,
		width: Math.max(60, Math.min(process.stdout.columns ?? 80, 100)),
	};
}

/**
Prints the report of one run.

@throws {TestbedError} INPUT when a file cannot be written.
*/
export async function writeReport(report: Report, flags: PrintFlags): Promise<void> {
	await writeFormatted({text: () => printText(report, textOptions(flags)), json: () => reportToJson(report), results: () => resultsOfReport(report)}, flags);
}

/**
Prints what came of many runs.

@throws {TestbedError} INPUT when a file cannot be written.
*/
export async function writeRuns(runs: Runs, flags: PrintFlags): Promise<void> {
	await writeFormatted({text: () => printRunsText(runs, textOptions(flags)), json: () => runsToJson(runs), results: () => resultsOfRuns(runs)}, flags);
}
