/**
A temporary namespace to try things in.
*/

import {Netns} from '../sandbox/netns.js';

/** Runs `act` in a new namespace with `lo` up. */
export async function scratch<T>(act: (netns: Netns) => Promise<T>): Promise<T> {
	await using netns = Netns.create('doctor', ['lo']);
	await netns.run('ip', ['link', 'set', 'lo', 'up']);
	const result = await act(netns); // Awaited here, so that the namespace lives until `act` is done.
	return result;
}
