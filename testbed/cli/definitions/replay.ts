/**
The command line of `testbed replay`.
*/

import {Command} from 'commander';
import {runFormats} from '../parsers.js';
import type {PrintFlags} from '../output/destinations.js';
import {helpText} from '../output/help-text.js';
import {jsonOption} from '../output/json-keys.js';
import {
	colorOption, formatOption, outputOption, quietOption,
} from './shared-options.js';

const replayExamples = `
A recording holds everything that the kernel and the tools reported during the
run. replay decodes and judges it again, and prints the run's report, byte for
byte.

Examples:
  testbed run --record run.testbed         run, and record it
  testbed replay run.testbed               anywhere: no root, no Linux, no iptables
  testbed replay run.testbed --verbose     every traversal of that run
  testbed replay run.testbed --format json

Exit status: that of the run; 2 if the file is not a complete recording.`;

export function replayCommandLine(setStatus: (status: number) => void): Command {
	return new Command('replay')
		.description('judge a recording made by run --record again, without the kernel')
		.argument('<file>', 'the recording, or - (stdin)')
		.addOption(formatOption(runFormats))
		.addOption(outputOption(runFormats))
		.addOption(jsonOption('run'))
		.addOption(quietOption())
		.addOption(colorOption())
		.option('--verbose', 'show every traversal with hook, table and chain')
		.addHelpText('after', helpText(replayExamples))
		.action(async (file: string, flags: PrintFlags) => {
			const {replayCommand} = await import('../commands/replay.js');
			setStatus(await replayCommand(file, flags));
		});
}
