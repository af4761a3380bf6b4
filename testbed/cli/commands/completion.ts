/**
`testbed completion`: a script for a shell, made from the definitions of all commands.
*/

import type {Command} from 'commander';
import {writeOut} from '../../system/streams.js';
import {printBash} from '../completion/bash.js';
import {printFish} from '../completion/fish.js';
import {completedCommands, type CompletedCommand} from '../completion/model.js';
import type {Shell} from '../completion/shells.js';
import {printZsh} from '../completion/zsh.js';

const printers: Readonly<Record<Shell, (commands: readonly CompletedCommand[]) => string>> = {bash: printBash, zsh: printZsh, fish: printFish};

/** Prints the script; returns the exit status. */
export async function completionCommand(shell: Shell, program: Command): Promise<number> {
	await writeOut(printers[shell](await completedCommands(program)));
	return 0;
}
