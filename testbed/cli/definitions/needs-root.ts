/**
Which commands need Linux, root and the netfilter programs: `main.ts` marks them where it lists all commands.
*/

import type {Command} from 'commander';

const marked = new WeakSet<Command>();

/** Marks a command that needs Linux, root and the netfilter programs. */
export function needsRoot(command: Command): Command {
	marked.add(command);
	return command;
}

/** Whether a command was marked. */
export function isForRoot(command: Command): boolean {
	return marked.has(command);
}
