/**
Notes on a rule input, for commands whose standard output is not a report.
*/

import {cutText} from '../../../src/report/terminal/cut.js';
import {identityOf} from '../../inputs/mesh-of-rules.js';
import type {RuleInput} from '../../inputs/types.js';

/** Describes the rules for stderr: what kind a dump was identified as (a release is identified by its name), what was assumed, and one line per note. */
export function describeNotes(input: RuleInput): string {
	const {text, assumed} = identityOf(input);
	const identified = input.release === null ? [text, ...assumed.map(sentence => `Assumed: ${sentence}`)] : [];
	return [...identified, ...input.notes].map(note => `testbed: ${cutText(note, {more: ''})}\n`).join('');
}
