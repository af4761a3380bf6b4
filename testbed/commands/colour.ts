/**
When to colour. A file of its own, because commands that never touch the kernel must not load what does.
*/

/** Whether to colour: on a terminal, unless NO_COLOR is set to anything (no-color.org); FORCE_COLOR forces it. */
export function wantsColour({isTerminal, environment}: {readonly isTerminal: boolean; readonly environment: Readonly<Record<string, string | undefined>>}): boolean {
	if ((environment['NO_COLOR'] ?? '') !== '') {
		return false;
	}

	const force = environment['FORCE_COLOR'];
	return force === undefined ? isTerminal && environment['TERM'] !== 'dumb' : force !== '0' && force !== 'false';
}
