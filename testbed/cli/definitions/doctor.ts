/**
The command line of `testbed doctor`.
*/

import {Command, Option} from 'commander';

export function doctorCommandLine(setStatus: (status: number) => void): Command {
	return new Command('doctor')
		.description('try everything that a run needs on this machine, and name what is missing')
		.addOption(new Option('--format <name>', 'output format').choices(['text', 'json']).default('text'))
		.action(async ({format}: {format: 'text' | 'json'}) => {
			const {doctorCommand} = await import('../commands/doctor.js');
			setStatus(await doctorCommand(format));
		});
}
