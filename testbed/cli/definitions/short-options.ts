/**
Short options. Each has one meaning in all commands, so they are given in one place.
*/

import type {Command} from 'commander';

/** The short form of each long option that has one. */
export const shortOptions: Readonly<Record<string, string>> = {
	'--backend': '-b',
	'--format': '-f',
	'--jobs': '-j',
	'--output': '-o',
	'--quiet': '-q',
	'--rules': '-r',
	'--types': '-t',
	'--verbose': '-v',
	'--version': '-V',
};

/** Gives the options of a command their short forms. */
export function addShortOptions(command: Command): void {
	for (const option of command.options) {
		const {long, short} = option;
		if (long !== undefined && short === undefined && Object.hasOwn(shortOptions, long)) {
			option.short = shortOptions[long]!;
			option.flags = `${option.short}, ${option.flags}`;
		}
	}
}
