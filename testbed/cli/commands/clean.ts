/**
`testbed clean`.
*/

import {clean} from '../../sandbox/keep.js';
import {writeOut} from '../../system/streams.js';

/** Removes what `--keep` left and says what that was; returns the exit status. */
export async function cleanCommand(): Promise<number> {
	const cleaned = await clean();
	await writeOut(cleaned.length === 0 ? 'Nothing was kept.\n' : cleaned.map(({name, result}) => `${name}: ${result}\n`).join(''));
	return 0;
}
