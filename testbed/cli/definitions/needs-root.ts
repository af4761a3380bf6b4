/**
What each command needs of the machine, beyond being read: `main.ts` marks the commands where it lists them.
*/

import type {Command} from 'commander';

/**
What a command needs:

- `namespaces`: Linux, the netfilter programs, and root of a user namespace, which an ordinary user can be as well
- `root`: the machine's root, because it leaves something on the machine or looks for it there
- `either`: it tries to become root of a user namespace, and goes on if it cannot
*/
export type Need = 'namespaces' | 'root' | 'either';

/** Options with which a command only reads and prints. */
const readingOptions = ['list', 'print', 'check'] as const;
/** Options with which any command leaves something on the machine. */
const keepingOptions = ['keep', 'keepFor'] as const;

const marked = new WeakMap<Command, Need>();

/** Marks a command. */
export function needs(need: Need, command: Command): Command {
	marked.set(command, need);
	return command;
}

/** Marks a command that needs Linux, root of a user namespace, and the netfilter programs. */
export function needsRoot(command: Command): Command {
	return needs('namespaces', command);
}

/** Whether a command needs Linux, root and the netfilter programs. */
export function isForRoot(command: Command): boolean {
	return ['namespaces', 'root'].includes(marked.get(command) ?? '');
}

/** Whether a command only ever works for the machine's root. */
export function isForMachinesRoot(command: Command): boolean {
	return marked.get(command) === 'root';
}

/** What a command with these options needs; undefined for nothing. A subcommand needs what its command does. */
export function needOf(command: Command): Need | undefined {
	for (let one: Command | null = command; one !== null; one = one.parent) {
		const need = marked.get(one);
		if (need === 'namespaces') {
			const given = command.opts<Readonly<Record<string, unknown>>>();
			const has = (names: readonly string[]): boolean => names.some(name => given[name] !== undefined && given[name] !== false);
			return has(readingOptions) ? undefined : (has(keepingOptions) ? 'root' : need);
		}

		if (need !== undefined) {
			return need;
		}
	}

	return undefined;
}
