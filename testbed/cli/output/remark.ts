/**
Remarks on standard error that nobody needs to act on.
*/

import {tell} from '../../system/streams.js';
import {isQuiet} from './terminal.js';

/** Writes to standard error, unless `--quiet` was given. */
export function remark(text: string): void {
	if (!isQuiet()) {
		tell(text);
	}
}
