/**
The command line of `testbed merge`.
*/

import {Command} from 'commander';
import {runFormats} from '../parsers.js';
import type {MergeFlags} from '../commands/merge.js';
import {helpText} from '../output/help-text.js';
import {jsonOption} from '../output/json-keys.js';
import {
	colorOption, formatOption, outputOption, quietOption,
} from './shared-options.js';

const mergeExamples = `
Each shard of a command writes a file. merge makes the report that the command
would have printed without shards. A shard whose file is missing is named, and
its pieces are inconclusive.

Examples:
  testbed run scenarios/ --shard 1/2 --shard-output results/
  testbed run scenarios/ --shard 2/2 --shard-output results/
  testbed merge results/                   all *.shard files in a folder
  testbed merge results/ --format junit --output report.xml
  testbed merge results/ --times times.json
  testbed run scenarios/ --shard 1/2 --shard-output next/ \\
    --shard-times times.json               an even cut by these times
  testbed merge results/ --record all.testbed

Exit status: that of the command; 3 if a piece is missing and nothing failed;
2 if a file is damaged or does not belong to the others.`;

/** `testbed merge FILE…`. */
export function mergeCommandLine(setStatus: (status: number) => void): Command {
	return new Command('merge')
		.description('make one report of the files that the shards of a command wrote, without the kernel')
		.argument('<files...>', 'the files of the shards, or folders with such files')
		.addOption(formatOption(runFormats))
		.addOption(outputOption(runFormats))
		.addOption(jsonOption('run', 'diff', 'mutation'))
		.addOption(quietOption())
		.addOption(colorOption())
		.option('--record <file>', 'of run: also write one recording of everything, for testbed replay')
		.option('--times <file>', 'also write how long each piece took, for --shard-times of the next run')
		.option('--verbose', 'show everything that the command shows with --verbose')
		.addHelpText('after', helpText(mergeExamples))
		.action(async (files: readonly string[], flags: MergeFlags) => {
			const {mergeCommand} = await import('../commands/merge.js');
			setStatus(await mergeCommand(files, flags));
		});
}
