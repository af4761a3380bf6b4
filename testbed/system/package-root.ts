/**
Where the package is on this machine, to find its scenarios, its launcher and the fixtures of a checkout.
*/

import path from 'node:path';
import {fileURLToPath} from 'node:url';

/** The folder of package.json. Programs run from somewhere below `dist`, as bundles or as modules. */
function findPackageRoot(program: string): string {
	const marker = `${path.sep}dist${path.sep}`;
	return program.slice(0, program.lastIndexOf(marker));
}

/** The package's folder, as a path. */
export const packageRoot: string = findPackageRoot(fileURLToPath(import.meta.url));
