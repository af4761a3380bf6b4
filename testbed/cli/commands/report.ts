/**
`testbed report`: one file with everything that a bug report needs to say.
*/

import type {Command} from 'commander';
import {visibleForeign} from '../../../src/parsing/visible-text.js';
import {hang} from '../../../src/report/terminal/wrap.js';
import {TestbedError} from '../../errors.js';
import {checkOutputs} from '../../outputs/check.js';
import {targetOf} from '../../outputs/target.js';
import {writeOutput} from '../../outputs/write.js';
import {tell, writeOut} from '../../system/streams.js';
import {sourcesOfProcess} from '../config/sources.js';
import {ruleFiles} from '../output/output-files.js';
import {readerOf} from '../output/terminal.js';
import {collectReport} from '../report/collect.js';
import type {NamedFiles} from '../report/files.js';
import {privateNamesOfProcess} from '../report/redact.js';
import {untilSignal} from '../signals.js';

/** The options as the command line gives them. */
export type ReportFlags = NamedFiles & {readonly list?: boolean};

/** The file that is written if none is named. */
const defaultFile = 'testbed-report.json';

/**
Collects, prints the list of contents, and writes the file; returns the exit status.

@throws {TestbedError} USAGE for a file that exists and for options that do not go together, INPUT for a file that cannot be read or written, INTERRUPTED after a signal.
*/
export async function reportCommand(given: string | undefined, flags: ReportFlags, program: Command): Promise<number> {
	const {recording, rules, rules6, scenario = [], list = false} = flags;
	if (list && given !== undefined) {
		throw new TestbedError('USAGE', {message: `--list writes nothing, so ${given} cannot be used with it.`, hint: 'Omit one of the two.'});
	}

	if ([recording, rules, rules6, ...scenario].filter(name => name === '-').length > 1) {
		throw new TestbedError('USAGE', {message: 'Standard input can be read only once, but - is given twice.', hint: 'Save one of them to a file.'});
	}

	const file = given ?? defaultFile;
	if (!list) {
		refuseExisting(file);
		checkOutputs([{name: 'the report', what: 'The report', file}], [
			...ruleFiles([['--rules', rules], ['--rules6', rules6]]), ...(recording === undefined ? [] : [{name: '--recording', file: recording}]), ...scenario.map(each => ({name: '--scenario', file: each})),
		]);
	}

	const report = await untilSignal(async signal => {
		const collected = await collectReport({
			program, sources: sourcesOfProcess(), files: flags, names: privateNamesOfProcess(),
		});
		signal.throwIfAborted();
		return collected;
	});
	const contents = printContents(list ? 'A report would hold' : `${file === '-' ? 'The report' : file} holds`, report.contents);
	if (list) {
		await writeOut(contents);
		return 0;
	}

	// The list is not part of the document on standard output.
	if (file === '-') {
		tell(contents);
	} else {
		await writeOut(contents);
	}

	refuseExisting(file);
	await writeOutput(file, `${JSON.stringify(report, undefined, 2)}\n`, {what: 'The report', state: 'Nothing was written.'});
	return 0;
}

/** @throws {TestbedError} USAGE for a file: a report overwrites nothing. */
function refuseExisting(file: string): void {
	if (targetOf(file).kind === 'file') {
		throw new TestbedError('USAGE', {message: `${file} exists, and a report overwrites nothing.`, state: 'Nothing was written.', hint: 'Name another file, or remove this one.'});
	}
}

function printContents(heading: string, contents: readonly string[]): string {
	const {width} = readerOf();
	return visibleForeign(`${[`${heading}:`, ...contents.flatMap(text => hang({
		indent: 2, label: '-', column: 2, text, width,
	}))].join('\n')}\n`);
}
