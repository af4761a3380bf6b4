/**
Notes on a rule input, for commands whose standard output is not a report.
*/

import type {RuleInput} from '../../inputs/types.js';

/** A line for each note, ready for stderr. */
export function describeNotes({notes}: Pick<RuleInput, 'notes'>): string {
	return notes.map(note => `testbed: ${note}\n`).join('');
}
