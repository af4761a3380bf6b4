/**
The command line of `testbed report`.
*/

import {Command} from 'commander';
import type {ReportFlags} from '../commands/report.js';
import {helpText} from '../output/help-text.js';

const examples = `
The file is one JSON document, so that you can read it before you attach it:
versions, what testbed doctor says, the settings that count, some environment
variables from a fixed list, and the files that you name. Its contents are
printed before it is written, and nothing else is in it. Home folders, user
names and host names are replaced, also in the files. Addresses and rules stay:
they are what a report is about. Of a manifest (pod:FILE), only the rules that
the testbed makes of it are put in, because it may hold secrets.

Examples:
  testbed report                           testbed-report.json
  testbed report --list                    only what would be in it
  testbed run --rules my.rules --record run.testbed
  testbed report --recording run.testbed --rules my.rules bug.json
  testbed report --scenario mine.yaml -    on standard output

Exit status: 0 written, 2 usage or input: the file exists, or one that was named
cannot be read.`;

/** `testbed report [FILE]`. */
export function reportCommandLine(setStatus: (status: number) => void): Command {
	return new Command('report')
		.description('write one file with what a bug report needs to say')
		.argument('[file]', 'the file to write, which must not exist yet, or - (standard output) (default: testbed-report.json)')
		.option('--list', 'print what would be in it, and write nothing')
		.option('--recording <file>', 'put in a recording of run --record')
		.option('--rules <input>', 'put in rules: a dump\'s file or -, or those that the testbed makes of release:VERSION or pod:FILE')
		.option('--rules6 <file>', 'put in the IPv6 dump that goes with the one in --rules')
		.option('--scenario <file...>', 'put in scenario files, or folders of them')
		.addHelpText('after', helpText(examples))
		.action(async (file: string | undefined, flags: ReportFlags, command: Command) => {
			const {reportCommand} = await import('../commands/report.js');
			setStatus(await reportCommand(file, flags, command.parent!));
		});
}
