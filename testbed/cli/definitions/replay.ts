/**
The command line of `testbed replay`.
*/

import {Command, Option} from 'commander';
import {formats, readFormat} from '../parsers.js';
import type {PrintFlags} from '../output/write-runs.js';

const replayExamples = `
Everything is read, decoded and judged again from what the kernel and its tools
said during the run; the report is the one that the run printed, to the byte.

Examples:
  testbed run --record run.testbed         play, and write down what came of it
  testbed replay run.testbed               anywhere: no root, no Linux, no iptables
  testbed replay run.testbed --verbose     every traversal of that run
  testbed replay run.testbed --format json

Exit status: that of the run; 2 for a file that is no whole recording.`;

export function replayCommandLine(setStatus: (status: number) => void): Command {
	return new Command('replay')
		.description('judge again what run --record has written; the kernel is not asked')
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
