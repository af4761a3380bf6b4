/**
`testbed clean`.
*/

import process from 'node:process';
import {clean} from '../sandbox/keep.js';

/** Removes what `--keep` left and says what that was; returns the exit status. */
export async function cleanCommand(): Promise<number> {
	const cleaned = await clean();
	process.stdout.write(cleaned.length === 0 ? 'Nothing was kept.\n' : cleaned.map(({name, result}) => `${name}: ${result}\n`).join(''));
	return 0;
}
