/**
The command line of `testbed completion`.
*/

import {Argument, Command} from 'commander';
import {helpText} from '../output/help-text.js';
import {shells} from '../completion/shells.js';

const examples = `
The script completes commands, options, releases, back ends, formats, lessons,
keys of documents, and files, for testbed and bin/testbed. Print it again after
an update.

Examples:
  source <(testbed completion bash)        this shell
  testbed completion bash > /etc/bash_completion.d/testbed
  testbed completion zsh > ~/.zfunc/_testbed
                                           in a folder of $fpath, before compinit
  testbed completion fish > ~/.config/fish/completions/testbed.fish

Exit status: 0 printed, 2 usage.`;

/** `testbed completion SHELL`. */
export function completionCommandLine(setStatus: (status: number) => void): Command {
	return new Command('completion')
		.description('print a script that makes a shell complete commands, options and values')
		.addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(shells))
		.addHelpText('after', helpText(examples))
		.action(async (shell: (typeof shells)[number], _: unknown, command: Command) => {
			const {completionCommand} = await import('../commands/completion.js');
			setStatus(await completionCommand(shell, command.parent!));
		});
}
