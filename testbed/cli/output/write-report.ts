/**
Prints a result in any format, for every command whose results are suites of cases.
*/

import {statSync} from 'node:fs';
import {printGithub} from '../../../src/report/formats/github.js';
import {printMarkdown, stepSummaryBytesMax} from '../../../src/report/formats/markdown.js';
import type {Results} from '../../../src/report/formats/results.js';
import {printTap} from '../../../src/report/formats/tap.js';
import {appendOutput, writeOutput} from '../../outputs/write.js';
import type {Format} from '../parsers.js';
import {wantedReports, type PrintFlags, type WantedReport} from './destinations.js';
import {summaryFile} from './output-files.js';
import {pickKeys} from './json-keys.js';
import {isQuiet, readerOf} from './terminal.js';

/** How a text is printed: in color or not, and how wide. */
export type Reader = ReturnType<typeof readerOf>;

/** A command's output by format. Only what is requested is computed. */
export type Printable = {
	readonly text: (reader: Reader) => string;
	readonly json: () => unknown;
	readonly results: () => Results;
	/** The exit status: with `--quiet`, a text is printed only if it is not 0. */
	readonly status: () => number;
};

/**
Prints the report of `--format`, to a file or to standard output, and all further reports. GitHub annotations come with a summary: it is appended to the file that GITHUB_STEP_SUMMARY names; without that variable it follows the annotations.

@throws {TestbedError} INPUT if a file cannot be written; all others are written.
*/
export async function writeFormatted(printable: Printable, flags: PrintFlags): Promise<void> {
	const reports = wantedReports(flags);
	const summary = reports.some(({format}) => format === 'github') ? summaryFile() : undefined;
	const written = await Promise.allSettled(reports.map(async ({format, file, keys}) => {
		if (isLeftOut({format, file}, printable.status())) {
			return;
		}

		const reader = readerOf({output: file === '-' ? undefined : file, verbose: flags.verbose});
		await writeOutput(file, await print(printable, format, {reader, keys, hasSummaryFile: summary !== undefined}), {what: 'The report', state: 'The run itself is complete.'});
	}));
	const failed = written.find(({status}) => status === 'rejected');
	if (failed?.status === 'rejected') {
		throw failed.reason as Error;
	}

	if (summary !== undefined) {
		await appendSummary(printable.results(), summary);
	}
}

/** Whether a report is left out: with `--quiet`, the text on standard output if everything passed. */
export function isLeftOut({format, file}: WantedReport, status: number): boolean {
	return isQuiet() && format === 'text' && file === '-' && status === 0;
}

async function print(printable: Printable, format: Format, {reader, keys, hasSummaryFile}: {
	readonly reader: Reader; readonly keys: readonly string[] | undefined; readonly hasSummaryFile: boolean;
}): Promise<string> {
	switch (format) {
		case 'text': {
			return printable.text(reader);
		}

		case 'json': {
			return `${JSON.stringify(pickKeys(printable.json(), keys), undefined, 2)}\n`;
		}

		case 'tap': {
			return printTap(printable.results());
		}

		case 'junit': {
			// Loaded on demand: few ask for it.
			const {printJunit} = await import('../../../src/report/formats/junit.js');
			return printJunit(printable.results());
		}

		case 'markdown': {
			return printMarkdown(printable.results());
		}

		case 'html': {
			const {printHtml} = await import('../../../src/report/formats/html.js');
			return printHtml(printable.results(), {raw: JSON.stringify(printable.json())});
		}

		case 'svg':
		case 'mermaid': {
			const {drawOne} = await import('./draw-one.js');
			return drawOne(printable.results(), format);
		}

		case 'github': {
			const results = printable.results();
			return hasSummaryFile ? printGithub(results) : `${printGithub(results)}\n${printMarkdown(results, {bytesMax: stepSummaryBytesMax})}`;
		}
	}
}

/** GitHub limits the total size of a step's summaries; beyond the limit it shows none of them. */
async function appendSummary(results: Results, file: string): Promise<void> {
	const taken = statSync(file, {throwIfNoEntry: false})?.size ?? 0;
	await appendOutput(file, printMarkdown(results, {bytesMax: stepSummaryBytesMax - taken}), {
		what: 'The summary', state: 'The run itself is complete, and its annotations are printed.', named: 'which GITHUB_STEP_SUMMARY names',
	});
}
