/**
The command line of `testbed doctor`.
*/

import {Command, Option} from 'commander';
import {helpText} from '../output/help-text.js';

const about = `
Each check does what a run does, in a namespace of its own; nothing on the
machine changes. As an ordinary user, the doctor first tries to become root of a
user namespace, as every other command does, and says what prevents it.

Exit status: 0 everything works, 4 something is missing (the output shows the
command that fixes it), 130 interrupted.`;

export function doctorCommandLine(setStatus: (status: number) => void): Command {
	return new Command('doctor')
		.description('try everything that a run needs on this machine, and name what is missing')
		.addOption(new Option('--format <name>', 'output format').choices(['text', 'json']).default('text'))
		.addHelpText('after', helpText(about))
		.action(async ({format}: {format: 'text' | 'json'}) => {
			const {doctorCommand} = await import('../commands/doctor.js');
			setStatus(await doctorCommand(format));
		});
}
