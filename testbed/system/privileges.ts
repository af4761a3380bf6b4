/**
Whether this process is the machine's root, or root only in a user namespace of its own.
*/

import process from 'node:process';
import {ownIdMaps} from '../syscalls/id-maps.js';

/** Whether this process is root in the machine's own user namespace. */
export function isMachinesRoot(): boolean {
	return process.geteuid!() === 0 && ownIdMaps().isInitial;
}

/** A command that only the machine's root can run, for pasting: with `sudo` for others. */
export function forRoot(command: string): string {
	return isMachinesRoot() ? command : `sudo ${command}`;
}
