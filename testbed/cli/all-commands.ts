/**
All commands of a program, whatever stands below what.
*/

import type {Command} from 'commander';

/** A command, with its name after that of the program: `baseline`, `check`. */
export type PlacedCommand = {readonly words: readonly string[]; readonly command: Command};

/** A command and all that are below it, each before its own subcommands. The first one has no words. */
export function allCommands(command: Command, words: readonly string[] = []): readonly PlacedCommand[] {
	return [{words, command}, ...command.commands.flatMap(below => allCommands(below, [...words, below.name()]))];
}
