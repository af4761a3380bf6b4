import {pathToFileURL} from 'node:url';
import {packageRoot} from '../../testbed/system/package-root.js';

/** The checkout's folder, as a URL that files are named by: `new URL('scenarios/', root)`. */
export const root = pathToFileURL(`${packageRoot}/`);
