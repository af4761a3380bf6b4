/**
Looks for programs where they would be run from.
*/

import {accessSync, constants, statSync} from 'node:fs';
import path from 'node:path';
import {searchPath} from './commands.js';

/** The file of a program; undefined if no folder has it. */
export function findProgram(name: string, folders: string = searchPath): string | undefined {
	return folders.split(':').map(folder => path.join(folder, name)).find(file => {
		try {
			accessSync(file, constants.X_OK);
			return statSync(file).isFile();
		} catch {
			return false;
		}
	});
}
