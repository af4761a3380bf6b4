/**
`testbed kernels`: a command of the testbed on other kernels, and one table.
*/

import process from 'node:process';
import type {Command} from 'commander';
import {kernelsToJson, resultsOfKernels} from '../../../src/report/kernels/json.js';
import {printKernels} from '../../../src/report/kernels/text.js';
import {exitStatusOfKernels} from '../../../src/report/kernels/types.js';
import {didYouMean} from '../../../src/parsing/did-you-mean.js';
import {TestbedError} from '../../errors.js';
import {runOnKernels} from '../../kernels/kernels.js';
import {readSeries} from '../../kernels/packages.js';
import type {Accelerator} from '../../kernels/qemu.js';
import type {PrintFlags} from '../output/destinations.js';
import {checkOutputFlags} from '../output/output-files.js';
import {remark} from '../output/remark.js';
import {writeFormatted} from '../output/write-report.js';
import {supervise} from '../supervise.js';

/** The options as the command line gives them. */
export type KernelsFlags = PrintFlags & {
	readonly file?: readonly string[];
	readonly accel: Accelerator | 'auto';
	readonly timeLimit: number;
	readonly refresh?: boolean;
};

/** What is run if nothing is named. */
const defaultCommand = ['run', '--backend', 'all'] as const;

/** Commands that make no sense in a guest: nobody could look at what they show, or they would start guests in turn. */
const refused = new Set(['kernels', 'serve', 'enter', 'clean', 'completion', 'help']);

/**
The arguments, of which commander has removed the first `--`.

@param after How many words followed it; undefined without one.
@throws {TestbedError} USAGE for a word that is no series, and for a command that does not exist or that cannot be run in a guest.
*/
export function splitWords(words: readonly string[], after: number | undefined, commands: readonly string[]): {readonly series: readonly string[]; readonly command: readonly string[]} {
	const series = words.slice(0, words.length - (after ?? 0)).map(word => readSeries(word));
	const given = after === undefined ? [] : words.slice(words.length - after);
	if (series.length === 0) {
		throw new TestbedError('USAGE', {message: 'No kernel is named before --.', hint: 'For example: testbed kernels 6.12 -- run'});
	}

	const [first] = given;
	if (first !== undefined && !first.startsWith('-')) {
		if (!commands.includes(first)) {
			throw new TestbedError('USAGE', {message: `There is no command "${first}" to run in the guests.${didYouMean(first, commands)}`, hint: 'After --, the words of a testbed command follow, without its name: -- run --rules FILE'});
		}

		if (refused.has(first)) {
			throw new TestbedError('USAGE', {message: `${first} cannot be run in a guest: there is nobody there to use it.`, hint: 'Commands that print a result can: run, probe, diff, mutate, coverage, baseline check, doctor.'});
		}
	}

	return {series: [...new Set(series)], command: given.length === 0 ? [...defaultCommand] : given};
}

/** How many words follow the first `--` of a command line. */
function wordsAfterDashes(argv: readonly string[]): number | undefined {
	const dashes = argv.indexOf('--');
	return dashes === -1 ? undefined : argv.length - dashes - 1;
}

/**
Boots the kernels, prints the table, and returns the exit status.

@throws {TestbedError} USAGE or INPUT for wrong words, outputs and files; NOT_TRIED if nothing can be booted here; INTERRUPTED after a signal.
*/
export async function kernelsCommand(words: readonly string[], flags: KernelsFlags, command: Command): Promise<number> {
	const program = command.parent!;
	const {series, command: inGuest} = splitWords(words, wordsAfterDashes((program as unknown as {readonly rawArgs: readonly string[]}).rawArgs), program.commands.map(each => each.name()));
	checkOutputFlags(flags, (flags.file ?? []).map(file => ({name: '--file', file})));
	const report = await supervise(async ({signal, onProgress}) => runOnKernels({
		series, words: inGuest, files: flags.file ?? [], folder: process.cwd(), accelerator: flags.accel, refresh: flags.refresh === true, limitMs: flags.timeLimit, signal, onProgress, say: remark,
	}));
	await writeFormatted({
		text: reader => printKernels(report, {...reader, areOutputsPrinted: flags.verbose === true}),
		json: () => kernelsToJson(report),
		results: () => resultsOfKernels(report),
		status: () => exitStatusOfKernels(report),
	}, flags);
	return exitStatusOfKernels(report);
}
