/**
Which commands need Linux, root and the netfilter programs: each definition says so of its own.
*/

import type {Command} from 'commander';

const marked = new WeakSet<Command>();

/** Marks a command that asks the kernel. */
export function needsRoot(command: Command): Command {
	marked.add(command);
	return command;
}

/** Whether a command was marked. */
export function isForRoot(command: Command): boolean {
	return marked.has(command);
}
