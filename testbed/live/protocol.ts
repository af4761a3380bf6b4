/**
What a program that only reads answers.
*/

import type {ErrorCode} from '../errors.js';

/** The pod, or the expected error that the reading ended with. */
export type ReaderAnswer<Pod> =
	| {readonly pod: Pod}
	| {readonly fault: {readonly code: ErrorCode; readonly message: string; readonly state?: string; readonly hint?: string}};
