/**
When to use color, and how wide lines are. A separate file, because commands that never touch the kernel must not load the code that does.
*/

import process from 'node:process';
import {programName} from '../../system/program-name.js';

/** The values of `--color`. */
export const colorChoices = ['auto', 'always', 'never'] as const;

/** One of the values of `--color`. */
export type ColorChoice = typeof colorChoices[number];

/** What the command line says about printing, for the whole process. */
const chosen: {color: ColorChoice; quiet: boolean} = {color: 'auto', quiet: false};

/** Sets what the command line says about printing, for the whole process. */
export function choosePrinting({color = 'auto', quiet = false}: {readonly color?: ColorChoice | undefined; readonly quiet?: boolean | undefined}): void {
	chosen.color = color;
	chosen.quiet = quiet;
}

/** Whether `--quiet` was given: no progress, no remarks, and no text if everything passed. */
export function isQuiet(): boolean {
	return chosen.quiet;
}

/** Whether to use color: as `--color` says; with `auto`, on a terminal, unless NO_COLOR is set to anything (no-color.org). FORCE_COLOR forces it. */
export function wantsColor({choice = 'auto', isTerminal, environment}: {readonly choice?: ColorChoice; readonly isTerminal: boolean; readonly environment: Readonly<Record<string, string | undefined>>}): boolean {
	if (choice !== 'auto') {
		return choice === 'always';
	}

	if ((environment['NO_COLOR'] ?? '') !== '') {
		return false;
	}

	const force = environment['FORCE_COLOR'];
	return force === undefined ? isTerminal && environment['TERM'] !== 'dumb' : force !== '0' && force !== 'false';
}

/** The line width: that of the terminal, or of COLUMNS if there is no terminal, within 40 to 100 columns for readability. */
export function widthOf({columns, environment}: {readonly columns: number | undefined; readonly environment: Readonly<Record<string, string | undefined>>}): number {
	const said = /^[1-9]\d{0,4}$/u.test(environment['COLUMNS'] ?? '') ? Number(environment['COLUMNS']) : undefined;
	return Math.max(40, Math.min(columns ?? said ?? 80, 100));
}

/** How to print: in color and at the terminal's width on a terminal; plain for a file. */
export function readerOf({output, verbose = false}: {
	readonly output?: string | undefined; readonly verbose?: boolean | undefined;
} = {}): {readonly color: boolean; readonly verbose: boolean; readonly width: number; readonly program: string} {
	return {
		color: wantsColor({choice: chosen.color, isTerminal: output === undefined && process.stdout.isTTY, environment: process.env}),
		verbose,
		width: widthOf({columns: process.stdout.columns, environment: process.env}),
		program: programName(),
	};
}
