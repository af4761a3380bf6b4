/**
The JSON document of `testbed doctor`.
*/

import * as z from 'zod/mini';
import {
	about, fields, flag, listOf, maybe, named, oneOf, orNull, text, type DocumentOf,
} from '../parsing/schema.js';
import {backends} from '../netfilter/types.js';

/** The version of the document. */
export const doctorJsonVersion = 2;

/** What works on this machine. */
export const doctorSchema = fields({
	version: z.literal(doctorJsonVersion),
	findings: about('The checks, in order.', listOf(named('finding', fields({
		what: text,
		group: text,
		backend: maybe(about('Absent if every back end needs it.', oneOf(backends))),
		use: about('What needs it: everything, the actors of run, the prober, or certain rules.', text),
		needs: about('The kernel option, module or package.', text),
		fix: about('The command that installs it.', text),
		ok: flag,
		reason: maybe(about('Present if the check failed.', text)),
	})))),
	commands: about('Which commands work.', listOf(named('ability', fields({
		what: text,
		backend: about('Null if the command does not depend on a back end.', orNull(oneOf(backends))),
		ok: flag,
		because: about('The checks that failed.', listOf(text)),
		fix: about('Commands that install what is missing, each once.', listOf(text)),
	})))),
});

/** The document of the doctor. */
export type DoctorDocument = DocumentOf<typeof doctorSchema>;
