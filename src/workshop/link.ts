/**
A state as the fragment of a link, and back. A fragment never leaves the browser, so the person who opens a link decides to which server its rules go: the one whose page it is.
*/

import type {SharedState} from './protocol.js';

/** The beginning of the fragment of a link. */
export const linkPrefix = '#state=';

/** Some programs truncate longer links; longer states go into a file. */
export const linkLengthMax = 8000;

/** The fragment of a state, with its `#`; undefined if it would be too long for a link. */
export function fragmentOf(state: SharedState): string | undefined {
	// JSON escapes lone surrogates, so everything left can be in a URL.
	const fragment = `${linkPrefix}${encodeURIComponent(JSON.stringify(state))}`;
	return fragment.length > linkLengthMax ? undefined : fragment;
}

/** The data of a fragment, not validated yet; undefined if it contains no state. */
export function dataOfFragment(fragment: string): unknown {
	if (!fragment.startsWith(linkPrefix)) {
		return undefined;
	}

	try {
		return JSON.parse(decodeURIComponent(fragment.slice(linkPrefix.length)));
	} catch {
		return undefined;
	}
}
