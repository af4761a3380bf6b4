/**
The command line of `testbed config`.
*/

import {Command, Option} from 'commander';
import {helpText} from '../output/help-text.js';

const examples = `
Options that you always use can be in testbed.config.yaml, .yml or .json in the
folder where you call testbed, or in the file that TESTBED_CONFIG names (none if
it is empty). A key is an option without its dashes, for all commands that have
it, or a command with its own options. Every option can also be set by a
variable: TESTBED_BACKEND for --backend. The command line counts most, then
variables, then the file, then the default.

A file cannot set options that write files, start programs or grant something
(--output, --envoy, --allow-modules …), and can only name files in its folder.

Examples:
  testbed config                           what counts for run
  testbed config probe                     for another command
  testbed config baseline check --format json
  TESTBED_BACKEND=nftables testbed run     a variable, for once

Exit status: 0 printed, 2 usage, or something is wrong with a file or variable.`;

/** `testbed config [COMMAND]`. */
export function configCommandLine(setStatus: (status: number) => void): Command {
	return new Command('config')
		.description('show which options count for a command, and where each value comes from')
		.argument('[command...]', 'the command (default: run)')
		.addOption(new Option('--format <name>', 'output format').choices(['text', 'json']).default('text'))
		.addHelpText('after', helpText(examples))
		.action(async (words: readonly string[], {format}: {readonly format: 'text' | 'json'}, command: Command) => {
			const {configCommand} = await import('../commands/config.js');
			setStatus(await configCommand(words, {format, program: command.parent!}));
		});
}
