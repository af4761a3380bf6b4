/**
What the program that asks an API server answers.
*/

import type {ErrorCode} from '../errors.js';
import type {ClusterPod} from './cluster-pod.js';

/** The pod, or the error that the reading ended with. */
export type PodAnswer =
	| {readonly pod: ClusterPod}
	| {readonly fault: {readonly code: ErrorCode; readonly message: string; readonly state?: string; readonly hint?: string}};
