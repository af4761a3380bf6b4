/**
Which options a configuration file can set, by their names without dashes.
*/

import type {Command, Option} from 'commander';
import {allCommands} from '../all-commands.js';
import {takesSettings} from './sources.js';

/**
Options that only the command line and the user's own variables set. A file in the folder of a checkout may come from somebody else, and these write files, start programs, or let rules do more; or they ask for something else than a run.
*/
const notInFiles: ReadonlySet<string> = new Set([
	'allow-modules', 'allow-outside', 'answers', 'batch', 'brief', 'check', 'envoy', 'explain', 'keep', 'keep-for', 'list', 'listen', 'output', 'pcap', 'port', 'print', 'record', 'recording', 'scenario', 'scenarios',
	'shard', 'shard-output', 'shard-times', 'show', 'times', 'to', 'update', 'version', 'watch',
]);

/** The name of an option in a file: `proxy-uid`. */
export function keyOf({long}: Option): string {
	return long!.replace(/^--/u, '');
}

/** The variable of an option: `TESTBED_PROXY_UID`. */
export function variableOf(option: Option): string {
	return `TESTBED_${keyOf(option).toUpperCase().replaceAll('-', '_')}`;
}

/** Whether a file can set an option. */
export function isForFiles(option: Option): boolean {
	return !notInFiles.has(keyOf(option));
}

/** A command with the name of its section: `run`, `baseline check`. */
export type NamedCommand = {readonly name: string; readonly command: Command};

/** All commands that do something, each with its full name. */
export function commandsIn(program: Command): readonly NamedCommand[] {
	return allCommands(program)
		.filter(({words, command}) => words.length > 0 && command.commands.length === 0)
		.map(({words, command}) => ({name: words.join(' '), command}));
}

/** The commands that take settings, whatever these are. */
export function settableCommands(program: Command): readonly NamedCommand[] {
	return commandsIn(program).filter(({command}) => takesSettings(command));
}

/** Whether an option takes a value. */
export function takesValue({required, optional}: Option): boolean {
	return required || optional;
}
