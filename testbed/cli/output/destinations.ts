/**
Where reports go: the values of `--output`.
*/

import {InvalidArgumentError} from 'commander';
import {TestbedError} from '../../errors.js';
import {formatReader, type Format} from '../parsers.js';

/** One `--output`: with a format, a report of its own; without one, the place of the report of `--format`. */
export type Destination = {readonly format: Format | undefined; readonly file: string};

/** The options about printing. */
export type PrintFlags = {readonly format: Format; readonly output?: readonly Destination[]; readonly verbose?: boolean; readonly json?: readonly string[]};

/** A report to print. `-` is standard output. `keys`: only these of a JSON document. */
export type WantedReport = {readonly format: Format; readonly file: string; readonly keys?: readonly string[] | undefined};

/**
Makes a parser of `--output`, for the formats that the command has. It adds to the values before it.

@throws {InvalidArgumentError} for a format that the command does not have, a missing file name, and a second place for the report of `--format`.
*/
export function destinationReader(known: readonly Format[]): (text: string, before?: readonly Destination[]) => readonly Destination[] {
	return (text, before = []) => {
		const {word, file} = /^(?<word>[a-z]*)=(?<file>.*)$/isu.exec(text)?.groups ?? {};
		if (word === undefined || file === undefined) {
			const other = before.find(({format}) => format === undefined);
			if (other !== undefined) {
				throw new InvalidArgumentError(`the report of --format already goes to ${other.file}. For a second report, name its format: --output ${known.includes('junit') ? 'junit' : 'json'}=${text}`);
			}

			return [...before, {format: undefined, file: text}];
		}

		if (file === '') {
			throw new InvalidArgumentError(`it names no file (an unset variable?). For example: --output ${word}=report.txt`);
		}

		return [...before, {format: formatIn(word, file, known), file}];
	};
}

function formatIn(word: string, file: string, known: readonly Format[]): Format {
	try {
		return formatReader(known)(word);
	} catch (error) {
		throw new InvalidArgumentError(`before the equals sign, ${(error as Error).message} For a file with that name: --output ./${word}=${file}`);
	}
}

/** All reports that the options ask for: that of `--format`, then the others. */
export function wantedReports({format = 'text', output = [], json: keys}: Partial<PrintFlags>): readonly [WantedReport, ...WantedReport[]] {
	const own = output.find(destination => destination.format === undefined);
	return [
		{format, file: own?.file ?? '-', keys},
		...output.flatMap(({format, file}) => format === undefined ? [] : [{format, file}]),
	];
}

/**
Refuses several reports on standard output: it holds a single document.

@throws {TestbedError} USAGE.
*/
export function refuseMixedOutput(reports: readonly WantedReport[]): void {
	const [first, second] = reports.filter(({file}) => file === '-');
	if (first !== undefined && second !== undefined) {
		throw new TestbedError('USAGE', {message: `Two reports would go to standard output: ${first.format} and ${second.format}.`, state: 'Nothing was run.', hint: `Write one of them to a file: --output ${second.format}=FILE`});
	}
}
