/**
How a result is printed in each format: the same for every command whose results are suites of cases.
*/

import {statSync} from 'node:fs';
import {printGithub} from '../../../src/report/formats/github.js';
import {printMarkdown, stepSummaryBytesMax} from '../../../src/report/formats/markdown.js';
import type {Results} from '../../../src/report/formats/results.js';
import {printTap} from '../../../src/report/formats/tap.js';
import {appendOutput, writeOutput} from '../../outputs/write.js';
import type {Format} from '../parsers.js';
import {summaryFile} from './output-files.js';

/** What a command has to say, by format. Only what is asked for is made. */
export type Printable = {readonly text: () => string; readonly json: () => unknown; readonly results: () => Results};

/**
Prints in a format, to a file where one is given, and to standard output otherwise. Annotations for GitHub come with a summary: it is appended to the file that GITHUB_STEP_SUMMARY names; without that variable it follows the annotations.

@throws {TestbedError} INPUT when a file cannot be written.
*/
export async function writeFormatted(printable: Printable, {format, output}: {readonly format: Format; readonly output?: string | undefined}): Promise<void> {
	const summary = format === 'github' ? summaryFile() : undefined;
	await writeOutput(output ?? '-', await print(printable, format, summary !== undefined), {what: 'The report', state: 'The run itself had ended.'});
	if (summary !== undefined) {
		await appendSummary(printable.results(), summary);
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
			const {printJunit} = await import('../../../src/report/formats/junit.js');
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
async function appendSummary(results: Results, file: string): Promise<void> {
	const taken = statSync(file, {throwIfNoEntry: false})?.size ?? 0;
	await appendOutput(file, printMarkdown(results, {bytesMax: stepSummaryBytesMax - taken}), {
		what: 'The summary', state: 'The run itself had ended, and its annotations are printed.', named: 'which GITHUB_STEP_SUMMARY names',
	});
}
