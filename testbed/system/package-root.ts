/**
Where the package stands on this machine: its scenarios, its launcher, the fixtures of a checkout.
*/

import path from 'node:path';
import {fileURLToPath} from 'node:url';

/** The folder of package.json. Programs run from `dist`, as bundles and as modules, and both stand somewhere below it. */
function findPackageRoot(program: string): string {
	const marker = `${path.sep}dist${path.sep}`;
	return program.slice(0, program.lastIndexOf(marker));
}

/** The package's folder, as a path. */
export const packageRoot: string = findPackageRoot(fileURLToPath(import.meta.url));
