/**
The command line of `testbed replay`.
*/

import {Command, Option} from 'commander';
import {formats, readFormat} from '../parsers.js';
import type {PrintFlags} from '../output/write-runs.js';

const replayExamples = `
The recording has everything that the kernel and the tools said during the run.
It is decoded and judged again; the report is the one that the run printed, byte
for byte.

Examples:
  testbed run --record run.testbed         run, and keep what the kernel said
  testbed replay run.testbed               anywhere: no root, no Linux, no iptables
  testbed replay run.testbed --verbose     every traversal of that run
  testbed replay run.testbed --format json

Exit status: that of the run; 2 for a file that is not a complete recording.`;

export function replayCommandLine(setStatus: (status: number) => void): Command {
	return new Command('replay')
		.description('judge a recording of run --record again, without a kernel')
		.argument('<file>', 'the recording, or - (stdin)')
		.addOption(new Option('--format <name>', `what to print on stdout: ${formats.join(', ')}`).argParser(readFormat).default('text'))
		.option('--output <file>', 'write the report there instead of stdout')
		.option('--verbose', 'show every traversal with hook, table and chain')
		.addHelpText('after', replayExamples)
		.action(async (file: string, flags: PrintFlags) => {
			const {replayCommand} = await import('../commands/replay.js');
			setStatus(await replayCommand(file, flags));
		});
}
