/**
The scripts that run in a guest. They are files of the package, in scripts/guest/.
*/

import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import {packageRoot} from '../system/package-root.js';

/** Their names: the first process of the initramfs, and that of the root disk. */
export type GuestScript = 'initramfs-init.sh' | 'init.sh';

/** The file of a script. */
export function guestScript(name: GuestScript): string {
	return path.join(packageRoot, 'scripts/guest', name);
}

/** The first characters of the hash of what images are made from, so that an image made otherwise is not used. */
export function recipeHash(...texts: readonly string[]): string {
	return createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 12);
}

/** The text of a script. */
export function readGuestScript(name: GuestScript): string {
	return readFileSync(guestScript(name), 'utf8');
}
