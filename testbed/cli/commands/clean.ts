/**
`testbed clean`.
*/

import {clean} from '../../kept/clean.js';
import {writeOut} from '../../system/streams.js';

/** Removes the sandboxes that `--keep` left and prints what was removed; returns the exit status. */
export async function cleanCommand(): Promise<number> {
	const cleaned = await clean();
	await writeOut(cleaned.length === 0 ? 'There is nothing to clean.\n' : cleaned.map(({name, result}) => `${name}: ${result}\n`).join(''));
	return 0;
}
