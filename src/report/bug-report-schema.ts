/**
The JSON document of `testbed report`: what a bug report needs to say.
*/

import * as z from 'zod/mini';
import {
	about, anything, count, fields, flag, listOf, mapOf, orNull, text, type DocumentOf,
} from '../parsing/schema.js';
import {doctorSchema} from './doctor-schema.js';

/** The version of the document. */
export const bugReportVersion = 1;

/** Everything that was collected. */
export const bugReportSchema = fields({
	version: z.literal(bugReportVersion),
	contents: about('What the file holds, one line each, as it was printed before it was written.', listOf(text)),
	about: fields({
		testbed: text,
		node: text,
		kernel: text,
		architecture: text,
		libc: about('The version of glibc; null if it is another libc.', orNull(text)),
		distribution: about('From /etc/os-release; null if there is none.', orNull(fields({id: text, version: text, name: text}))),
		isRoot: flag,
		tools: about('What each program says about its version; null if it is missing or does not run.', mapOf(orNull(text))),
	}),
	doctor: about('What testbed doctor found; null if it could not be asked.', orNull(doctorSchema)),
	settings: fields({
		file: about('The configuration file that counts in this folder.', orNull(text)),
		options: about('The options that a file or a variable sets.', listOf(fields({
			command: text, option: text, value: anything, from: text,
		}))),
	}),
	variables: about('Environment variables, of a fixed list of names.', mapOf(text)),
	files: about('Files that the command line named.', listOf(fields({
		name: text, what: text, text: about('A recording is decompressed; testbed replay reads it like this, too.', text),
	}))),
	faults: about('What could not be collected, and why.', listOf(text)),
	replaced: about('How often names of this machine were replaced by ~, USER, HOST and a dot.', fields({
		homes: count, users: count, hosts: count, folders: count,
	})),
});

/** The document. */
export type BugReport = DocumentOf<typeof bugReportSchema>;
