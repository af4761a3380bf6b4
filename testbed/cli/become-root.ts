/**
Gives an ordinary user's command what it needs: it starts again as root of a user namespace.
*/

import process from 'node:process';
import type {Command} from 'commander';
import {TestbedError} from '../errors.js';
import {commandLine} from '../system/program-name.js';
import {helperToReap, isInOwnNamespace, mappingFacts} from '../rootless/note.js';
import {textForInside} from '../kubernetes/read-cluster.js';
import {needOf} from './definitions/needs-root.js';

/** How the program was started: its arguments, and the rest of what `main` was given. */
export type Started = {readonly argv: readonly string[]; readonly context: object};

/** Why a command works for the machine's root only. */
const reasons: Readonly<Record<string, string>> = {
	run: '--keep gives namespaces names in /run/netns, where only root may write',
	enter: 'kept sandboxes have names in /run/netns, where only root may enter them',
	clean: 'kept sandboxes have names in /run/netns, from where only root may remove them',
};

/** What forbids a user namespace to this user, for the doctor; undefined if nothing does. */
let wall: TestbedError | undefined;

/** What forbade a user namespace when this command asked for one. */
export function foundWall(): TestbedError | undefined {
	return wall;
}

/**
Starts the command again as root of a user namespace, if it needs root and this is an ordinary user.

@throws {TestbedError} MACHINE if that cannot be, or only the machine's root can do what the command is for; USAGE for an address on which `serve` cannot listen.
*/
export async function becomeRoot(command: Command, {argv, context}: Started): Promise<void> {
	const need = needOf(command);
	if (need === undefined || process.platform !== 'linux') {
		return;
	}

	if (need === 'root') {
		refuseUser(command, argv);
		return;
	}

	const {geteuid} = process;
	if (geteuid!() === 0) {
		await reapHelper();
		return;
	}

	if (isInOwnNamespace()) {
		throw new TestbedError('MACHINE', {message: `The user namespace was created, but this process is UID ${geteuid!()} in it instead of root.`, state: 'Nothing was run.', hint: `Run it as root: sudo env "PATH=$PATH" ${commandLine(argv.join(' '))}`});
	}

	const {enterNamespace} = await import('../rootless/enter.js');
	try {
		enterNamespace({
			argv, context, listening: await listeningFor(command), outside: textForInside(),
		});
	} catch (error) {
		if (need !== 'either' || !(error instanceof TestbedError)) {
			throw error;
		}

		wall = error;
	}
}

/** Ends what the first start has left: its helper has done its work, and stays in the list of processes until somebody asks how it ended. */
async function reapHelper(): Promise<void> {
	const pid = helperToReap();
	if (pid !== undefined) {
		const {reap} = await import('../syscalls/spawn.js');
		try {
			reap({pid});
		} catch {} // The shell that waited for the helper's answer may have done that.
	}
}

/** @throws {TestbedError} MACHINE unless this is the machine's root, or root where nobody made a user namespace for this command. */
function refuseUser(command: Command, argv: readonly string[]): void {
	const uid = mappingFacts()?.uid ?? process.geteuid!();
	if (uid !== 0) {
		throw new TestbedError('MACHINE', {
			message: `This needs root, but this is UID ${uid}: ${reasons[command.name()] ?? 'it leaves something on the machine'}.`,
			state: 'Nothing was run.',
			hint: `sudo env "PATH=$PATH" ${commandLine(argv.join(' '))}`,
		});
	}
}

/** The sockets on which `serve` listens: inside there is another network. */
async function listeningFor(command: Command): Promise<Readonly<Record<string, number>>> {
	if (command.name() !== 'serve') {
		return {};
	}

	const {port, listen} = command.opts<{readonly port: number; readonly listen?: string}>();
	const {listenBefore} = await import('../rootless/listen.js');
	return listenBefore([...new Set(['127.0.0.1', ...(listen === undefined ? [] : [listen])])], port);
}
