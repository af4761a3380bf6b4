/**
When to colour, and how wide a line is. A file of its own, because commands that never touch the kernel must not load what does.
*/

import process from 'node:process';

/** Whether to colour: on a terminal, unless NO_COLOR is set to anything (no-color.org); FORCE_COLOR forces it. */
export function wantsColor({isTerminal, environment}: {readonly isTerminal: boolean; readonly environment: Readonly<Record<string, string | undefined>>}): boolean {
	if ((environment['NO_COLOR'] ?? '') !== '') {
		return false;
	}

	const force = environment['FORCE_COLOR'];
	return force === undefined ? isTerminal && environment['TERM'] !== 'dumb' : force !== '0' && force !== 'false';
}

/** How to print for whoever reads it: coloured on a terminal, and as wide as that, within what reads well; what goes to a file is plain. */
export function readerOf({output, verbose = false}: {
	readonly output?: string | undefined; readonly verbose?: boolean | undefined;
} = {}): {readonly color: boolean; readonly verbose: boolean; readonly width: number} {
	return {
		color: wantsColor({isTerminal: output === undefined && process.stdout.isTTY, environment: process.env}),
		verbose,
		width: Math.max(60, Math.min(process.stdout.columns ?? 80, 100)),
	};
}
