/**
The command line of `testbed clean`.
*/

import {Command} from 'commander';

export function cleanCommandLine(setStatus: (status: number) => void): Command {
	return new Command('clean')
		.description('stop and remove the sandboxes that --keep left, and no others')
		.action(async () => {
			const {cleanCommand} = await import('../commands/clean.js');
			setStatus(await cleanCommand());
		});
}
