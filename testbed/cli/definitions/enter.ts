/**
The command line of `testbed enter`.
*/

import {Command} from 'commander';
import {helpText} from '../output/help-text.js';

const examples = `
Examples:
  testbed run --keep                       first, keep a sandbox
  testbed enter app                        a shell in the pod, as the app's user
  testbed enter proxy                      the same, as the proxy's user
  testbed enter remote                     on the other side of the link
  testbed enter app testbed-1a2b3c         in one of several kept sandboxes
  testbed enter app id                     one command
  testbed enter app -- curl --http0.9 http://10.244.1.20:8080

Exit status: that of the shell or the command; 2 if there is no such sandbox or
actor.`;

export function enterCommandLine(setStatus: (status: number) => void): Command {
	return new Command('enter')
		.description('open a shell, or run one command, in a kept sandbox as one of its actors')
		.argument('<actor>', 'app, proxy, remote, or another actor of the run')
		.argument('[words...]', 'the sandbox, by the name that run --keep printed (default: the newest); then a command to run instead of a shell, after -- if it has options')
		.addHelpText('after', helpText(examples))
		.action(async (actor: string, words: readonly string[]) => {
			const {enterCommand} = await import('../commands/enter.js');
			setStatus(await enterCommand(actor, words));
		});
}
