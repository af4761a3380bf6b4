/**
A namespace to try things in, which goes when they have been tried.
*/

import {Netns} from '../sandbox/netns.js';

/** Does something in a new namespace with `lo` up. */
export async function scratch<T>(act: (netns: Netns) => Promise<T>): Promise<T> {
	await using netns = Netns.create('doctor', ['lo']);
	await netns.run('ip', ['link', 'set', 'lo', 'up']);
	const result = await act(netns); // The namespace lives until this is done.
	return result;
}
