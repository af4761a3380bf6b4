/**
Where settings can come from: variables, and `testbed.config.yaml`, `.yml` or `.json` in the folder where the testbed is called, or the file that TESTBED_CONFIG names. What reads them is loaded only if there are any.
*/

import {existsSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type {Command} from 'commander';
import {TestbedError} from '../../errors.js';

/** The names that are looked for. */
export const configNames = ['testbed.config.yaml', 'testbed.config.yml', 'testbed.config.json'] as const;

/** Commands that print what there is, whatever a file or a variable says. What goes into a bug report is on its command line alone. */
const withoutSettings = new Set(['config', 'completion', 'report']);

/** Whether a command gets settings when it is called. */
export function takesSettings(command: Command): boolean {
	return !withoutSettings.has(command.name());
}

/** Where the values come from. */
export type Sources = {readonly environment: Readonly<Record<string, string | undefined>>; readonly folder: string};

/** The sources of this process. */
export function sourcesOfProcess(): Sources {
	return {environment: process.env, folder: process.cwd()};
}

/**
The file to read; undefined if there is none. An empty TESTBED_CONFIG means none.

@throws {TestbedError} USAGE if there are several.
*/
export function findConfig(folder: string, environment: Readonly<Record<string, string | undefined>>): string | undefined {
	const named = environment['TESTBED_CONFIG'];
	if (named !== undefined) {
		return named === '' ? undefined : named;
	}

	const [first, second] = configNames.filter(name => existsSync(path.join(folder, name)));
	if (second !== undefined) {
		throw new TestbedError('USAGE', {message: `There are two configuration files here, ${first!} and ${second}.`, hint: 'Keep one of them, or name one: TESTBED_CONFIG=FILE'});
	}

	return first;
}

/**
Whether there is anything that may set an option.

@throws {TestbedError} as {@link findConfig}.
*/
export function hasSettings({environment, folder}: Sources): boolean {
	return findConfig(folder, environment) !== undefined || Object.keys(environment).some(name => name.startsWith('TESTBED_'));
}
