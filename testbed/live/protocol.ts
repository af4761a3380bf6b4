/**
What the reading program answers.
*/

import type {ErrorCode} from '../errors.js';
import type {LivePod} from './live-pod.js';

/** The pod, or the error that the reading ended with. */
export type ReaderAnswer =
	| {readonly pod: LivePod}
	| {readonly fault: {readonly code: ErrorCode; readonly message: string; readonly state?: string; readonly hint?: string}};
