/**
How a result is printed in each format: the same for every command whose results are suites of cases.
*/

import {appendFileSync, statSync, writeFileSync} from 'node:fs';
import process from 'node:process';
import {printGithub} from '../../src/report/github.js';
import {printMarkdown, stepSummaryBytesMax} from '../../src/report/markdown.js';
import type {Results} from '../../src/report/results.js';
import {printTap} from '../../src/report/tap.js';
import {visibleText} from '../../src/report/visible-text.js';
import {TestbedError} from '../errors.js';
import type {Format} from './arguments.js';
import {writeOut} from './stdout.js';

/** What a command has to say, by format. Only what is asked for is made. */
export type Printable = {readonly text: () => string; readonly json: () => unknown; readonly results: () => Results};

/**
Prints in a format, to a file where one is given, and to stdout otherwise. Annotations for GitHub come with a summary: it is appended to the file that GITHUB_STEP_SUMMARY names; without that variable it follows the annotations.

@throws {TestbedError} INPUT when a file cannot be written.
*/
export async function writeFormatted(printable: Printable, {format, output}: {readonly format: Format; readonly output?: string | undefined}): Promise<void> {
	const summaryFile = format === 'github' ? process.env['GITHUB_STEP_SUMMARY'] : undefined;
	const hasSummaryFile = summaryFile !== undefined && summaryFile !== '';
	await write(await print(printable, format, hasSummaryFile), output);
	if (hasSummaryFile) {
		appendSummary(printable.results(), summaryFile);
	}
}

async function print(printable: Printable, format: Format, hasSummaryFile: boolean): Promise<string> {
	switch (format) {
		case 'text': {
			return printable.text();
		}

		case 'json': {
			return `${JSON.stringify(printable.json(), undefined, 2)}\n`;
		}

		case 'tap': {
			return printTap(printable.results());
		}

		case 'junit': {
			// Its library is loaded for those who ask for it.
			const {printJunit} = await import('../../src/report/junit.js');
			return printJunit(printable.results());
		}

		case 'markdown': {
			return printMarkdown(printable.results());
		}

		case 'github': {
			const results = printable.results();
			return hasSummaryFile ? printGithub(results) : `${printGithub(results)}\n${printMarkdown(results, {bytesMax: stepSummaryBytesMax})}`;
		}
	}
}

/** GitHub takes the summaries of a step together, or none of them when they are too long. */
function appendSummary(results: Results, file: string): void {
	try {
		const taken = statSync(file, {throwIfNoEntry: false})?.size ?? 0;
		appendFileSync(file, visibleText(printMarkdown(results, {bytesMax: stepSummaryBytesMax - taken})));
	} catch (error) {
		throw new TestbedError('INPUT', {message: `The summary cannot be written to ${file}, which GITHUB_STEP_SUMMARY names: ${(error as Error).message}`, state: 'The run itself had ended, and its annotations are printed.', cause: error});
	}
}

async function write(text: string, file: string | undefined): Promise<void> {
	if (file === undefined) {
		await writeOut(text);
		return;
	}

	try {
		writeFileSync(file, visibleText(text));
	} catch (error) {
		throw new TestbedError('INPUT', {message: `The report cannot be written to ${file}: ${(error as Error).message}`, state: 'The run itself had ended.', cause: error});
	}
}
