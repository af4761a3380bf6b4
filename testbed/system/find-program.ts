/**
Looks for programs as a shell would.
*/

import {accessSync, constants, statSync} from 'node:fs';
import path from 'node:path';

/** Whether a file can be run as a program. */
export function isProgram(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return statSync(file).isFile();
	} catch {
		return false;
	}
}

/** The file of a program; undefined if none of the folders (separated by colons) has it. */
export function findProgram(name: string, folders: string): string | undefined {
	return folders.split(':').map(folder => path.join(folder, name)).find(file => isProgram(file));
}
