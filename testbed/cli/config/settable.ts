/**
Which options a configuration file can set, by their names without dashes.
*/

import type {Command, Option} from 'commander';
import {otherProxies} from '../../actors/proxy.js';
import {allCommands} from '../all-commands.js';
import {takesSettings} from './sources.js';

/**
Options that a file can set. A file in the folder of a checkout may come from somebody else, so an option is in this list only if whatever it is set to writes no file, starts no program that the user did not choose, opens no port, and lets rules do no more. Files that these options name are read only in the folder of the configuration file (`refuseOutside` in `file.ts`).
*/
export const inFiles: ReadonlySet<string> = new Set([
	'accel', 'agent-gid', 'agent-uid', 'app-gid', 'app-uid', 'backend', 'bail', 'bind-device', 'cases', 'cni', 'color', 'consecutive', 'diff', 'diff6', 'dns-servers', 'family', 'filter', 'first-leg', 'follow', 'format', 'from',
	'from6', 'gid', 'idle', 'jobs', 'json', 'limit', 'mark', 'paths', 'proto', 'proxy', 'proxy-gid', 'proxy-uid', 'quiet', 'release', 'require', 'rules', 'rules6', 'sample', 'since', 'source', 'stops-only', 'time-limit', 'timeout',
	'to6', 'trace-buffer', 'types', 'uid', 'verbose',
]);

/**
All other options: only the command line and the user's own variables set them. They write files, start programs, or let rules do more; or they ask for something else than a run. A test compares both lists with the options of all commands, so that nobody forgets to decide.
*/
export const notInFiles: ReadonlySet<string> = new Set([
	...otherProxies,
	'allow-modules', 'allow-outside', 'answers', 'batch', 'brief', 'check', 'context', 'debug-image', 'explain', 'file', 'keep', 'keep-for', 'kubeconfig', 'list', 'listen', 'output', 'pcap', 'port', 'print', 'record', 'recording', 'refresh', 'scenario', 'scenarios', 'shard',
	'shard-output', 'shard-times', 'show', 'times', 'to', 'update', 'watch',
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
	return inFiles.has(keyOf(option));
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
