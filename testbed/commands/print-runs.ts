/**
How the result of a run is printed, whether it was just played or replayed.
*/

import {writeFileSync} from 'node:fs';
import process from 'node:process';
import {reportToJson} from '../../src/report/json.js';
import {
	printRunsTap, printRunsText, runsToJson, type Runs,
} from '../../src/report/runs.js';
import {printTap} from '../../src/report/tap.js';
import {printText, type TextOptions} from '../../src/report/text.js';
import type {Report} from '../../src/report/types.js';
import {TestbedError} from '../errors.js';
import type {Format} from './arguments.js';
import {wantsColour} from './colour.js';
import {writeOut} from './stdout.js';

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

function printOne(report: Report, flags: PrintFlags): string {
	switch (flags.format) {
		case 'json': {
			return `${JSON.stringify(reportToJson(report), undefined, 2)}\n`;
		}

		case 'tap': {
			return printTap(report);
		}

		case 'text': {
			return printText(report, textOptions(flags));
		}
	}
}

function printMany(runs: Runs, flags: PrintFlags): string {
	switch (flags.format) {
		case 'json': {
			return `${JSON.stringify(runsToJson(runs), undefined, 2)}\n`;
		}

		case 'tap': {
			return printRunsTap(runs);
		}

		case 'text': {
			return printRunsText(runs, textOptions(flags));
		}
	}
}

/**
Prints the report of one run.

@throws {TestbedError} INPUT when the file of `--output` cannot be written.
*/
export async function writeReport(report: Report, flags: PrintFlags): Promise<void> {
	await write(printOne(report, flags), flags.output);
}

/**
Prints what came of many runs.

@throws {TestbedError} INPUT when the file of `--output` cannot be written.
*/
export async function writeRuns(runs: Runs, flags: PrintFlags): Promise<void> {
	await write(printMany(runs, flags), flags.output);
}

async function write(text: string, file: string | undefined): Promise<void> {
	if (file === undefined) {
		await writeOut(text);
		return;
	}

	try {
		writeFileSync(file, text);
	} catch (error) {
		throw new TestbedError('INPUT', {message: `The report cannot be written to ${file}: ${(error as Error).message}`, state: 'The run itself had ended.', cause: error});
	}
}
